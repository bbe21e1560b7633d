"""Tables as files: CSV and XLSX in, checked cell by cell, and XLSX out. Run as a process of its own.

`python -m plugins.catalog.services.sheets products|prices csv|xlsx FROM TO` writes a line of JSON a row: a `Header`,
then the rows of that form (`forms`).
`… write xlsx FROM TO` makes a workbook of lines of JSON. A process, so that a file made to burst memory or time bursts
nothing else: the memory and the processor time it may take are limited, and the server's event loop is not held up.
"""

from __future__ import annotations

import csv
import datetime as dt
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from msgspec import UNSET, structs

from plugins.catalog.services.forms import CUSTOM, FORMS, MOST_LETTERS, Fault, Form, Header, own_cell

MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 96
MOST_UNPACKED: Final = 300 * 1024 * 1024
MOST_ENTRIES: Final = 500
MOST_MEMORY: Final = 1024 * 1024 * 1024
MOST_CPU_S: Final = 90
MOST_FAULTS: Final = 20
"""Kept of one row."""
REFUSED: Final = 3
"""The exit status with which a file is refused; standard output says why."""
_CHUNK = 1024 * 1024
_KINDS = {form.said: {one.name: one.type for one in structs.fields(form.said)} for form in FORMS.values()}
"""What a row says → its columns and what their cells are; read once, since to read it takes longer than a row."""
_MISSING = {"sku": "A product needs a SKU", "price": "Write what it costs"}


class Refused(Exception):
    """The file as a whole cannot be taken."""


def read(kind: str, source: Path, form: Form = FORMS["products"]) -> Iterator[Any]:
    """The header and the rows of a file. Raises Refused."""
    lines = _csv_rows(source) if kind == "csv" else _xlsx_rows(source)
    header = _columns(form, next(lines, []))
    yield Header(header)
    seen: dict[tuple[str, str], int] = {}
    for number, cells in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            raise Refused(f"At most {MOST_ROWS} rows; part the table")
        if any(cells):
            yield _once(form, _row(form, number, header, cells), seen)


def write_xlsx(lines: Iterable[Sequence[str]], to: Path) -> None:
    """A workbook of one sheet; every cell is a text, so that codes keep their zeros and prices all their digits."""
    from openpyxl import Workbook  # noqa: PLC0415 - only its own process needs it, and it takes a while to load

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Table")
    for cells in lines:
        sheet.append(cells)
    book.save(to)


def _columns(form: Form, cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if unknown := [name for name in names if name not in form.columns and not form.more(name)]:
        raise Refused(
            f"Row 1 names columns that are not known: {', '.join(unknown)[:200]}; there are {', '.join(form.columns)}"
        )
    if len(set(names)) < len(names):
        raise Refused("Row 1 names a column twice")
    if form.needed[0] not in names:
        raise Refused(f"Row 1 must name the columns, {form.needed[0]} among them")
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


def _csv_rows(source: Path) -> Iterator[list[str]]:
    csv.field_size_limit(MOST_LETTERS * 4)
    with source.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline(MOST_LETTERS * 4)
            file.seek(0)
            for cells in csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True):
                if len(cells) > MOST_COLUMNS:
                    raise Refused(f"At most {MOST_COLUMNS} columns")
                yield cells
        except UnicodeDecodeError as fault:
            raise Refused("The file is not UTF-8; save it as CSV UTF-8") from fault
        except csv.Error as fault:
            raise Refused(f"The file is not CSV: {fault}") from fault


def _xlsx_rows(source: Path) -> Iterator[list[str]]:
    """The first sheet's rows. Formulas are not computed: a cell is what the program that saved the file had in it."""
    from openpyxl import load_workbook  # noqa: PLC0415 - as above

    try:
        with zipfile.ZipFile(source) as packed:
            _check_packed(packed)
        with source.open("rb") as file:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            for values in sheet.iter_rows(values_only=True, max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS):
                yield [_text(value) for value in values]
    except (Refused, MemoryError):
        raise
    except Exception as fault:  # the reader may raise anything over a file made to break it
        raise Refused("The file is no XLSX workbook that can be read") from fault


def _check_packed(packed: zipfile.ZipFile) -> None:
    """Unpack everything once, as far as it may go: what an entry says of its own size is not believed."""
    entries = packed.infolist()
    if len(entries) > MOST_ENTRIES:
        raise Refused("The workbook has too many parts")
    size = 0
    for entry in entries:
        with packed.open(entry) as file:
            size = _check_entry(file, size, is_xml=entry.filename.lower().endswith((".xml", ".rels", ".vml")))


def _check_entry(file: IO[bytes], size: int, *, is_xml: bool) -> int:
    tail = b""
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > MOST_UNPACKED:
            raise Refused("The workbook is too large once unpacked")
        if is_xml and (b"<!DOCTYPE" in tail + chunk or b"<!ENTITY" in tail + chunk or b"\0" in chunk):
            raise Refused("The workbook declares entities")
        tail = chunk[-16:]
    return size


def _text(value: Any) -> str:
    """A cell's value as it would be typed; numbers with at most six decimals."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))


def _main(deed: str, kind: str, source: Path, to: Path) -> None:
    if deed == "write":
        with source.open("rb") as lines:
            write_xlsx((msgspec.json.decode(line, type=list[str]) for line in lines), to)
        return
    encode = msgspec.json.Encoder().encode
    with to.open("wb") as out:
        for one in read(kind, source, FORMS[deed]):
            out.write(encode(one) + b"\n")


if __name__ == "__main__":
    _limit()
    try:
        _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    except Refused as refusal:
        print(refusal)
        sys.exit(REFUSED)
    except MemoryError:
        print("The file takes too much memory")
        sys.exit(REFUSED)
