"""What is done to a fresh box again and again, done once: afterwards its rows and files are laid down as they were.

A box takes part as long as nothing else was written to it. Any other is filled by doing it all.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg

from kernel.testing.box import Box
from kernel.testing.recycling import is_as_new

__all__ = ["once"]

Chain = tuple[Any, ...]
_NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"


@dataclass(frozen=True)
class _Done:
    """What was done to a box: what came of it, and where its files and rows lie."""

    answer: Mapping[str, str]
    folder: Path
    rows: Mapping[str, bytes]
    """PostgreSQL: table → all its rows, for the tables that were changed. On SQLite the database is a file."""


_done: dict[Chain, _Done] = {}
_of: WeakKeyDictionary[Box, tuple[Chain, object]] = WeakKeyDictionary()
"""Box → all that was done to it, and the mark of its last write."""


async def once(box: Box, what: str, do: Callable[[], Awaitable[Mapping[str, str]]]) -> dict[str, str]:
    """The answer of `do`, which was done to the box now, or before to another box that was as this one is."""
    chain = await _chain(box)
    if chain is None:
        return dict(await do())
    chain = (*chain, what)
    if done := _done.get(chain):
        await _lay_down(box, done)
    else:
        done = _done[chain] = await _do(box, do)
    _of[box] = chain, await _last_write(box)
    return dict(done.answer)


async def _chain(box: Box) -> Chain | None:
    """All that was done to a box; None where something else was."""
    chain, mark = _of.get(box, (None, None))
    if chain is not None:
        return chain if mark == await _last_write(box) else None
    if not is_as_new(box.deployment.settings.url):
        return None
    return (box.deployment.database.is_postgres, tuple(box.deployment.found.plugins))


async def _last_write(box: Box) -> object:
    """What is another after each write: where SQLite's log ends, or the number of PostgreSQL's next transaction."""
    if not box.deployment.database.is_postgres:
        log = Path(f"{_file(box)}-wal")
        files = [one.stat() for one in (log, _file(box)) if one.exists()]
        return [(one.st_size, one.st_mtime_ns) for one in files]
    async with _superuser(box) as session:
        return await session.fetchval(_NEXT)


async def _do(box: Box, do: Callable[[], Awaitable[Mapping[str, str]]]) -> _Done:
    rows = await _rows(box)
    answer = dict(await do())
    changed = {table: now for table, now in (await _rows(box)).items() if now != rows[table]}
    folder = Path(tempfile.mkdtemp(dir=box.deployment.settings.home_path.parent.parent))
    shutil.copytree(box.deployment.settings.home_path, folder, dirs_exist_ok=True, ignore=_databases)
    if not box.deployment.database.is_postgres:
        _copy(_file(box), folder / "rows")
    return _Done(answer, folder, changed)


async def _lay_down(box: Box, done: _Done) -> None:
    shutil.copytree(done.folder, box.deployment.settings.home_path, dirs_exist_ok=True, ignore=_databases)
    if not box.deployment.database.is_postgres:
        _copy(done.folder / "rows", _file(box))
        return
    async with _superuser(box) as session, session.transaction():
        await session.execute("SET LOCAL session_replication_role = replica")
        await session.execute("; ".join(f"DELETE FROM {table}" for table in done.rows))
        for table, rows in done.rows.items():
            await session.copy_to_table(table, source=io.BytesIO(rows), format="binary")


async def _rows(box: Box) -> dict[str, bytes]:
    if not box.deployment.database.is_postgres:
        return {}
    async with _superuser(box) as session:
        return {table: await _copied(session, table) for (table,) in await session.fetch(_TABLES)}


async def _copied(session: asyncpg.Connection[asyncpg.Record], table: str) -> bytes:
    into = io.BytesIO()
    await session.copy_from_table(table, output=into, format="binary")
    return into.getvalue()


@contextlib.asynccontextmanager
async def _superuser(box: Box) -> Any:
    session = await asyncpg.connect(box.deployment.settings.url.replace("+asyncpg", ""))
    try:
        yield session
    finally:
        await session.close()


def _file(box: Box) -> Path:
    return Path(box.deployment.settings.url.partition(":///")[2])


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _databases(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if ".sqlite3" in name or name == "rows" or name.endswith(".lock")]
