"""Restoring a plugin from its archive: verified whole, its tables made at the archived revision, every row loaded and
compared in one transaction, then upgraded to what is here.

Interrupted, the plugin is uninstalled as before; the tables may be there, no row is. The archive may come from the
other database.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable import FileFault, Manifest, Reader
from kernel.app.portable.files import PLUGIN, PluginSaid
from kernel.app.portable.kinds import line_of
from kernel.app.portable.loading import load, loading
from kernel.app.portable.reading import Known
from kernel.app.restore import NotEmpty
from kernel.app.uninstalling import belongings
from kernel.app.uninstalling.archiving import Progress
from kernel.app.uninstalling.belongings import (
    Among,
    Fingerprint,
    Share,
    fingerprint,
    kernel_shares,
    own_share,
    tables_of,
)
from kernel.app.uninstalling.ground import (
    be_alone,
    code_of,
    leave_trail,
    note,
    owning,
    refuse_unmet,
    revisions_of,
    states,
    url_of,
)
from kernel.app.uninstalling.holding import drop, held_among
from kernel.app.uninstalling.installing import make_tables, upgrade
from kernel.app.uninstalling.removing import ON, lock, refuse_enabled, refuse_referred
from kernel.app.uninstalling.shape import shape_of
from kernel.db.tables import BusinessPlugin
from kernel.registry import Loaded
from kernel.work import NO_BUSINESS, SYSTEM, Actor, Deployment, Origin, heed_now
from kernel.work.heeding import REMOVED, why_removed

Row = dict[str, Any]


class Restored(msgspec.Struct, frozen=True):
    """What came back.

    left_out: business → rows that stayed out, because it was deleted since. differing: tables that are not made as they
    were (same database only). migrated: revisions newer than the archive.
    """

    manifest: Manifest
    migrated: list[str]
    left_out: dict[str, int]
    differing: dict[str, list[str]]


async def restore(
    deployment: Deployment,
    path: Path,
    *,
    of: str | None = None,
    progress: Progress | None = None,
    actor: Actor = SYSTEM,
    origin: Origin | None = None,
) -> Restored:
    """Install a plugin again with every row of its archive; it is on for nobody yet.

    of: the plugin it must be of. Raises FileFault for a file that is damaged, another's, newer than the code here, or
    of businesses that are not here; NotEmpty where its tables hold rows; StillEnabled; NotInstalled.
    """
    await heed_now(deployment)
    tell = progress or (lambda _what, _rows, _total: None)
    with contextlib.closing(Reader(path, PLUGIN)) as reader:
        manifest, said = reader.manifest, _said(reader)
        if of not in (None, said.name):
            raise FileFault(f"{path.name} is an archive of {said.name}, not of {of}")
        loaded = code_of(deployment, said.name)
        _check_revision(manifest, loaded)
        refuse_unmet(deployment, said.name)
        reader.verify(lambda rows: tell("verifying", rows, manifest.rows))
        await _clear(deployment, loaded, manifest)
        _, kept = await make_tables(deployment, loaded, manifest.schema.get(said.name))
        async with loading(url_of(deployment), own=list(manifest.tables)) as connection:
            loader = _Loading(connection, reader, said, await belongings.businesses(connection))
            known = {one.table.name: one for one in await tables_of(connection, deployment.found, loaded)}
            await loader.forget_switches()
            for share in (*map(own_share, known.values()), *kernel_shares(said.name)):
                if share.name not in kept and not _is_younger(share, manifest):
                    await loader.load(share, lambda rows: tell("restoring", rows, manifest.rows))
            await leave_trail(connection, deployment, actor, "plugin restore", said.name, _facts(manifest), origin)
            if manifest.schema.get(said.name) in (None, *revisions_of(loaded)[:1]):
                await note(connection, deployment, loaded, "installed", None)
    async with owning(deployment) as connection:
        differing = await _differing(connection, said, known)
    migrated = await upgrade(deployment, loaded)
    async with owning(deployment) as connection:
        if (await states(connection)).get(said.name) != "installed":
            await note(connection, deployment, loaded, "installed", None)
    return Restored(manifest, migrated, loader.left_out, differing)


def _said(reader: Reader) -> PluginSaid:
    if reader.manifest.plugin is None:
        raise FileFault(f"{reader.path}: its manifest names no plugin")
    return reader.manifest.plugin


def _check_revision(manifest: Manifest, loaded: Loaded) -> None:
    revision = manifest.schema.get(loaded.name)
    if revision is not None and revision not in revisions_of(loaded):
        raise FileFault(
            f"The archive is of {loaded.name} {manifest.plugins[loaded.name]} at {revision}, which is newer than the"
            f" {loaded.manifest.version} here; install at least that version"
        )


async def _clear(deployment: Deployment, loaded: Loaded, manifest: Manifest) -> None:
    """Drop the plugin's tables, which must be empty or hold, kept, what the archive does."""
    name = loaded.name
    async with owning(deployment) as connection:
        known = await tables_of(connection, deployment.found, loaded)
        await refuse_referred(connection, name, known)
        held = await held_among(connection, known)
        seen = await belongings.among(connection)
        await refuse_enabled(connection, name, seen)
        await _refuse_strangers(connection, manifest)
        await _compare_kept(connection, manifest, [one for one in known if one.table.name in held], seen)
        was = (await states(connection)).get(name)
        loose = [one for one in known if one.table.name not in held]
        await lock(connection, loose, "ACCESS EXCLUSIVE")
        for one in loose:
            if rows := (await fingerprint(connection, own_share(one), seen)).rows:
                raise NotEmpty(f"{one.table.name} holds {rows} rows already{_advice(name, was)}")
        await be_alone(connection)
        await refuse_enabled(connection, name, seen)
        going = [one.table.name for one in reversed(loose)]
        if not held and await connection.run_sync(lambda sync: sa.inspect(sync).has_table(f"{name}_schema")):
            going.append(f"{name}_schema")
        await drop(connection, going)
        if was != REMOVED:
            await note(connection, deployment, loaded, REMOVED, why_removed(name))


