"""What is done to a fresh box again and again, done once: afterwards its rows and files are laid down as they were.

A box takes part as long as nothing else was done to it: its counts of what any deed leaves must be those of the box
that was filled the first time. One of which that is not so is filled by doing it all.
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

__all__ = ["once"]

Counts = tuple[int, ...]
_COUNTED = (
    "kernel_audit",
    "kernel_idempotency",
    "kernel_job",
    "kernel_sign_in",
    "kernel_business_plugin",
    "kernel_user",
)
_EPOCHS = "SELECT coalesce(sum(value), 0) FROM kernel_epoch"
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"


@dataclass(frozen=True)
class _Done:
    """What was done to a box: its counts before and after, what came of it, and where its files and rows lie."""

    before: Counts
    after: Counts
    answer: Mapping[str, str]
    folder: Path
    rows: Mapping[str, bytes]
    """PostgreSQL: table → all its rows, for the tables that were changed. On SQLite the database is a file."""


_done: dict[tuple[Any, ...], _Done] = {}
_of: WeakKeyDictionary[Box, tuple[Any, ...]] = WeakKeyDictionary()
"""Box → all that was done to it, as long as nothing else was."""


async def once(box: Box, what: str, do: Callable[[], Awaitable[Mapping[str, str]]]) -> dict[str, str]:
    """The answer of `do`, which was done to the box now, or before to another box that was as this one is."""
    state = await _counts(box)
    known = _of.get(box, (box.deployment.database.is_postgres, tuple(box.deployment.found.plugins)))
    done = _done.get((*known, what))
    if len(known) > 2 and _done[known].after != state:
        return dict(await do())
    if done is None:
        done = _done[(*known, what)] = await _do(box, state, do)
    elif done.before != state:
        return dict(await do())
    else:
        await _lay_down(box, done)
    _of[box] = (*known, what)
    return dict(done.answer)


async def _do(box: Box, before: Counts, do: Callable[[], Awaitable[Mapping[str, str]]]) -> _Done:
    rows = await _rows(box)
    answer = dict(await do())
    changed = {table: now for table, now in (await _rows(box)).items() if now != rows[table]}
    folder = Path(tempfile.mkdtemp(dir=box.deployment.settings.home_path.parent.parent))
    shutil.copytree(box.deployment.settings.home_path, folder, dirs_exist_ok=True, ignore=_databases)
    if not box.deployment.database.is_postgres:
        _copy(_file(box), folder / "rows")
    return _Done(before, await _counts(box), answer, folder, changed)


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


async def _counts(box: Box) -> Counts:
    """Of rows that any deed leaves, and of tables."""
    statements = [f"SELECT count(*) FROM {table}" for table in _COUNTED] + [_EPOCHS]
    if box.deployment.database.is_postgres:
        async with _superuser(box) as session:
            asked = " UNION ALL ".join(
                f"SELECT ({one})::bigint" for one in [*statements, "SELECT count(*) FROM pg_class"]
            )
            return tuple(row[0] for row in await session.fetch(asked))
    statements.append("SELECT count(*) FROM sqlite_master")
    with contextlib.closing(sqlite3.connect(_file(box))) as connection:
        return tuple(connection.execute(one).fetchone()[0] for one in statements)


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
