"""The archive of a plugin: its tables and its share of the kernel's, of all businesses, as they stood at one moment."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from kernel import VERSION
from kernel.app.portable import Manifest, Writer, arriving
from kernel.app.portable.files import PLUGIN, PluginSaid
from kernel.app.portable.reading import revisions, snapshot
from kernel.app.uninstalling.belongings import among, businesses, kernel_shares, own_share, rows_of, tables_of
from kernel.app.uninstalling.ground import code_of, refuse_unless_installed
from kernel.app.uninstalling.shape import shape_of
from kernel.registry import Loaded
from kernel.work import Deployment, heed_now

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how many more rows of it are done, and of how many in all where that is known."""


class Archived(msgspec.Struct, frozen=True):
    """A finished archive, its size and the SHA-256 of the file."""

    path: str
    bytes: int
    sha256: str
    manifest: Manifest


async def archive(
    deployment: Deployment, name: str, path: Path, *, replace: bool = False, progress: Progress | None = None
) -> Archived:
    """Archive an installed plugin while the shops sell; the file has its name only once it is whole.

    Raises NotInstalled, UnknownTables, FileExistsError.
    """
    await heed_now(deployment)
    loaded = code_of(deployment, name)
    with arriving(path, replace=replace) as file:
        manifest = await write_plugin(deployment, loaded, file, progress)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.seek(0, os.SEEK_END)
    return Archived(str(path), size, digest, manifest)


async def write_plugin(
    deployment: Deployment, loaded: Loaded, file: IO[bytes], progress: Progress | None = None
) -> Manifest:
    """Write the archive of a plugin into a file."""
    async with snapshot(deployment.settings) as transaction:
        connection = transaction.connection
        await refuse_unless_installed(connection, loaded.name)
        known = await tables_of(connection, deployment.found, loaded)
        seen = await among(connection)
        writer = Writer(file)
        told = None if progress is None else functools.partial(_tell, progress)
        for share in (*map(own_share, known), *kernel_shares(loaded.name)):
            async with contextlib.aclosing(rows_of(connection, share, seen)) as batches:
                tenant = share.known.tenant
                await writer.table(share.name, share.known.columns, batches, tenant=tenant, progress=told)
        manifest = Manifest(
            format=PLUGIN,
            duka=VERSION,
            made_at=deployment.clock(),
            schema={k: v for k, v in (await revisions(connection)).items() if k in ("kernel", loaded.name)},
            plugins={loaded.name: loaded.manifest.version},
            tables=writer.tables,
            plugin=PluginSaid(
                loaded.name,
                loaded.manifest.version,
                loaded.manifest.title,
                connection.dialect.name,
                await shape_of(connection, [one.table.name for one in known]),
                await businesses(connection),
            ),
        )
    writer.finish(manifest)
    return manifest


def _tell(progress: Progress, rows: int) -> None:
    progress("archiving", rows, None)
