"""Tables of products as files: CSV and XLSX in, checked cell by cell, and XLSX out. Run as a process of its own.

`python -m plugins.catalog.services.sheets read csv|xlsx FROM TO` writes a line of JSON a row: a `Header`, then `Row`s.
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
from msgspec import UNSET, Struct, UnsetType, structs

from kernel.cells import read_cell
from kernel.money import Quantity, UnitPrice
from kernel.wire import Code, Name, Text
from plugins.catalog.rules.goods import BadBarcode, check_gtin, split_codes
from plugins.catalog.schemas.goods import BarcodeText, HsnCode, Kind, Unit

MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 64
MOST_LETTERS: Final = 8192
MOST_UNPACKED: Final = 300 * 1024 * 1024
MOST_ENTRIES: Final = 500
MOST_MEMORY: Final = 1024 * 1024 * 1024
MOST_CPU_S: Final = 90
MOST_FAULTS: Final = 20
"""Kept of one row."""
REFUSED: Final = 3
"""The exit status with which a file is refused; standard output says why."""
_YES, _NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n"})
_CHUNK = 1024 * 1024


class Said(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A row of a table as it was checked: what it says of a product. Columns that are not there are left out."""

    sku: Code
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    price: UnitPrice | UnsetType = UNSET
    wholesale_price: UnitPrice | UnsetType | None = UNSET
    cost_price: UnitPrice | UnsetType | None = UNSET
    mrp: UnitPrice | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    brand: Name | UnsetType | None = UNSET
    tax_class: str | UnsetType | None = UNSET
    hsn_code: HsnCode | UnsetType | None = UNSET
    min_stock: Quantity | UnsetType | None = UNSET
    track_stock: bool | UnsetType = UNSET
    allow_negative_stock: bool | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    barcodes: list[BarcodeText] | UnsetType = UNSET


COLUMNS: Final = tuple(one.name for one in structs.fields(Said))
NEEDED: Final = "sku"
_KINDS = {one.name: one.type for one in structs.fields(Said)}
_FLAGS = {"track_stock": UNSET, "allow_negative_stock": False, "is_active": True}
_FORMS = {"sku": "in printable ASCII, such as RICE-2KG", "hsn_code": "in 4 to 8 digits", "min_stock": "such as 6"}
_PRICE = "with a point and at most six decimals, such as 380.00"
_FORMS |= dict.fromkeys(("price", "wholesale_price", "cost_price", "mrp"), _PRICE)
_LIKE: Final = {name: f"Write it {_FORMS.get(name, 'on one line')}" for name in COLUMNS}
"""What is said of a text that does not have the form its column wants."""
_DEFAULTS: Final = {"description": "", "kind": UNSET, "unit": UNSET, "name": UNSET, "price": UNSET, **_FLAGS}
"""What an empty cell says, where it does not say that there is none."""


class Fault(Struct, frozen=True):
    """What is wrong with one cell. row: as the spreadsheet counts, the header being 1."""

    row: int
    column: str
    detail: str


class Header(Struct, frozen=True):
    """The first line of what was read: the columns, in order."""

    columns: list[str]


class Row(Struct, frozen=True, omit_defaults=True):
    """A row that was read: what it says, or what is wrong with it."""

    row: int
    said: Said | None = None
    faults: list[Fault] = []


class Refused(Exception):
    """The file as a whole cannot be taken."""


def read(kind: str, source: Path) -> Iterator[Header | Row]:
    """The header and the rows of a file. Raises Refused."""
    lines = _csv_rows(source) if kind == "csv" else _xlsx_rows(source)
    header = _columns(next(lines, []))
    yield Header(header)
    skus: dict[str, int] = {}
    codes: dict[str, int] = {}
    for number, cells in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            raise Refused(f"At most {MOST_ROWS} products; part the table")
        if any(cells):
            yield _once(_row(number, header, cells), skus, codes)


def write_xlsx(lines: Iterable[Sequence[str]], to: Path) -> None:
    """A workbook of one sheet; every cell is a text, so that codes keep their zeros and prices all their digits."""
    from openpyxl import Workbook  # noqa: PLC0415 - only its own process needs it, and it takes a while to load

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Products")
    for cells in lines:
        sheet.append(cells)
    book.save(to)


def _columns(cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if unknown := [name for name in names if name not in COLUMNS]:
        raise Refused(
            f"Row 1 names columns that are not known: {', '.join(unknown)[:200]}; there are {', '.join(COLUMNS)}"
        )
    if len(set(names)) < len(names):
        raise Refused("Row 1 names a column twice")
    if NEEDED not in names:
        raise Refused("Row 1 must name the columns, sku among them")
    return names


def _row(number: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    values: dict[str, Any] = {}
    faults = []
    if any(cells[len(header) :]):
        faults.append(Fault(number, "", "There are more cells than columns"))
    for place, name in enumerate(header):
        try:
            value = _value(name, cells[place] if place < len(cells) else "")
            if value is not UNSET:
                values[name] = msgspec.convert(value, _KINDS[name])
        except (msgspec.ValidationError, ValueError) as fault:
            said = _LIKE[name] if "matching regex" in str(fault) else str(fault)
            faults.append(Fault(number, name, said[:200]))
    if "sku" not in values and not any(one.column == "sku" for one in faults):
        faults.append(Fault(number, "sku", "A product needs a SKU"))
    return Row(number, faults=faults[:MOST_FAULTS]) if faults else Row(number, Said(**values))


def _value(name: str, cell: str) -> Any:
    """What a cell says. Raises ValueError for what a column cannot say."""
    text = read_cell(cell if name == "description" else cell.strip(" "))
    if len(text) > MOST_LETTERS:
        raise ValueError("The text is too long")
    if name == "barcodes":
        return list(dict.fromkeys(_barcode(code) for code in split_codes(text)))
    if not text:
        return None if name not in _DEFAULTS and name != "sku" else _DEFAULTS.get(name, UNSET)
    if name == "category":
        return " > ".join(part.strip(" ") for part in text.split(">"))
    if name in _FLAGS:
        if text.lower() not in _YES | _NO:
            raise ValueError("Write yes or no")
        return text.lower() in _YES
    return text


def _barcode(code: str) -> str:
    try:
        return check_gtin(code)
    except BadBarcode as fault:
        raise ValueError(str(fault)) from fault


def _once(row: Row, skus: dict[str, int], codes: dict[str, int]) -> Row:
    """The row, refused where one before it has its SKU or one of its barcodes."""
    if row.said is None:
        return row
    barcodes = [] if row.said.barcodes is UNSET else row.said.barcodes
    faults = [
        Fault(row.row, "barcodes", f"Row {codes[code]} has the barcode {code} too")
        for code in barcodes
        if code in codes
    ]
    if row.said.sku in skus:
        faults.insert(0, Fault(row.row, "sku", f"Row {skus[row.said.sku]} has this SKU too"))
    skus.setdefault(row.said.sku, row.row)
    for code in barcodes:
        codes.setdefault(code, row.row)
    return Row(row.row, faults=faults[:MOST_FAULTS]) if faults else row


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
        for one in read(kind, source):
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
