"""What can be wrong with what an agent notes."""

from __future__ import annotations

from kernel.errors import Conflict, Fault


class LineShort(Conflict):
    """Less stands on a line than is to go off it."""

    code, title = "line-short", "There is not so much on the line"

    @classmethod
    def of(cls, name: str, left: str) -> LineShort:
        """The refusal, saying what is left as a decimal string."""
        said = f"{name}: {left} left"
        return cls(said, faults=[Fault("/amount", cls.code, said, {"available": left})])


class DayClosed(Conflict):
    """The running business day of a line is closed."""

    code, title = "day-closed", "The day is closed"


class AlreadyTakenBack(Conflict):
    """It was reversed before, or cannot be."""

    code, title = "already-taken-back", "This cannot be taken back"


class ReferenceKnown(Conflict):
    """The provider's number was noted before."""

    code, title = "reference-known", "This number was noted before"

    @classmethod
    def of(cls, number: str) -> ReferenceKnown:
        """The refusal, naming the transaction that bears it."""
        said = f"{number} bears it"
        return cls(said, faults=[Fault("/reference", cls.code, said)])
