"""Tables as files, read row by row: CSV and XLSX, however they were made to burst. For a process of its own (0020).

`run_apart` starts such a process; there `limit` bounds what it may take, and the readers answer rows of texts.
`python -m kernel.sheets FROM TO` makes a workbook of lines of JSON, each a list of cells.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import json
import os
import resource
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

__all__ = [
    "MOST_COLUMNS",
    "MOST_LETTERS",
    "MOST_ROWS",
    "REFUSED",
    "SheetRefused",
    "csv_rows",
    "delimiter_of",
    "end_apart",
    "run_apart",
    "write_xlsx",
    "xlsx_rows",
]

MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 96
MOST_LETTERS: Final = 8_192
"""Letters of one cell."""
MOST_UNPACKED: Final = 300 * 1024 * 1024
MOST_ENTRIES: Final = 500
MOST_MEMORY: Final = 1024 * 1024 * 1024
MOST_CPU_S: Final = 90
REFUSED: Final = 3
"""The exit status with which a file is refused; standard output says why."""
_CHUNK: Final = 1024 * 1024
_at_once = asyncio.Semaphore(2)


class SheetRefused(Exception):
    """The file as a whole cannot be taken."""


async def run_apart(module: str, *arguments: str | Path) -> None:
    """Run a module as a process of its own, without a setting or a secret; at most two at once.

    Raises SheetRefused, saying why.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DUKA_")}
    async with _at_once:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", module, *arguments),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == REFUSED:
        raise SheetRefused(said.decode(errors="replace").strip()[:600])
    if process.returncode:
        raise SheetRefused("The file takes too much memory or time to read")


def end_apart(main: Callable[[], None]) -> None:
    """What such a process does: bound itself, do its work, and say why a file was refused."""
    _limit()
    try:
        main()
    except SheetRefused as refusal:
        print(refusal)
        sys.exit(REFUSED)
    except MemoryError:
        print("The file takes too much memory")
        sys.exit(REFUSED)


def write_xlsx(lines: Iterable[Sequence[str | Decimal]], to: Path) -> None:
    """A workbook of one sheet; texts stay texts, so that codes keep their zeros, and numbers are numbers."""
    from openpyxl import Workbook  # noqa: PLC0415 - only its own process needs it, and it takes a while to load

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Table")
    for cells in lines:
        sheet.append(cells)
    book.save(to)


def delimiter_of(line: str, among: str = ",;\t") -> str:
    """What stands between the cells of a line of CSV: the sign of those that it has most of."""
    return max(among, key=line.count)


def csv_rows(source: Path, *, delimiter: str | None = None) -> Iterator[list[str]]:
    """The rows of a CSV file in UTF-8; delimiter: found in its first line where it is not said. Raises SheetRefused."""
    csv.field_size_limit(MOST_LETTERS * 4)
    with source.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline(MOST_LETTERS * 4)
            file.seek(0)
            for cells in csv.reader(file, delimiter=delimiter or delimiter_of(first), strict=True):
                if len(cells) > MOST_COLUMNS:
                    raise SheetRefused(f"At most {MOST_COLUMNS} columns")
                yield cells
        except UnicodeDecodeError as fault:
            raise SheetRefused("The file is not UTF-8; save it as CSV UTF-8") from fault
        except csv.Error as fault:
            raise SheetRefused(f"The file is not CSV: {fault}") from fault


def xlsx_rows(source: Path) -> Iterator[list[str]]:
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
    except (SheetRefused, MemoryError):
        raise
    except Exception as fault:  # the reader may raise anything over a file made to break it
        raise SheetRefused("The file is no XLSX workbook that can be read") from fault


def _check_packed(packed: zipfile.ZipFile) -> None:
    """Unpack everything once, as far as it may go: what an entry says of its own size is not believed."""
    entries = packed.infolist()
    if len(entries) > MOST_ENTRIES:
        raise SheetRefused("The workbook has too many parts")
    size = 0
    for entry in entries:
        with packed.open(entry) as file:
            size = _check_entry(file, size, is_xml=entry.filename.lower().endswith((".xml", ".rels", ".vml")))


def _check_entry(file: IO[bytes], size: int, *, is_xml: bool) -> int:
    tail = b""
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        if size > MOST_UNPACKED:
            raise SheetRefused("The workbook is too large once unpacked")
        if is_xml and (b"<!DOCTYPE" in tail + chunk or b"<!ENTITY" in tail + chunk or b"\0" in chunk):
            raise SheetRefused("The workbook declares entities")
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


def _write(source: Path, to: Path) -> None:
    with source.open("rb") as lines:
        write_xlsx((json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines), to)


if __name__ == "__main__":
    end_apart(lambda: _write(Path(sys.argv[1]), Path(sys.argv[2])))
