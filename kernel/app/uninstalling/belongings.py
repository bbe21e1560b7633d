"""What belongs to a plugin: its tables, and its rows in tables of the kernel.

A table is the plugin's whose models declare it; one without a model is that of the longest plugin's name it begins
with, so that `sales_extra_note` is never taken for a table of `sales`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable.kinds import kind_of, line_of
from kernel.app.portable.loading import enter
from kernel.app.portable.reading import Known, UnknownTables, columns_there, revisions, rows_in
from kernel.app.uninstalling.ground import is_postgres
from kernel.db import Base
from kernel.db.base import table_of
from kernel.db.tables import Business, BusinessPlugin, DeploymentSetting, Job, JobPayload, LocationSetting, Schedule
from kernel.registry import Loaded, Registry, owner_of
from kernel.work import NO_BUSINESS

Batches = AsyncGenerator[Sequence[sa.Row[*tuple[Any, ...]]]]
Among = list[uuid.UUID] | None
"""The businesses to enter one after the other; None where the login sees all rows at once."""


@dataclass(frozen=True)
class Share:
    """Rows of a table that belong to the plugin: all of its own, some of the kernel's."""

    known: Known
    where: sa.ColumnElement[bool]

    @property
    def name(self) -> str:
        """The table's."""
        return str(self.known.table.name)


@dataclass(frozen=True)
class Fingerprint:
    """How many rows there are, and the SHA-256 of their lines in the order of their keys."""

    rows: int
    sha256: str


async def tables_of(connection: AsyncConnection, registry: Registry, loaded: Loaded) -> list[Known]:
    """The plugin's tables that are there, those referred to first, the one of its revision left out.

    Raises UnknownTables for a table or column that its models do not know: it would be missing from an archive.
    """
    there = await connection.run_sync(columns_there)
    names = {"kernel", *registry.plugins, *registry.set_aside, *await revisions(connection)}
    declared = _declared(registry)
    own = {
        table: columns
        for table, columns in there.items()
        if declared.get(table, owner_of(table, names)) == loaded.name and table != f"{loaded.name}_schema"
    }
    known = [
        Known(table, {one.name: kind_of(one) for one in table.c if one.name in own[table.name]})
        for table in Base.metadata.sorted_tables
        if table.name in own
    ]
    odd = sorted(own.keys() - {one.table.name for one in known})
    odd += [f"{one.table.name}.{c}" for one in known for c in sorted(own[one.table.name] - one.columns.keys())]
    if odd:
        raise UnknownTables(f"The code of {loaded.name} {loaded.manifest.version} does not know {', '.join(odd)}")
    return known


def kernel_shares(plugin: str) -> list[Share]:
    """What of the kernel's tables goes with a plugin: that a business had it; what is set at any level; its jobs.

    Grants of its permissions stay: they are names in a role's list, and mean nothing while it is not there.
    """
    own_job = sa.exists().where(
        Job.business_id == JobPayload.business_id, Job.id == JobPayload.job_id, Job.plugin == plugin
    )
    return [
        _share(BusinessPlugin, BusinessPlugin.plugin == plugin),
        _share(DeploymentSetting, DeploymentSetting.plugin == plugin),
        _share(LocationSetting, LocationSetting.plugin == plugin),
        _share(Job, Job.plugin == plugin),
        _share(JobPayload, own_job),
    ]


async def delete_kernel_shares(connection: AsyncConnection, plugin: str, among: Among) -> None:
    """Delete them, and the schedules, which are made anew when it is enabled."""
    for share in reversed(kernel_shares(plugin)):
        table = share.known.table
        for business in among if among is not None and share.known.tenant else [None]:
            where = share.where
            if business is not None:
                await enter(connection, business)
                where = sa.and_(where, table.c.business_id == business)
            await connection.execute(sa.delete(table).where(where))
    await connection.execute(sa.delete(Schedule).where(Schedule.job.startswith(f"{plugin}.", autoescape=True)))


async def references(connection: AsyncConnection, own: Iterable[str]) -> list[tuple[str, str]]:
    """References into some tables: the table they start from, and the path in words."""
    wanted = set(own)
    found = await connection.run_sync(lambda sync: sa.inspect(sync).get_multi_foreign_keys())
    return sorted(
        (table, f"{table}({', '.join(key['constrained_columns'])}) → {key['referred_table']}")
        for (_, table), keys in found.items()
        for key in keys
        if key["referred_table"] in wanted
    )


async def businesses(connection: AsyncConnection) -> dict[uuid.UUID, str]:
    """Id → slug, of every business there is; not of those that were deleted."""
    rows = await connection.execute(sa.select(Business.id, Business.slug).where(Business.deleted_at.is_(None)))
    return {row.id: row.slug for row in rows.all()}


async def among(connection: AsyncConnection) -> Among:
    """The businesses to enter, where row-level security binds the login."""
    if not is_postgres(connection):
        return None
    sees = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    if (await connection.exec_driver_sql(sees)).scalar_one():
        return None
    rows = await connection.execute(sa.select(Business.id))
    return sorted([NO_BUSINESS, *rows.scalars()], key=lambda one: one.bytes)


async def rows_of(connection: AsyncConnection, share: Share, businesses: Among) -> Batches:
    """The rows, in the order of their keys; `aclosing` is the caller's."""
    if businesses is None or not share.known.tenant:
        async for batch in rows_in(connection, share.known, share.where):
            yield batch
        return
    for business in businesses:
        await enter(connection, business)
        here = sa.and_(share.where, share.known.table.c.business_id == business)
        async for batch in rows_in(connection, share.known, here):
            yield batch


async def fingerprint(
    connection: AsyncConnection, share: Share, businesses: Among, progress: Callable[[int], None] | None = None
) -> Fingerprint:
    """The fingerprint of what stands in a table, the same as an archive's of the same rows."""
    names, count, digest = tuple(share.known.columns), 0, hashlib.sha256()
    async for batch in rows_of(connection, share, businesses):
        digest.update(b"".join(line_of(names, row) for row in batch))
        count += len(batch)
        if progress:
            progress(len(batch))
    if is_postgres(connection):
        await connection.exec_driver_sql("CLOSE ALL")  # a cursor that was read to its end still holds its table
    return Fingerprint(count, digest.hexdigest())


def own_share(known: Known) -> Share:
    """All rows of a table."""
    return Share(known, sa.true())


def _share(model: type[Base], where: sa.ColumnElement[bool]) -> Share:
    table = table_of(model)
    return Share(Known(table, {one.name: kind_of(one) for one in table.c}), where)


def _declared(registry: Registry) -> dict[str, str]:
    """Table → the plugin whose models declare it."""
    packages = {one.package: one.name for one in registry.in_order()}
    found = {}
    for mapper in Base.registry.mappers:
        module = mapper.class_.__module__
        package = max((one for one in packages if module.startswith(f"{one}.")), key=len, default=None)
        if package is not None and isinstance(mapper.local_table, sa.Table):
            found[mapper.local_table.name] = packages[package]
    return found
