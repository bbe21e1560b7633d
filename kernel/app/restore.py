"""A backup brought back: verified whole, then loaded into an empty database in one transaction, then checked.

Interrupted, the database is as empty as before: the tables may be there, no row is. The backup may come from the other
database.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.backup import Progress
from kernel.app.home import KeyFound, bring_anchors, key_found
from kernel.app.portable import FileFault, Manifest, Reader
from kernel.app.portable.files import BACKUP
from kernel.app.portable.loading import enter, load, loading
from kernel.app.portable.reading import VERSIONS, revisions
from kernel.app.prepare import lineages
from kernel.audit import Report, Sealer, verify
from kernel.auth import look
from kernel.auth.identity import standing_of_business
from kernel.db.owner import engine_for
from kernel.errors import Conflict
from kernel.invariants import broken
from kernel.migrate import Migrator
from kernel.registry import Registry, owner_of
from kernel.work import NO_BUSINESS, Deployment


class NotEmpty(Conflict):
    """The database to restore into holds rows."""

    code, title = "not-empty", "The database is not empty"


class Restored(msgspec.Struct, frozen=True):
    """What came back, and what checking it found: invariants that do not hold, the report of each audit chain.

    anchors: how many were added to the file below home. key: how the backup's secret key stands to the one here.
    """

    manifest: Manifest
    migrated: list[str]
    broken: list[str]
    chains: list[Report]
    anchors: int
    key: KeyFound

    @property
    def is_sound(self) -> bool:
        """Whether nothing wrong was found."""
        return not self.broken and not any(one.first for one in self.chains)


async def restore(deployment: Deployment, path: Path, *, progress: Progress | None = None) -> Restored:
    """Restore a backup. Raises FileFault for a file that is damaged or newer, NotEmpty for a database with rows."""
    reader = Reader(path, BACKUP)
    try:
        manifest = reader.manifest
        tell = progress or (lambda _what, _rows, _total: None)
        check_schema(manifest, deployment.registry)
        reader.verify(_told(tell, "verifying", manifest.rows))
        settings = deployment.settings
        url = settings.migrations_database_url or settings.url
        await refuse_unless_empty(url)
        migrator = Migrator(url, lineages(deployment.registry), deployment.database.role)
        await migrator.upgrade(manifest.schema)
        async with loading(url) as connection:
            await _refuse_rows(connection)
            await _refuse_newer(connection, manifest)
            for name, said in manifest.tables.items():
                told = _told(tell, "restoring", manifest.rows)
                await load(connection, name, said.columns, reader.batches(name), tenant=said.tenant, progress=told)
        anchors = bring_anchors(settings, reader)
    finally:
        reader.close()
    migrated = await migrator.upgrade()
    key = key_found(settings, manifest, deployment.secret)
    return Restored(manifest, migrated, await broken(deployment), await chains(deployment), anchors, key)


def check_schema(manifest: Manifest, registry: Registry) -> None:
    """Raise FileFault unless every revision of the file is known here."""
    known = {one.name: {script.revision for script in one.script().walk_revisions()} for one in lineages(registry)}
    for name, revision in manifest.schema.items():
        if name not in known:
            rows = sum(said.rows for table, said in manifest.tables.items() if owner_of(table, manifest.schema) == name)
            raise FileFault(f"The file has tables of {name} ({rows} rows), which is not installed here")
        if revision not in known[name]:
            raise FileFault(
                f"The file was written by Duka {manifest.duka} with {name} at {revision}, which is newer than what is"
                " installed here; install at least that version"
            )


async def refuse_unless_empty(url: str) -> None:
    """Raise NotEmpty when any table of the database holds a row."""
    engine = engine_for(url)
    try:
        async with engine.begin() as connection:
            await _refuse_rows(connection)
    finally:
        await engine.dispose()


async def chains(deployment: Deployment) -> list[Report]:
    """Verify the audit chain of every business and the deployment's own."""
    trails = await Sealer(deployment, standing_of_business).businesses()
    return [await look(deployment, None if one == NO_BUSINESS else one, verify) for one in trails]


async def _refuse_rows(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await enter(connection, NO_BUSINESS)  # the deployment's own trail is seen even under row-level security
    names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    full = []
    for name in sorted(names):
        if not name.endswith(VERSIONS):
            some = sa.select(sa.exists(sa.select(sa.literal(1)).select_from(sa.table(name))))
            if (await connection.execute(some)).scalar_one():
                full.append(name)
    if full:
        raise NotEmpty(
            f"The database to restore into has rows in {', '.join(full)}. Restore into a new, empty one; one that is"
            " only for trying out is emptied by: duka reset"
        )


async def _refuse_newer(connection: AsyncConnection, manifest: Manifest) -> None:
    there = await revisions(connection)
    odd = [f"{name} at {there[name]}" for name, said in manifest.schema.items() if there.get(name) != said]
    if odd:
        raise NotEmpty(f"The tables there are newer than the backup's ({', '.join(odd)}); restore into a new database")


def _told(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    return lambda rows: progress(what, rows, total)
