"""The portable file: `manifest.json`, `tables/<name>.jsonl` and `home/<name>` in a zip, each with its SHA-256.

It is written as a stream beside its place, and takes its name only once it is whole and on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import io
import os
import uuid
import zipfile
import zlib
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from kernel.app.portable.keys import KeySaid
from kernel.app.portable.kinds import Kind, line_of, row_of
from kernel.errors import Conflict

T = TypeVar("T")
BACKUP, ARCHIVE, PLUGIN = "duka-backup/1", "duka-archive/1", "duka-plugin/1"
MANIFEST = "manifest.json"
AT_ONCE = 1000
_BUFFER = 1_048_576
_LEVEL = 4


class FileFault(Conflict):
    """A file that is not what it should be: cut short, altered, of another kind, or from a newer Duka."""

    code, title = "file-fault", "The file cannot be used"


class TableSaid(msgspec.Struct, frozen=True):
    """What a manifest says of a table. tenant: its rows are under the row-level security of their business."""

    rows: int
    sha256: str
    columns: dict[str, Kind]
    tenant: bool


class BusinessSaid(msgspec.Struct, frozen=True):
    """Whose archive it is."""

    id: uuid.UUID
    slug: str
    name: str
    currency: str


class FileSaid(msgspec.Struct, frozen=True):
    """What a manifest says of a file that lay beside the database."""

    bytes: int
    sha256: str


class PluginSaid(msgspec.Struct, frozen=True):
    """Whose tables it holds, and what they were like in their database: table → lines, see `kernel.app.uninstalling`.

    businesses: id → slug, of all that were there.
    """

    name: str
    version: str
    title: str
    database: str
    shape: dict[str, list[str]]
    businesses: dict[uuid.UUID, str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. schema: lineage → the revision its tables had. tables: those referred to come first.

    files: what lay below home. secret: of a backup, under which secret key it was taken.
    """

    format: str
    duka: str
    made_at: dt.datetime
    schema: dict[str, str]
    plugins: dict[str, str]
    tables: dict[str, TableSaid]
    business: BusinessSaid | None = None
    files: dict[str, FileSaid] = {}
    secret: KeySaid | None = None
    plugin: PluginSaid | None = None

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(one.rows for one in self.tables.values())


