"""Rows into tables, with the login that owns them: in the order of their references, in one transaction.

Row-level security binds that login too unless it is a superuser, so the business is set for each run of its rows. A
table that refers to itself has that reference checked at the end.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable.kinds import TYPES, Kind
from kernel.db.engine import LOCK_SPACE
from kernel.db.owner import engine_for

Row = dict[str, Any]


@asynccontextmanager
async def loading(url: str, own: Collection[str] | None = None) -> AsyncIterator[AsyncConnection]:
    """One transaction into which rows are loaded; commits when the block ends well and every reference holds.

    own: the tables that are loaded, where others are in use meanwhile and must not be locked.
    """
    engine = engine_for(url)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_SPACE + 1}, 0)")
                deferred = await _defer(connection, own)
                yield connection
                await _check_at_once(connection, deferred)
            else:
                yield connection
                await _check_references(connection)
    finally:
        await engine.dispose()


async def load(
    connection: AsyncConnection,
    table: str,
    columns: Mapping[str, Kind],
    batches: Iterable[Sequence[Row]],
    *,
    tenant: bool,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Insert the rows of a table; returns how many."""
    into = sa.insert(sa.table(table, *(sa.column(name, TYPES[kind]) for name, kind in columns.items())))
    count = 0
    for rows in batches:
        for business, some in _by_business(rows, tenant and connection.dialect.name == "postgresql"):
            if business is not None:
                await enter(connection, business)
            await connection.execute(into, some)
        count += len(rows)
        if progress:
            progress(len(rows))
    return count


async def enter(connection: AsyncConnection, business: uuid.UUID) -> None:
    """Let the rows of a business be seen and written from here on (PostgreSQL)."""
    await connection.execute(sa.select(sa.func.set_config("app.business", str(business), True)))


def _by_business(rows: Sequence[Row], tenant: bool) -> Iterator[tuple[uuid.UUID | None, list[Row]]]:
    if not tenant:
        if rows:
            yield None, list(rows)
        return
    for business, some in itertools.groupby(rows, key=lambda row: row["business_id"]):
        yield business, list(some)


async def _defer(connection: AsyncConnection, own: Collection[str] | None) -> list[tuple[str, str]]:
    found = await connection.execute(
        sa.text(
            "SELECT quote_ident(t.relname), quote_ident(c.conname) FROM pg_constraint c"
            " JOIN pg_class t ON t.oid = c.conrelid WHERE c.contype = 'f' AND c.conrelid = c.confrelid"
            " AND NOT c.condeferrable AND t.relnamespace = 'public'::regnamespace"
        )
    )
    deferred = [(row[0], row[1]) for row in found.all() if own is None or row[0] in own]
    for table, constraint in deferred:
        await connection.exec_driver_sql(
            f"ALTER TABLE {table} ALTER CONSTRAINT {constraint} DEFERRABLE INITIALLY DEFERRED"
        )
    return deferred


async def _check_at_once(connection: AsyncConnection, deferred: list[tuple[str, str]]) -> None:
    await connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table, constraint in deferred:
        await connection.exec_driver_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {constraint} NOT DEFERRABLE")


async def _check_references(connection: AsyncConnection) -> None:
    hanging = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if hanging:
        raise LookupError(f"rows refer to others that are not there: {[tuple(one) for one in hanging[:3]]}")
