"""What can be wrong with an expense."""

from __future__ import annotations

from kernel.errors import Conflict


class AlreadyReversed(Conflict):
    """The expense was reversed before, or is a reversal itself."""

    code, title = "already-reversed", "This expense cannot be reversed"
