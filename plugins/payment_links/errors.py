"""What can be wrong with a link."""

from __future__ import annotations

from kernel.errors import Conflict


class NothingDue(Conflict):
    """The document waits for no money."""

    code, title = "nothing-due", "There is nothing to pay"


class LinkEnded(Conflict):
    """The link is paid or cancelled."""

    code, title = "link-ended", "The link has ended"
