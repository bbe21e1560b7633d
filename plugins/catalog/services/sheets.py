"""Tables as files, CSV and XLSX, checked cell by cell. Run as a process of its own.

`python -m plugins.catalog.services.sheets products|prices csv|xlsx FROM TO` writes a line of JSON a row: a `Header`,
then the rows of that form (`forms`).
A process, so that a file made to burst memory or time bursts
nothing else: the memory and the processor time it may take are limited, and the server's event loop is not held up.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, structs

from kernel.sheets import MOST_ROWS, SheetRefused, csv_rows, end_apart, xlsx_rows
from plugins.catalog.services.forms import CUSTOM, FORMS, MOST_LETTERS, Fault, Form, Header, own_cell

MOST_FAULTS: Final = 20
"""Kept of one row."""
_KINDS = {form.said: {one.name: one.type for one in structs.fields(form.said)} for form in FORMS.values()}
"""What a row says → its columns and what their cells are; read once, since to read it takes longer than a row."""
_MISSING = {"sku": "A product needs a SKU", "price": "Write what it costs"}


def read(kind: str, source: Path, form: Form = FORMS["products"]) -> Iterator[Any]:
    """The header and the rows of a file. Raises SheetRefused."""
    lines = csv_rows(source) if kind == "csv" else xlsx_rows(source)
    header = _columns(form, next(lines, []))
    yield Header(header)
    seen: dict[tuple[str, str], int] = {}
    for number, cells in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            raise SheetRefused(f"At most {MOST_ROWS} rows; part the table")
        if any(cells):
            yield _once(form, _row(form, number, header, cells), seen)


def _columns(form: Form, cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if unknown := [name for name in names if name not in form.columns and not form.more(name)]:
        raise SheetRefused(
            f"Row 1 names columns that are not known: {', '.join(unknown)[:200]}; there are {', '.join(form.columns)}"
        )
    if len(set(names)) < len(names):
        raise SheetRefused("Row 1 names a column twice")
    if form.needed[0] not in names:
        raise SheetRefused(f"Row 1 must name the columns, {form.needed[0]} among them")
    return names


def _row(form: Form, number: int, header: Sequence[str], cells: Sequence[str]) -> Any:
    kinds = _KINDS[form.said]
    values: dict[str, Any] = {}
    faults = []
    if any(cells[len(header) :]):
        faults.append(Fault(number, "", "There are more cells than columns"))
    for place, name in enumerate(header):
        cell = cells[place] if place < len(cells) else ""
        try:
            if form.more(name):
                values.setdefault("custom", {})[name.removeprefix(CUSTOM)] = own_cell(cell)
            elif (value := _value(form, name, cell)) is not UNSET:
                values[name] = msgspec.convert(value, kinds[name])
        except (msgspec.ValidationError, ValueError) as fault:
            said = form.like.get(name, str(fault)) if "matching regex" in str(fault) else str(fault)
            faults.append(Fault(number, name, said[:200]))
    for name in form.needed:
        if name not in values and not any(one.column == name for one in faults):
            faults.append(Fault(number, name, _MISSING[name]))
    return form.row(number, faults=faults[:MOST_FAULTS]) if faults else form.row(number, form.said(**values))


def _value(form: Form, name: str, cell: str) -> Any:
    """What a cell says. Raises ValueError for what a column cannot say."""
    if len(cell) > MOST_LETTERS:
        raise ValueError("The text is too long")
    return form.value(name, cell)


def _once(form: Form, row: Any, seen: dict[tuple[str, str], int]) -> Any:
    """The row, refused where one before it says what may stand once only."""
    if row.said is None:
        return row
    said = list(form.once(row.said))
    faults = [
        Fault(row.row, column, f"Row {seen[column, key]} has {words} too")
        for column, key, words in said
        if (column, key) in seen
    ]
    for column, key, _ in said:
        seen.setdefault((column, key), row.row)
    return form.row(row.row, faults=faults[:MOST_FAULTS]) if faults else row


def _main(deed: str, kind: str, source: Path, to: Path) -> None:
    encode = msgspec.json.Encoder().encode
    with to.open("wb") as out:
        for one in read(kind, source, FORMS[deed]):
            out.write(encode(one) + b"\n")


if __name__ == "__main__":
    end_apart(lambda: _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