class Writer:
    """Writes tables one after the other, a batch of rows at a time, then the manifest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self.tables: dict[str, TableSaid] = {}
        self.files: dict[str, FileSaid] = {}

    async def table(
        self,
        name: str,
        columns: Mapping[str, Kind],
        batches: AsyncIterable[Sequence[Sequence[Any]]],
        *,
        tenant: bool,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Write a table; each row has its values in the order of the columns."""
        names, count, digest = tuple(columns), 0, hashlib.sha256()
        with self._zip.open(_entry(name), "w", force_zip64=True) as entry:
            async for rows in batches:
                lines = b"".join(line_of(names, row) for row in rows)
                digest.update(lines)
                await _in_thread(entry.write, lines)
                count += len(rows)
                if progress:
                    progress(len(rows))
        self.tables[name] = TableSaid(count, digest.hexdigest(), dict(columns), tenant)

    async def file(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file that lies beside the database."""
        size, digest = 0, hashlib.sha256()
        with self._zip.open(_beside(name), "w", force_zip64=True) as entry:
            for piece in pieces:
                digest.update(piece)
                await _in_thread(entry.write, piece)
                size += len(piece)
        self.files[name] = FileSaid(size, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the zip's directory."""
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        self._zip.close()


class Reader:
    """Reads a portable file. Raises FileFault for one that is not whole, not of a known format, or altered.

    file: the open file of one that has not got its name yet.
    """

    def __init__(self, path: Path, format_: str, file: IO[bytes] | None = None) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(file or path)
            raw = self._zip.read(MANIFEST)
            said = msgspec.json.decode(raw, type=_Format).format
        except (zipfile.BadZipFile, KeyError, zlib.error, NotImplementedError, msgspec.DecodeError, EOFError) as fault:
            raise FileFault(f"{path} is no whole file of Duka's: {fault}") from fault
        if said != format_:
            raise FileFault(f"{path} is a {said}; a {format_} is needed")
        try:
            self.manifest = msgspec.json.decode(raw, type=Manifest)
        except msgspec.DecodeError as fault:
            raise FileFault(f"{path}: {MANIFEST}: {fault}") from fault
        self._check_names()

    def verify(self, progress: Callable[[int], None] | None = None) -> None:
        """Read every table and compare it with the manifest. Raises FileFault naming the first that differs."""
        for name in self.manifest.tables:
            for rows in self.batches(name):
                if progress:
                    progress(len(rows))
        for name in self.manifest.files:
            for _ in self.lines(name):
                pass

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file that lay beside the database. Raises FileFault, at its end at the latest, as above."""
        said, digest = self.manifest.files[name], hashlib.sha256()
        try:
            with self._zip.open(_beside(name)) as entry, io.BufferedReader(entry, _BUFFER) as lines:  # type: ignore[type-var]
                for line in lines:
                    digest.update(line)
                    yield line
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
            raise FileFault(f"{self.path}: {name} is damaged: {fault}") from fault
        if digest.hexdigest() != said.sha256:
            raise FileFault(f"{self.path}: {name} is not what was written")

    def batches(self, name: str) -> Iterator[list[dict[str, Any]]]:
        """The rows of a table. Raises FileFault, at its end at the latest, when they are not what was written."""
        said = self.manifest.tables[name]
        count, digest = 0, hashlib.sha256()
        rows: list[dict[str, Any]] = []
        try:
            with self._zip.open(_entry(name)) as entry, io.BufferedReader(entry, _BUFFER) as lines:  # type: ignore[type-var]
                for line in lines:
                    digest.update(line)
                    count += 1
                    rows.append(row_of(line, said.columns))
                    if len(rows) == AT_ONCE:
                        yield rows
                        rows = []
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError) as fault:
            raise FileFault(f"{self.path}: the table {name} is damaged: {fault}") from fault
        if (count, digest.hexdigest()) != (said.rows, said.sha256):
            raise FileFault(
                f"{self.path}: the table {name} is not what was written: it has {count} rows and the SHA-256"
                f" {digest.hexdigest()}, the manifest says {said.rows} and {said.sha256}"
            )
        yield rows

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def _check_names(self) -> None:
        found = sorted(self._zip.namelist())
        said = sorted([MANIFEST, *map(_entry, self.manifest.tables), *map(_beside, self.manifest.files)])
        if found != said:
            odd = next(iter(set(found) ^ set(said)), "a name stands twice")
            raise FileFault(f"{self.path}: what it holds is not what its manifest lists: {odd}")


class _Format(msgspec.Struct, frozen=True):
    format: str


@contextlib.contextmanager
def arriving(path: Path, *, replace: bool = False) -> Iterator[io.BufferedRandom]:
    """A file that gets its name when the block ends well, whole and on disk; otherwise nothing is left of it.

    Only its owner can read it. Raises FileExistsError when the name is taken, unless it may be replaced.
    """
    _free(path, replace)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _free(path, replace)
        os.replace(part, path)
        _on_disk(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _free(path: Path, replace: bool) -> None:
    if path.exists() and not replace:
        raise FileExistsError(f"{path} is there already; choose another name, or say --replace")


def _on_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entry(table: str) -> str:
    return f"tables/{table}.jsonl"


def _beside(name: str) -> str:
    return f"home/{name}"


async def _in_thread(run: Callable[..., T], *args: Any) -> T:
    """Run in a thread; who is cancelled waits for it, so that nothing is closed under its hands."""
    task = asyncio.ensure_future(asyncio.to_thread(run, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
