"""Purging a plugin: what is in its archive, and nothing else, goes from the database; what the law wants stays.

The tables are locked, compared with the archive row by row, and dropped in one transaction: a row written since the
archive was made stops it. Only the last step, which takes a moment, keeps deeds waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable import FileFault, Manifest, Reader
from kernel.app.portable.files import PLUGIN
from kernel.app.portable.reading import Known, revisions
from kernel.app.uninstalling import belongings
from kernel.app.uninstalling.archiving import Archived, Progress, archive
from kernel.app.uninstalling.belongings import Among, Share, kernel_shares, own_share, references, tables_of
from kernel.app.uninstalling.faults import ArchiveStale, Busy, ReferredTo, StillEnabled, StillNeeded
from kernel.app.uninstalling.ground import (
    be_alone,
    code_of,
    is_postgres,
    leave_trail,
    note,
    owning,
    refuse_unless_installed,
    states,
)
from kernel.app.uninstalling.holding import drop, hold, refuse_torn
from kernel.db import trouble_of
from kernel.db.tables import Business, BusinessPlugin
from kernel.registry import Loaded, Registry
from kernel.work import SYSTEM, Actor, Deployment, Origin, heed_now
from kernel.work.heeding import REMOVED, why_removed

TRIES = 3
ON = ("enabled", "draining")
"""The states in which a business has a plugin on."""


class Purged(msgspec.Struct, frozen=True):
    """What went, table → rows, and which tables are kept under hold."""

    plugin: str
    dropped: dict[str, int]
    kept: dict[str, int]


class Uninstalled(msgspec.Struct, frozen=True):
    """The archive, and what went."""

    archive: Archived
    purged: Purged


async def uninstall(
    deployment: Deployment,
    name: str,
    archive_path: Path,
    *,
    progress: Progress | None = None,
    actor: Actor = SYSTEM,
    origin: Origin | None = None,
) -> Uninstalled:
    """Archive a plugin, then purge it; archived anew, up to three times, where a row was written in between.

    Refused before anything is written: NotInstalled, StillNeeded, StillEnabled, ReferredTo, TornHold, FileExistsError.
    """
    await check(deployment, name)
    for attempt in range(TRIES):
        made = await archive(deployment, name, archive_path, replace=attempt > 0, progress=progress)
        try:
            return Uninstalled(
                made, await purge(deployment, name, archive_path, progress=progress, actor=actor, origin=origin)
            )
        except ArchiveStale:
            if attempt == TRIES - 1:
                raise
    raise AssertionError


async def check(deployment: Deployment, name: str) -> None:
    """Raise why a plugin cannot be uninstalled now; nothing is changed."""
    await heed_now(deployment)
    loaded = code_of(deployment, name)
    async with owning(deployment) as connection:
        await _refuse(connection, deployment, loaded)


async def purge(
    deployment: Deployment,
    name: str,
    archive: Path,
    *,
    progress: Progress | None = None,
    actor: Actor = SYSTEM,
    origin: Origin | None = None,
) -> Purged:
    """Drop a plugin's tables and its rows in the kernel's, when the archive holds every one of them as it is now.

    Raises FileFault for a file that is damaged or another's, ArchiveStale, and what `check` raises. The deployment's
    epoch rises in the same transaction, the release is `removed`.
    """
    await heed_now(deployment)
    loaded = code_of(deployment, name)
    with contextlib.closing(Reader(archive, PLUGIN)) as reader:
        manifest = reader.manifest
        if manifest.plugin is None or manifest.plugin.name != name:
            raise FileFault(f"{archive} is no archive of {name}")
        reader.verify(_told(progress, "verifying", manifest.rows))
    for attempt in range(TRIES):
        try:
            return await _purge(
                deployment, loaded, manifest, _told(progress, "comparing", manifest.rows), actor, origin
            )
        except DBAPIError as error:  # a reversal and we stood in each other's way
            trouble = trouble_of(error)
            if trouble is None or trouble.kind not in ("retry", "locked") or attempt == TRIES - 1:
                raise
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - jitter, not a secret
    raise Busy


async def _purge(
    deployment: Deployment,
    loaded: Loaded,
    manifest: Manifest,
    told: Callable[[int], None] | None,
    actor: Actor,
    origin: Origin | None,
) -> Purged:
    name = loaded.name
    async with owning(deployment) as connection:
        known = await _refuse(connection, deployment, loaded)
        await lock(connection, known)
        seen = await belongings.among(connection)
        await compare(connection, manifest, name, list(map(own_share, known)), seen, told)
        await lock(connection, known, "ACCESS EXCLUSIVE")  # while a backup reads them, only we wait
        await be_alone(connection)
        await refuse_enabled(connection, name, seen)
        await compare(connection, manifest, name, kernel_shares(name), seen, told)
        await belongings.delete_kernel_shares(connection, name, seen)
        kept = kept_of(loaded, known)
        going = [one.table.name for one in reversed(known) if one.table.name not in kept]
        versions = [f"{name}_schema"] if name in manifest.schema and not kept else []
        await drop(connection, [*going, *versions])
        await hold(connection, kept, deployment.database.role)
        await note(connection, deployment, loaded, REMOVED, why_removed(name))
        done = Purged(name, _rows(manifest, going), _rows(manifest, kept))
        await leave_trail(connection, deployment, actor, "plugin uninstall", name, _facts(done, manifest), origin)
    return done


async def compare(
    connection: AsyncConnection,
    manifest: Manifest,
    plugin: str,
    shares: Sequence[Share],
    seen: Among,
    told: Callable[[int], None] | None = None,
) -> None:
    """Raise ArchiveStale unless an archive holds exactly the rows that are there, each as it is."""
    if (await revisions(connection)).get(plugin) != manifest.schema.get(plugin):
        raise ArchiveStale(f"The tables of {plugin} were migrated since the archive was made; make another")
    own = {name for name in manifest.tables if not name.startswith("kernel_")}
    names = {share.name for share in shares}
    if not all(name.startswith("kernel_") for name in names) and own != names:
        raise ArchiveStale(f"The archive has other tables than {plugin}: {', '.join(sorted(own ^ names))}")
    for share in shares:
        said, found = manifest.tables.get(share.name), await belongings.fingerprint(connection, share, seen, told)
        if said is None:
            raise ArchiveStale(f"{share.name}: the archive is older than this table; make another")
        if (found.rows, found.sha256) != (said.rows, said.sha256):
            what = f"{said.rows} rows, there are {found.rows}" if found.rows != said.rows else "rows that have changed"
            raise ArchiveStale(f"{share.name}: the archive holds {what}; make another")


async def businesses_with(connection: AsyncConnection, name: str, seen: Among) -> list[str]:
    """The slugs of the businesses for which a plugin is on."""
    share = next(one for one in kernel_shares(name) if one.known.table is BusinessPlugin.__table__)
    on = Share(share.known, sa.and_(share.where, BusinessPlugin.state.in_(ON)))
    ids = [row.business_id async for batch in belongings.rows_of(connection, on, seen) for row in batch]
    rows = await connection.execute(sa.select(Business.slug).where(Business.id.in_(ids)).order_by(Business.slug))
    return list(rows.scalars())


async def refuse_enabled(connection: AsyncConnection, name: str, seen: Among) -> None:
    """Raise StillEnabled, naming the businesses, where a plugin is on."""
    if slugs := await businesses_with(connection, name, seen):
        more = f" and {len(slugs) - 10} more" if len(slugs) > 10 else ""
        raise StillEnabled(f"{name} is on for {', '.join(slugs[:10])}{more}: disable it there first")


async def referring(connection: AsyncConnection, known: Sequence[Known]) -> list[str]:
    """The references of others' tables to the plugin's, each as a path in words."""
    own = {one.table.name for one in known}
    return [path for table, path in await references(connection, own) if table not in own]


async def refuse_referred(connection: AsyncConnection, name: str, known: Sequence[Known]) -> None:
    """Raise ReferredTo, naming the path, where tables of others refer to the plugin's."""
    if paths := await referring(connection, known):
        raise ReferredTo(f"Other tables refer to those of {name}: {', '.join(paths)}")


