"""A backup: every row of the deployment's database, as it stood at one moment, in one portable file.

The audit anchors of this machine go with it, and the secret key if a passphrase is given.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import IO

import sqlalchemy as sa

from kernel import VERSION
from kernel.app.home import ANCHORS, anchors_now
from kernel.app.portable import Manifest, Writer
from kernel.app.portable.files import BACKUP
from kernel.app.portable.keys import key_said
from kernel.app.portable.reading import all_rows, businesses, known_tables, revisions, sees_everything, snapshot
from kernel.db import Transaction
from kernel.errors import Conflict
from kernel.settings import database_name
from kernel.work import Deployment

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how many more rows of it are done, and of how many in all where that is known."""


class NothingThere(Conflict):
    """There is nothing to back up; a backup of nothing would be taken for one."""

    code, title = "nothing-there", "There is nothing to back up"


async def write_backup(
    deployment: Deployment,
    file: IO[bytes],
    *,
    progress: Progress | None = None,
    leave_out: bool = False,
    passphrase: str | None = None,
) -> Manifest:
    """Write a backup into a file while the deployment serves.

    leave_out: go on without tables that no installed plugin knows. Raises UnknownTables otherwise; NothingThere for a
    database without any table, which is the wrong one.
    passphrase: the secret key goes in too, encrypted under it; None leaves it out.
    """
    async with snapshot(deployment.settings) as transaction:
        schema = await revisions(transaction.connection)
        if not schema:
            raise NothingThere(
                f"{database_name(deployment.settings)} has no tables of Duka; is DUKA_HOME or the URL right?"
            )
        tables = await known_tables(transaction, deployment.registry, leave_out=leave_out)
        among = None if await sees_everything(transaction) else await businesses(transaction)
        total = await _about(transaction)
        writer = Writer(file)
        for known in tables:
            name = known.table.name
            async with contextlib.aclosing(all_rows(transaction, known, among)) as batches:
                told = None if progress is None else _told(progress, total)
                await writer.table(name, known.columns, batches, tenant=known.tenant, progress=told)
        if (anchors := anchors_now(deployment.settings)) is not None:
            await writer.file(ANCHORS, anchors)
        former = deployment.settings.former_secret_keys
        manifest = Manifest(
            format=BACKUP,
            duka=VERSION,
            made_at=deployment.clock(),
            schema=schema,
            plugins={one.name: one.manifest.version for one in deployment.registry.in_order()},
            tables=writer.tables,
            files=writer.files,
            secret=await asyncio.to_thread(key_said, deployment.secret, former, passphrase),
        )
    writer.finish(manifest)
    return manifest


def _told(progress: Progress, total: int | None) -> Callable[[int], None]:
    return lambda rows: progress("backing up", rows, total)


async def _about(transaction: Transaction) -> int | None:
    """About how many rows there are, if the database knows without counting them."""
    if not transaction.database.is_postgres:
        return None
    guess = sa.text(
        "SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return (await transaction.execute(guess)).scalar_one() or None
