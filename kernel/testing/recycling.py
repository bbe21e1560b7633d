"""Copies of a template on PostgreSQL that are used again: to make and drop one for each test took a third of its time.

A copy that is given back is made as its template again: rows are deleted, those of the template put back. Where that
would not be enough (a column, trigger, policy, function or figure of the planner is another, or somebody is still
connected) it is dropped, and the next test is given a new one.
"""

# ruff: noqa: S608 - names of tables, in databases that live for one run

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import io
import itertools
import shutil
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import asyncpg

from kernel.testing.servers import PORT, Postgres

__all__ = ["Copies", "copied", "is_as_new", "may_find"]

T = TypeVar("T")
_numbers = itertools.count(1)
PATIENCE_S: Final = 0.2
"""How long the sessions of a test that has ended may take to end as well; where they take longer, it costs a copy."""

LARGE: Final = 8 * 8192
"""Bytes of a table's file beyond which it is begun anew: from 10 pages on PostgreSQL plans otherwise than when new."""

FEW: Final = 6
"""Tables that are begun anew rather than the whole copy: each costs some files."""

_LOST: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What becomes of a session that somebody has ended."""

_CATALOGS: Final = (
    *("pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_trigger", "pg_policy", "pg_proc", "pg_type"),
    *("pg_namespace", "pg_statistic", "pg_event_trigger", "pg_extension", "pg_default_acl"),
)
"""What is written to wherever anything but rows is changed."""

_TABLES: Final = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
_LARGE: Final = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND pg_relation_size(oid) > $1"""
_REFERRING: Final = """
    WITH RECURSIVE found AS (
        SELECT quote_ident(name)::regclass::oid AS oid FROM unnest($1::text[]) name
        UNION SELECT conrelid FROM pg_constraint JOIN found ON confrelid = found.oid AND contype = 'f')
    SELECT relname FROM found JOIN pg_class ON pg_class.oid = found.oid"""
_OTHERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_NEXT: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint % 4294967296"
_SESSION: Final = {
    "session_replication_role": "replica",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "application_name": "duka tests",
}
"""As replica: neither append-only tables nor foreign keys stand in the way of who makes a copy as it was."""


@dataclass
class _Template:
    """What a new copy holds: table → its rows as PostgreSQL copies them; none for an empty one."""

    name: str
    rows: dict[str, bytes]
    may_be_restored: bool
    """Not where something counts on, as sequences do, whatever becomes of the rows."""


@dataclass
class _Copy:
    """One database, and the session by which it is made as it was."""

    name: str
    template: _Template
    session: asyncpg.Connection[asyncpg.Record]
    counts: dict[str, int]
    """Of its catalogs and of the tables that are not empty in the template."""

    since: int = 0
    """The first transaction that is none of ours, modulo 2³²."""


class Copies:
    """Databases of one server, each a copy of some template while it is taken."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._templates: dict[str, _Template] = {}
        self._idle: dict[str, list[_Copy]] = {}
        self._taken: dict[str, _Copy] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="copies of databases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        _OPEN.append(self)
        return self

    def __exit__(self, *raised: object) -> None:
        _OPEN.remove(self)
        self._wait_for(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def take(self, template: str) -> str:
        """The URL of a database that is as the template, and nobody else's until it is given back."""
        return self._wait_for(self._take(template))

    def give_back(self, url: str) -> bool:
        """Make it as it was, for the next; whether it is used again. Who is still connected is thrown out."""
        return self._wait_for(self._give_back(self._taken.pop(url)))

    def may_find(self, url: str, statements: Iterable[str]) -> bool:
        """As the function of this name."""
        return self._wait_for(self._find(self._taken[url], list(statements)))

    def is_as_new(self, url: str) -> bool:
        """As the function of this name."""
        return not self._wait_for(_changed(self._taken[url]))

    def __contains__(self, url: str) -> bool:
        return url in self._taken

    async def _take(self, template: str) -> str:
        idle = self._idle.setdefault(template, [])
        copy = idle.pop() if idle else await self._make(template)
        url = self._server.url(copy.name)
        self._taken[url] = copy
        return url

    async def _make(self, template: str) -> _Copy:
        name = f"box_{next(_numbers)}"
        await self._server.create_database(name, template=template)
        session = await asyncpg.connect(
            host=str(self._server.socket_dir),
            port=PORT,
            user="postgres",
            database=name,
            server_settings=_SESSION,
            max_cacheable_statement_size=0,
        )
        known = self._templates.get(template)
        if known is None:
            counts_on = await session.fetchval("SELECT EXISTS (SELECT FROM pg_sequence)")
            known = self._templates[template] = _Template(template, await _rows(session), not counts_on)
        watched = (*_CATALOGS, *(table for table, rows in known.rows.items() if rows))
        counts = {one: await session.fetchval(f'SELECT count(*) FROM "{one}"') for one in watched}
        return _Copy(name, known, session, counts, await session.fetchval(_NEXT))

    async def _give_back(self, copy: _Copy) -> bool:
        is_as_it_was = False
        with contextlib.suppress(*_LOST):
            is_as_it_was = copy.template.may_be_restored and await _is_alone(copy) and await _restore(copy)
        if is_as_it_was:
            self._idle[copy.template.name].append(copy)
        else:
            await self._drop(copy)
        return is_as_it_was

    async def _find(self, copy: _Copy, statements: list[str]) -> bool:
        try:
            if await copy.session.fetch(_LARGE, LARGE):  # statements planned for small tables would take their time
                return True
            return any([await copy.session.fetch(statement) for statement in statements])
        except _LOST:
            return True

    async def _drop(self, copy: _Copy) -> None:
        copy.session.terminate()
        await self._server.drop_database(copy.name)

    async def _close(self) -> None:
        for copy in (*self._taken.values(), *itertools.chain(*self._idle.values())):
            await self._drop(copy)

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


