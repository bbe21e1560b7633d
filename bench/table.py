"""Tables as the documentation takes them: Markdown, aligned for the eye."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING = "–"


class Table:
    """A heading and rows. columns: title → how its values are written, as in `format`; None is written as a dash."""

    def __init__(self, heading: str, columns: Mapping[str, str]) -> None:
        self.heading, self.columns = heading, dict(columns)
        self.rows: list[list[str]] = []

    def add(self, *values: Any) -> None:
        """Add a row."""
        written = zip(values, self.columns.values(), strict=True)
        self.rows.append([NOTHING if value is None else format(value, how) for value, how in written])

    def __str__(self) -> str:
        """The heading, an empty line, the table."""
        rows = [list(self.columns), *self.rows]
        widths = [max(3, *(len(row[place]) for row in rows)) for place in range(len(self.columns))]
        lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join([self.heading, "", *lines])

    def show(self) -> None:
        """Print it."""
        print(f"\n{self}\n", flush=True)
