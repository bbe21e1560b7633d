"""What a transaction moves on which line, and how a day adds up. Amounts in minor units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

Served = Literal["deposit", "withdrawal"]
COUNTED: Final = frozenset({"cash", "float"})
"""Kinds of lines that are counted at closing, and that never stand below nothing."""
REVERSIBLE: Final = frozenset({"deposit", "withdrawal", "transfer", "commission", "capital"})
"""A difference at closing is explained by another transaction, on another day; a reversal is final."""
COLUMNS: Final[Mapping[str, str]] = {
    "deposit": "deposits",
    "withdrawal": "withdrawals",
    "transfer": "transfers",
    "commission": "commission",
    "capital": "capital",
    "variance": "variance",
    "reversal": "reversals",
}
"""Kind of transaction → the column of a day's report that it stands in."""


def moves_of_serving(kind: Served, amount: int) -> tuple[int, int]:
    """What a served customer moves: (on the cash line, on the float line)."""
    return (amount, -amount) if kind == "deposit" else (-amount, amount)


def moves_of_transfer(amount: int, fee: int) -> tuple[int, int]:
    """What a transfer moves: (on the line it comes from, on the line it goes to)."""
    return (-amount - fee, amount)


def closing_of(opening: int, moved: Iterable[int]) -> int:
    """What stands on a line at the end of a day."""
    return opening + sum(moved)


def variance_of(expected: int, counted: int) -> int:
    """What is there more than expected; negative where it lacks."""
    return counted - expected
