"""Cells of tables: texts that no spreadsheet takes for formulas, and what they were before (P28)."""

from __future__ import annotations

import re

import msgspec

__all__ = ["csv_cell", "read_cell"]

_LIVE = re.compile(r"'* *[=+\-@\t\r\n]")


def csv_cell(value: object) -> str:
    """A value as a cell: a text that a spreadsheet would run gets an apostrophe before it, NUL is left out (P28).

    One that has apostrophes before what would run gets one more, so that `read_cell` gives each its own back.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    text = str(value).replace("\0", "")
    return f"'{text}" if _LIVE.match(text) and not isinstance(value, int) else text


def read_cell(text: str) -> str:
    """A cell that `csv_cell` wrote, without the apostrophe it put there."""
    return text[1:] if text.startswith("'") and _LIVE.match(text) else text