_OPEN: list[Copies] = []
_files: dict[str, tuple[Path, Path]] = {}
"""URL of a database on SQLite → its file, and the template of which that is a copy."""


@contextlib.contextmanager
def copied(template: Path, file: Path) -> Iterator[str]:
    """Copy a template on SQLite; the URL of the copy, which is known as such until the end."""
    shutil.copy(template, file)
    url = f"sqlite+aiosqlite:///{file}"
    _files[url] = file, template
    try:
        yield url
    finally:
        del _files[url]


def may_find(url: str, statements: Iterable[str]) -> bool:
    """Whether any of some statements may return a row of a database, to one who sees all: if not, certainly not.

    Asked by a session that has asked the same of the database before, so that PostgreSQL need not plan it again.
    """
    return next((copies.may_find(url, statements) for copies in _OPEN if url in copies), True)


def is_as_new(url: str) -> bool:
    """Whether nothing at all was written since a test was given this database; False where that is not known."""
    if url in _files:
        file, template = _files[url]
        log = file.with_name(f"{file.name}-wal")
        return not (log.exists() and log.stat().st_size) and filecmp.cmp(file, template, shallow=False)
    return next((copies.is_as_new(url) for copies in _OPEN if url in copies), False)


async def _rows(session: asyncpg.Connection[asyncpg.Record]) -> dict[str, bytes]:
    return {row[0]: await _copied(session, row[0]) for row in await session.fetch(_TABLES)}


async def _copied(session: asyncpg.Connection[asyncpg.Record], table: str) -> bytes:
    if not await session.fetchval(f'SELECT EXISTS (SELECT FROM "{table}")'):
        return b""
    into = io.BytesIO()
    await session.copy_from_table(table, output=into, format="binary")
    return into.getvalue()


async def _is_alone(copy: _Copy) -> bool:
    """Whether nobody else is connected; a session that was closed is gone a moment later."""
    end = time.monotonic() + PATIENCE_S
    while await copy.session.fetchval(_OTHERS):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.001)
    return True


async def _restore(copy: _Copy) -> bool:
    """Make the rows those of the template; False where more than rows has changed, or too much."""
    changed = await _changed(copy)
    if changed & set(_CATALOGS):
        return False
    large = [row[0] for row in await copy.session.fetch(_LARGE, LARGE)]
    anew = {row[0] for row in await copy.session.fetch(_REFERRING, large)} if large else set()
    if len(anew) > FEW:
        return False
    if anew:
        await copy.session.execute(f"TRUNCATE {_listed(anew)}")
    if only_rows := changed - anew:
        await copy.session.execute("; ".join(f'DELETE FROM "{table}"' for table in only_rows))
    for table in changed | anew:
        if rows := copy.template.rows[table]:
            await copy.session.copy_to_table(table, source=io.BytesIO(rows), format="binary")
    if changed or anew:
        copy.since = await copy.session.fetchval(_NEXT)
    return True


async def _changed(copy: _Copy) -> set[str]:
    """The catalogs and tables that are not as when the copy was last made as its template."""
    parts = [
        f"SELECT '{one}' FROM \"{one}\" HAVING count(*) <> {count} OR bool_or(age(xmin) <= age($1::text::xid))"
        for one, count in copy.counts.items()
    ]
    empty = [table for table, rows in copy.template.rows.items() if not rows]
    parts += [f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in empty]
    return {row[0] for row in await copy.session.fetch(" UNION ALL ".join(parts), str(copy.since))}


def _listed(tables: Iterable[str]) -> str:
    return ", ".join(f'"{table}"' for table in tables)
