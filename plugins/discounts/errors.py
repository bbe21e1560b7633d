"""What can stand in the way of a promotion."""

from __future__ import annotations

from kernel.errors import Conflict


class FixedOnceActive(Conflict):
    """What a promotion is called, takes off and is for stays as it was activated: sales refer to it."""

    code, title = "promotion-fixed", "This can no longer be changed"


class NotFromThisState(Conflict):
    """The promotion's state does not allow this step."""

    code, title = "promotion-state", "The promotion is not in a state for this"


class AlreadyOver(Conflict):
    """The promotion's last moment has passed before it was activated."""

    code, title = "promotion-over", "The promotion's time is over"