async def _refuse(connection: AsyncConnection, deployment: Deployment, loaded: Loaded) -> list[Known]:
    """Raise why it cannot go; returns its tables."""
    name = loaded.name
    await refuse_unless_installed(connection, name)
    known = await tables_of(connection, deployment.found, loaded)
    if above := above_it(deployment.found, name, await states(connection)):
        raise StillNeeded(f"{', '.join(above)} {'stands' if len(above) == 1 else 'stand'} on {name}: uninstall first")
    await refuse_referred(connection, name, known)
    kept = kept_of(loaded, known)
    await refuse_torn(connection, kept, {one.table.name for one in known}.difference(kept))
    await refuse_enabled(connection, name, await belongings.among(connection))
    return known


async def lock(connection: AsyncConnection, known: Sequence[Known], mode: str = "EXCLUSIVE") -> None:
    """Let nobody write to the tables; on SQLite nobody writes anything while this transaction lasts."""
    if is_postgres(connection) and known:
        names = ", ".join(one.table.name for one in known)
        await connection.exec_driver_sql(f"LOCK TABLE {names} IN {mode} MODE")


def above_it(found: Registry, name: str, states: Mapping[str, str]) -> list[str]:
    """The plugins that stand on one and were not uninstalled."""
    return [other for other in found.standing_on(name, found.plugins) if states.get(other, REMOVED) != REMOVED]


def kept_of(loaded: Loaded, known: Sequence[Known]) -> list[str]:
    """The plugin's tables that the law wants kept."""
    return [str(one.table.name) for one in known if one.table.name in loaded.manifest.fiscal]


def _rows(manifest: Manifest, tables: Sequence[str]) -> dict[str, int]:
    return {str(name): manifest.tables[name].rows for name in tables}


def _facts(done: Purged, manifest: Manifest) -> dict[str, Any]:
    return {
        "version": manifest.plugins[done.plugin],
        "archived_at": manifest.made_at.isoformat(),
        "rows": {**done.dropped, **done.kept},
        "sha256": {name: said.sha256 for name, said in manifest.tables.items()},
        "kept": sorted(done.kept),
    }


def _told(progress: Progress | None, what: str, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda rows: progress(what, rows, total)
