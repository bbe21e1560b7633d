"""What reconciliation refuses."""

from __future__ import annotations

from kernel.errors import Conflict, Invalid


class StatementRefused(Invalid):
    """A file is no statement that can be read: not CSV or XLSX, without a day or an amount, in another layout."""

    code, title = "statement-refused", "The statement is refused"


class StatementNotReady(Conflict):
    """A file is applied already, or still being checked."""

    code, title = "statement-not-ready", "The statement cannot be taken in"


class NotFetched(Conflict):
    """A source's statements come as files only, or it is off."""

    code, title = "not-fetched", "This source gives no statement of its own"


class DifferenceClosed(Conflict):
    """Somebody has decided already, or what was stated since has answered it."""

    code, title = "difference-closed", "This was decided already"


class ResolutionNotOffered(Conflict):
    """What is to be done does not fit the difference."""

    code, title = "resolution-not-offered", "This cannot be done about it"


class NotReversible(Conflict):
    """A deposit was reversed before or is a reversal itself; a difference was not decided, or its money was put on."""

    code, title = "not-reversible", "This cannot be taken back"