async def _compare_kept(connection: AsyncConnection, manifest: Manifest, kept: list[Known], seen: Among) -> None:
    """Raise NotEmpty where rows that were kept are not those of the archive."""
    for one in kept:
        found, said = await fingerprint(connection, own_share(one), seen), manifest.tables.get(one.table.name)
        if said is None or (found.rows, found.sha256) != (said.rows, said.sha256):
            raise NotEmpty(f"{one.table.name} is kept for the law, and is not what the archive holds")


def _advice(name: str, state: str | None) -> str:
    if state != REMOVED:
        return ""
    return f". If a restore was interrupted after its rows were loaded, `duka plugin install {name}` goes on with them"


async def _refuse_strangers(connection: AsyncConnection, manifest: Manifest) -> None:
    """Raise FileFault for businesses that never were here."""
    here = set((await connection.execute(sa.text("SELECT slug FROM kernel_business"))).scalars())
    strangers = sorted(set(_businesses(manifest).values()) - here)
    if strangers:
        raise FileFault(f"The archive has rows of businesses that are not here: {', '.join(strangers[:10])}")


def _businesses(manifest: Manifest) -> dict[uuid.UUID, str]:
    return manifest.plugin.businesses if manifest.plugin else {}


class _Loading:
    """Rows into the tables, compared with what was read from the archive once they are in."""

    def __init__(
        self, connection: AsyncConnection, reader: Reader, said: PluginSaid, here: dict[uuid.UUID, str]
    ) -> None:
        self.connection, self.reader, self.said, self.here = connection, reader, said, here
        self.left_out: dict[str, int] = {}

    async def forget_switches(self) -> None:
        """Forget that businesses had it on and off since, and its jobs: they come from the archive."""
        name, among = self.said.name, await belongings.among(self.connection)
        switches = next(one for one in kernel_shares(name) if one.known.table is BusinessPlugin.__table__)
        async for batch in belongings.rows_of(self.connection, switches, among):
            for row in batch:
                if row.settings is not None:
                    raise NotEmpty(f"{self.here.get(row.business_id, row.business_id)} has settings of {name} already")
        await belongings.delete_kernel_shares(self.connection, name, among)

    async def load(self, share: Share, told: Callable[[int], None]) -> None:
        """Load one table. Raises FileFault where what stands in it then is not what was read."""
        said = self.reader.manifest.tables.get(share.name)
        if said is None or said.columns != share.known.columns:
            raise FileFault(f"{self.reader.path}: the columns of {share.name} are not those that its revision makes")
        digest, names = hashlib.sha256(), tuple(said.columns)

        def rows() -> Iterator[list[Row]]:
            for batch in self.reader.batches(share.name):
                mine = [_switched_off(share, row) for row in batch if self._is_here(row)]
                digest.update(b"".join(line_of(names, [row[one] for one in names]) for row in mine))
                yield mine

        count = await load(self.connection, share.name, said.columns, rows(), tenant=share.known.tenant, progress=told)
        among = await belongings.among(self.connection)
        if await fingerprint(self.connection, share, among) != Fingerprint(count, digest.hexdigest()):
            raise FileFault(f"{share.name} is not what was read from the archive; nothing is restored")

    def _is_here(self, row: Row) -> bool:
        """Whether the row's business is still there; rows of one that was deleted are counted."""
        business = row.get("business_id")
        if business is None or business == NO_BUSINESS or business in self.here:
            return True
        slug = self.said.businesses.get(business, str(business))
        self.left_out[slug] = self.left_out.get(slug, 0) + 1
        return False


def _is_younger(share: Share, manifest: Manifest) -> bool:
    """Whether the archive is older than a table of the kernel's, and so has nothing for it."""
    return share.name.startswith("kernel_") and share.name not in manifest.tables


def _switched_off(share: Share, row: Row) -> Row:
    """The row; that a plugin was on when it was archived is not brought back."""
    if share.known.table is BusinessPlugin.__table__ and row["state"] in ON:
        return {**row, "state": "disabled"}
    return row


async def _differing(connection: AsyncConnection, said: PluginSaid, tables: Iterable[str]) -> dict[str, list[str]]:
    """Table → lines of its make that are only in the archive (-) or only here (+)."""
    if said.database != connection.dialect.name:
        return {}
    found = {}
    for table, lines in (await shape_of(connection, tables)).items():
        was = said.shape.get(table, [])
        odd = [f"- {one}" for one in was if one not in lines] + [f"+ {one}" for one in lines if one not in was]
        if odd:
            found[table] = odd
    return found


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {"archived_at": manifest.made_at.isoformat(), "rows": manifest.rows}
