"""Cells of tables: texts that no spreadsheet takes for formulas, and what they were before (P28)."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

__all__ = ["csv_cell", "figure", "read_cell"]

_LIVE = re.compile(r"'* *[=+\-@\t\r\n]")


def csv_cell(value: object) -> str:
    """A value as a cell: a text that a spreadsheet would run gets an apostrophe before it, NUL is left out (P28).

    One that has apostrophes before what would run gets one more, so that `read_cell` gives each its own back. A number
    stays one, below zero too: give figures as `int` or `Decimal`, not as texts.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    text = str(value).replace("\0", "")
    return f"'{text}" if _LIVE.match(text) and not isinstance(value, int | Decimal) else text


def figure(text: str | None) -> Decimal | None:
    """An amount or a quantity, as the API writes it, as a cell that is a number; an empty one of None."""
    return None if text is None else Decimal(text)


def read_cell(text: str) -> str:
    """A cell that `csv_cell` wrote, without the apostrophe it put there."""
    return text[1:] if text.startswith("'") and _LIVE.match(text) else text
