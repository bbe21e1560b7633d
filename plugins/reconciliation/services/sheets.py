"""A statement's file read as lines, in a process of its own (0020, `kernel.sheets`).

`python -m plugins.reconciliation.services.sheets GIVEN csv|xlsx FROM TO`. GIVEN: a file with a JSON `Given`. TO gets a
line of JSON a row: first a `Header`, then a `Row` each.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from kernel.sheets import MOST_ROWS, SheetRefused, csv_rows, delimiter_of, end_apart, xlsx_rows
from plugins.payments.api import StatementLine
from plugins.reconciliation.rules import layouts
from plugins.reconciliation.rules.layouts import LOOKED_AT, Layout
from plugins.reconciliation.rules.reading import How, Wrong, how, read_row

BEGINS: Final = 20
"""Lines of CSV by which its delimiter is found: a preamble may have none."""


class Given(Struct, frozen=True):
    """What a file is read by. layout: None to find it. is_numbered: as of `How`."""

    layout: Layout | None
    zone: str
    currency: str
    exponent: int
    is_numbered: bool
    days_first: bool


class Header(Struct, frozen=True):
    """How the file is read."""

    layout: Layout


class Row(Struct, frozen=True):
    """A row of the file: its line, or what is wrong with it; neither for one that is no movement of money."""

    row: int
    line: StatementLine | None = None
    column: str = ""
    said: str = ""


def read(kind: str, source: Path, given: Given) -> Iterator[Header | Row]:
    """The header and the rows of a file. Raises SheetRefused."""
    rows = csv_rows(source, delimiter=_delimiter(source)) if kind == "csv" else xlsx_rows(source)
    first = list(itertools.islice(rows, LOOKED_AT))
    layout = _layout(first, given)
    yield Header(layout)
    headings = first[layout.header_row - 1]
    by = how(layout, headings, given.zone, given.currency, given.exponent, is_numbered=given.is_numbered)
    seen: dict[str, int] = {}
    body = itertools.chain(first[layout.header_row :], rows)
    for number, cells in enumerate(body, start=layout.header_row + 1):
        if number > MOST_ROWS + layout.header_row:
            raise SheetRefused(f"At most {MOST_ROWS} rows; part the statement")
        if any(cells):
            yield _row(by, number, cells, seen)


def _row(by: How, number: int, cells: Sequence[str], seen: dict[str, int]) -> Row:
    found = read_row(by, cells, seen)
    return Row(number, None, found.column, found.said) if isinstance(found, Wrong) else Row(number, found)


def _layout(first: Sequence[Sequence[str]], given: Given) -> Layout:
    """The layout that is given, if the file has its columns; otherwise the one that is found."""
    layout = given.layout
    if layout is None:
        try:
            return layouts.detect(first, days_first=given.days_first)
        except layouts.Unclear as fault:
            raise SheetRefused(str(fault)) from fault
    if not layouts.is_whole(layout):
        raise SheetRefused("A layout names the columns of the day and of an amount")
    headings = first[layout.header_row - 1] if layout.header_row <= len(first) else []
    if lacking := layouts.missing(layout, headings):
        raise SheetRefused(f"Row {layout.header_row} has no column {', '.join(lacking)[:200]}")
    return layout


def _delimiter(source: Path) -> str:
    with source.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = [file.readline(20_000) for _ in range(BEGINS)]
    return delimiter_of("".join(lines), ",;\t|")


def _main(given: Path, kind: str, source: Path, to: Path) -> None:
    encode = msgspec.json.Encoder().encode
    said = msgspec.json.decode(given.read_bytes(), type=Given)
    with to.open("wb") as out:
        for one in read(kind, source, said):
            out.write(encode(one) + b"\n")


if __name__ == "__main__":
    end_apart(lambda: _main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
