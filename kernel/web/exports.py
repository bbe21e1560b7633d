"""Exports: rows as CSV that no spreadsheet takes for formulas, as JSON lines, and the file they are gathered in.

A file is filled as fast as the database reads, and sent when it is whole: a slow receiver holds no connection.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO

import msgspec

from kernel.cells import csv_cell

_IN_MEMORY = 1_048_576
CHUNK = 65_536


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


async def sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file in chunks, closed afterwards."""
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
    finally:
        file.close()
