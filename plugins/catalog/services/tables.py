"""Files of tables between requests and the process that reads and writes them (`sheets`)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from kernel.sheets import SheetRefused, run_apart
from kernel.web import TABLE_TYPES
from kernel.wire import Upload
from plugins.catalog.errors import TableRefused
from plugins.catalog.services.forms import FORMS, Header

KINDS = {media_type: kind for kind, media_type in TABLE_TYPES.items()}
LONGEST_S = 120.0
IN_MEMORY = 1_048_576


class Table:
    """A table that was read: its columns, and its rows from a file in a folder that is removed at the end."""

    def __init__(self, file: Path, form: str) -> None:
        self._file = file
        self._decode = msgspec.json.Decoder(FORMS[form].row).decode
        with file.open("rb") as lines:
            self.columns = msgspec.json.decode(lines.readline(), type=Header).columns

    async def batches(self, size: int) -> AsyncIterator[list[Any]]:
        """The rows, so many at once."""
        with self._file.open("rb") as lines:
            lines.readline()
            while batch := await asyncio.to_thread(self._decoded, lines, size):
                yield batch

    def _decoded(self, lines: IO[bytes], size: int) -> list[Any]:
        return [self._decode(line) for line in itertools.islice(lines, size)]


@contextlib.asynccontextmanager
async def read_table(upload: Upload, form: str) -> AsyncIterator[Table]:
    """An uploaded table of a form, read and checked cell by cell. Raises TableRefused."""
    with _folder() as folder:
        source, to = folder / "table", folder / "rows"
        with source.open("wb") as copy:
            await asyncio.to_thread(shutil.copyfileobj, upload.file, copy)
        await _run(form, KINDS[upload.media_type], source, to)
        yield Table(to, form)


def lines_file() -> IO[bytes]:
    """A file for the lines of a table that is written out: in memory while it is small."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


async def _run(deed: str, kind: str, source: Path, to: Path) -> None:
    try:
        await run_apart("plugins.catalog.services.sheets", deed, kind, source, to)
    except SheetRefused as refusal:
        raise TableRefused(str(refusal)) from refusal


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="duka-table-") as folder:
        yield Path(folder)
