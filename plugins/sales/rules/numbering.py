"""How sales are numbered: gap-free per register and fiscal year of the region."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

FISCAL_YEAR_STARTS: Final[Mapping[str, int]] = {"IN": 4}
"""Region → first month of its fiscal year, where that is not January (India: financial year, CGST Rules 46(b))."""

MOST_CHARACTERS: Final = 16
"""The longest number that every region takes (India, rule 46(b))."""


def fiscal_year(region: str, day: dt.date) -> str:
    """The fiscal year of a day as numbers show it: `2026`, or `2627` where it spans two calendar years."""
    first = FISCAL_YEAR_STARTS.get(region, 1)
    if first == 1:
        return str(day.year)
    begins = day.year if day.month >= first else day.year - 1
    return f"{begins % 100:02d}{(begins + 1) % 100:02d}"


def number_prefix(register_code: str, region: str, day: dt.date) -> str:
    """What stands before the running number: `T1-2026-`."""
    return f"{register_code}-{fiscal_year(region, day)}-"


def order_prefix(register_code: str, region: str, day: dt.date) -> str:
    """What stands before the running number of an order, a sale that waits for its money: `T1-2026-P`."""
    return f"{number_prefix(register_code, region, day)}P"
