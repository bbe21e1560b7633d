"""What can go wrong with points."""

from __future__ import annotations

from kernel.errors import Conflict, Fault


class NotEnoughPoints(Conflict):
    """The customer has fewer points than are to be spent."""

    code, title = "not-enough-points", "The customer has not enough points"


class NobodysPoints(Conflict):
    """Points are to be spent, and the sale names no customer."""

    code, title = "points-of-nobody", "Name the customer whose points are spent"


def too_few(left: int) -> NotEnoughPoints:
    """The refusal, with what is left."""
    return NotEnoughPoints(f"They have {left}", faults=[Fault("/ext/loyalty/points", "not-enough-points")])
