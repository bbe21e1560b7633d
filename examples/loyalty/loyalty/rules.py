"""Pure rules: what a sale earns, and what has expired."""

from __future__ import annotations


def earned(total: int, spent_for_a_point: int) -> int:
    """Whole points for a total, both in minor units."""
    return total // spent_for_a_point


def expired(earned_by_then: int, gone: int, balance: int) -> int:
    """Points that expire now: what was earned by the limit, less all that is gone since; the oldest are spent first."""
    return max(0, min(earned_by_then - gone, balance))
