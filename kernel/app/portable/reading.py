"""Rows out of one snapshot: as they stood at one moment, while the shops go on selling."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable.files import AT_ONCE
from kernel.app.portable.kinds import Kind, kind_of
from kernel.db import Base, Database, Phase, Transaction
from kernel.db.engine import COMMAND
from kernel.db.tables import Business
from kernel.errors import Conflict
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.work import NO_BUSINESS

VERSIONS = "_schema"
"""Ends the name of the table that keeps a lineage's revision."""


class UnknownTables(Conflict):
    """The database has tables or columns that no installed plugin knows: they would be missing from the file."""

    code, title = "unknown-tables", "There are tables that nobody knows"


@dataclass(frozen=True)
class Known:
    """A table that is there, with those of its columns that are."""

    table: sa.Table
    columns: dict[str, Kind]

    @property
    def tenant(self) -> bool:
        """Whether its rows are under the row-level security of their business."""
        return is_tenant(self.table)


@contextlib.asynccontextmanager
async def snapshot(settings: Settings, business: uuid.UUID | None = None) -> AsyncIterator[Transaction]:
    """A read-only snapshot that may last: with all the time it needs, and no lock that a sale would wait for.

    business: read as the application does, under row-level security; None: with the login that owns the tables.
    """
    postgres = settings.url.startswith("postgresql")
    url = settings.url if business else (settings.migrations_database_url or settings.url)
    role = settings.database_role if postgres and business else ""
    database = Database(url, role=role, pool_size=1, patient=True, name=COMMAND)
    try:
        transaction = await database.open(Phase.READ, business or NO_BUSINESS)
        try:
            await transaction.begin_now()
            yield transaction
        finally:
            await transaction.close()
    finally:
        await database.dispose()


def is_tenant(table: sa.Table) -> bool:
    """Whether a table's rows belong to businesses, rather than to the deployment."""
    return "business_id" in table.c and not table.info.get("global")


def tables_of(registry: Registry) -> list[sa.Table]:
    """The tables of the kernel and the plugins, those referred to before those that refer.

    Those of plugins set aside are among them, as far as their models are known: some may be kept for the law.
    """
    names = ("kernel_", *(f"{name}_" for name in (*registry.plugins, *registry.set_aside)))
    return [table for table in Base.metadata.sorted_tables if table.name.startswith(names)]


async def revisions(connection: AsyncConnection) -> dict[str, str]:
    """Lineage → the revision that the database has; of lineages whose plugin is gone, too."""
    names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    found: dict[str, str] = {}
    for name in sorted(names):
        if name.endswith(VERSIONS):
            number: sa.ColumnElement[str] = sa.column("version_num", sa.Text())
            rows = await connection.execute(sa.select(number).select_from(sa.table(name)))
            if version := rows.scalar_one_or_none():
                found[name.removesuffix(VERSIONS)] = version
    return found


async def known_tables(transaction: Transaction, registry: Registry, *, leave_out: bool = False) -> list[Known]:
    """The tables that are there, in the order of their references.

    leave_out: go on without what no installed plugin knows. Raises UnknownTables otherwise.
    """
    there = await transaction.connection.run_sync(columns_there)
    found = []
    for table in tables_of(registry):
        if table.name in there:
            columns = {c.name: kind_of(c) for c in table.c if c.name in there[table.name]}
            found.append(Known(table, columns))
    if leave_out:
        return found
    lineages = tuple(f"{name}_" for name in await revisions(transaction.connection))
    unknown = _unknown(there, {one.table.name: one.columns for one in found}, lineages)
    if unknown:
        raise UnknownTables(
            f"No installed plugin knows {', '.join(unknown)}: install it, or say --leave-out-unknown to go on without"
        )
    return found


async def sees_everything(transaction: Transaction) -> bool:
    """Whether the login of a transaction is bound by no row-level security."""
    if not transaction.database.is_postgres:
        return True
    sees = await transaction.execute(
        sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    )
    return bool(sees.scalar_one())


async def businesses(transaction: Transaction) -> list[uuid.UUID]:
    """Every business there is or was, in the order of their ids, the deployment's own trail first."""
    rows = await transaction.execute(sa.select(Business.id))
    return sorted([NO_BUSINESS, *rows.scalars()], key=lambda one: one.bytes)


async def all_rows(
    transaction: Transaction, known: Known, among: Iterable[uuid.UUID] | None
) -> AsyncGenerator[Sequence[sa.Row[*tuple[Any, ...]]]]:
    """Every row of a table, in batches, in the order of its key.

    among: where row-level security binds, the businesses to read one after the other.
    """
    if among is None or not known.tenant:
        async for batch in rows_of(transaction, known, sa.true()):
            yield batch
        return
    for business in among:
        await transaction.enter_business(business)
        async for batch in rows_of(transaction, known, known.table.c.business_id == business):
            yield batch


def rows_of(
    transaction: Transaction, known: Known, where: sa.ColumnElement[bool]
) -> AsyncGenerator[Sequence[sa.Row[*tuple[Any, ...]]]]:
    """Some rows of a table, in batches, in an order that is the same on both databases."""
    return rows_in(transaction.connection, known, where)


async def rows_in(
    connection: AsyncConnection, known: Known, where: sa.ColumnElement[bool]
) -> AsyncGenerator[Sequence[sa.Row[*tuple[Any, ...]]]]:
    """As `rows_of`, on a connection."""
    table = known.table
    keys = [_bytewise(key, connection) for key in table.primary_key.columns]
    statement = sa.select(*(table.c[name] for name in known.columns)).where(where).order_by(*keys)
    async with connection.stream(statement.execution_options(yield_per=AT_ONCE)) as result:
        async for batch in result.partitions():
            yield batch


def _bytewise(key: sa.Column[Any], connection: AsyncConnection) -> sa.ColumnElement[Any]:
    is_text = isinstance(key.type, sa.String) and connection.dialect.name == "postgresql"
    return sa.collate(key, "C") if is_text else key


def columns_there(sync: sa.Connection) -> dict[str, set[str]]:
    """Table → its columns, of every table that is there."""
    found = sa.inspect(sync).get_multi_columns()
    return {name: {one["name"] for one in columns} for (_, name), columns in found.items()}


def _unknown(there: dict[str, set[str]], known: dict[str, dict[str, Kind]], lineages: tuple[str, ...]) -> list[str]:
    """Tables and columns that are there and not known, of lineages that are Duka's."""
    odd = []
    for name in sorted(there):
        if name.endswith(VERSIONS) or not name.startswith(lineages):
            continue
        odd += [f"{name}.{column}" for column in sorted(there[name] - known[name].keys())] if name in known else [name]
    return odd
