"""Cells of tables: texts that no spreadsheet takes for formulas, and what they were before (P28)."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

__all__ = ["csv_cell", "figure", "read_cell"]

_BEGINS = r"(?:^|(?<=[;\t\r\n]))"
"""Where a cell begins: at the start, and where a spreadsheet parts cells whose country writes a comma in numbers."""
_RUNS = r"'* *[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]"
"""What a spreadsheet would run; signs of full width are signs to those of the Far East."""
_LIVE = re.compile(rf"{_BEGINS}(?={_RUNS})")
_NEUTRAL = re.compile(rf"{_BEGINS}'(?={_RUNS})")


def csv_cell(value: object) -> str:
    """A value as a cell: a text that a spreadsheet would run gets an apostrophe before it, NUL is left out (P28).

    So does what would run inside it, behind a semicolon or on another line: not everywhere do commas part cells. One
    that has apostrophes before what would run gets one more, so that `read_cell` gives each its own back. A number
    stays one, below zero too: give figures as `int` or `Decimal`, not as texts.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    return _LIVE.sub("'", str(value).replace("\0", ""))


def figure(text: str | None) -> Decimal | None:
    """An amount or a quantity, as the API writes it, as a cell that is a number; an empty one of None."""
    return None if text is None else Decimal(text)


def read_cell(text: str) -> str:
    """A cell that `csv_cell` wrote, without the apostrophes it put there."""
    return _NEUTRAL.sub("", text)
