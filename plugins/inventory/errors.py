"""What can stand in the way of moving stock."""

from __future__ import annotations

from kernel.errors import Conflict, Fault
from kernel.money import format_micro
from plugins.inventory.schemas import Want


class OutOfStock(Conflict):
    """Less is available than is wanted, and the product may not go below zero."""

    code, title = "out-of-stock", "Not enough stock"

    @classmethod
    def at(cls, want: Want, available: int, place: str) -> OutOfStock:
        """Every line that wants the product bears the fault, with what there is of it."""
        left = format_micro(max(0, available))
        facts = {"available": left}
        return cls(
            f"{want.name}: {format_micro(want.quantity)} wanted, {left} left at {place}.",
            faults=[Fault(f"/lines/{line - 1}/quantity", cls.code, facts=facts) for line in want.lines],
        )
