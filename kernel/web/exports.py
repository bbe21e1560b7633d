"""Exports: rows as CSV or XLSX that no spreadsheet takes for formulas, as JSON lines, the file they are gathered in.

A file is filled as fast as the database reads, and sent when it is whole: a slow receiver holds no connection.
"""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

from kernel.cells import csv_cell
from kernel.errors import Invalid
from kernel.sheets import SheetRefused, run_apart
from kernel.wire import SPREADSHEET, Download

TableKind = Literal["csv", "xlsx"]
TABLE_TYPES: Final = {"csv": "text/csv", "xlsx": SPREADSHEET}
"""Kind of table → its media type."""
_IN_MEMORY = 1_048_576
CHUNK = 65_536
_with_figures = msgspec.json.Encoder(decimal_format="number")


def csv_line(values: Sequence[object]) -> bytes:
    """One line of CSV (RFC 4180), in UTF-8."""
    line = io.StringIO()
    csv.writer(line).writerow([csv_cell(value) for value in values])
    return line.getvalue().encode()


def json_line(value: object) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(value) + b"\n"


async def gathered(chunks: AsyncIterator[bytes]) -> IO[bytes]:
    """Everything in one temporary file, in memory while it is small; it stands at its beginning."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by who sends it
    try:
        async for chunk in chunks:
            file.write(chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def table_line(values: Sequence[object], kind: TableKind) -> bytes:
    """A line of a table that `as_table` makes: formulas neutralised. A `Decimal` is a number, all else text."""
    if kind == "csv":
        return csv_line(values)
    cells = [value if isinstance(value, Decimal) else csv_cell(value) for value in values]
    return _with_figures.encode(cells) + b"\n"


async def as_table(lines: IO[bytes], kind: TableKind, name: str) -> Download:
    """Lines of `table_line` as a table to take away; a workbook is made by a process of its own. name: without its end.

    Raises Invalid where they are too many for a workbook.
    """
    if kind == "xlsx":
        with lines:
            try:
                lines = await _as_xlsx(lines)
            except SheetRefused as refusal:
                raise Invalid.at("?format", "It is too much for a workbook: take CSV") from refusal
    return Download(lines, TABLE_TYPES[kind], f"{name}.{kind}")


async def _as_xlsx(lines: IO[bytes]) -> IO[bytes]:
    with tempfile.TemporaryDirectory(prefix="duka-table-") as folder:
        source, to = Path(folder) / "rows", Path(folder) / "table"
        with source.open("wb") as copy:
            await asyncio.to_thread(shutil.copyfileobj, lines, copy)
        await run_apart("kernel.sheets", source, to)
        return to.open("rb")  # what is open stays when its folder goes


async def sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file in chunks, closed afterwards."""
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()
