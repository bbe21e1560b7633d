"""A business as a portable file, to be kept or brought into another deployment.

Secrets and their hashes are left out, and so is what only serves the running deployment: jobs, schedules, kept answers,
refresh tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import IO, Any

import msgspec
import sqlalchemy as sa

from kernel import VERSION
from kernel.app.portable import Manifest, Writer
from kernel.app.portable.files import ARCHIVE, BusinessSaid
from kernel.app.portable.reading import Known, known_tables, revisions, rows_of, snapshot
from kernel.auth import act
from kernel.auth.businesses.operating import BeingDeleted, mark_exported
from kernel.auth.models import Membership, User
from kernel.db import Phase, Transaction
from kernel.db.private import is_secret
from kernel.db.tables import Business, BusinessPlugin, LocationSetting
from kernel.registry import Registry
from kernel.work import Deployment, Work
from kernel.work.configuring import without_secrets

_LEFT_OUT = frozenset(
    {"kernel_idempotency", "kernel_job", "kernel_job_payload", "kernel_schedule", "kernel_refresh_token"}
    | {"kernel_audit_watch"}
)
_SETTINGS = (BusinessPlugin.__table__.c.settings, LocationSetting.__table__.c.settings)
_IN_MEMORY = 1_048_576
_WHOSE = sa.select(Business.id, Business.slug, Business.name, Business.currency)


class Archive(msgspec.Struct, frozen=True):
    """A finished archive, standing at its beginning."""

    file: IO[bytes]
    rows: int
    sha256: str


async def archive_of(deployment: Deployment, business: uuid.UUID) -> Archive:
    """The archive of a business, in a temporary file."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by who sends it
    manifest = await write_archive(deployment, business, file)
    file.seek(0)
    digest = await asyncio.to_thread(lambda: hashlib.file_digest(file, "sha256").hexdigest())
    file.seek(0)
    return Archive(file, manifest.rows, digest)


async def write_archive(
    deployment: Deployment, business: uuid.UUID, file: IO[bytes], progress: Callable[[int], None] | None = None
) -> Manifest:
    """Write the archive of a business, as it stands at this moment, into a file. Raises BeingDeleted."""
    async with snapshot(deployment.settings, business) as transaction:
        found = await transaction.execute(_WHOSE.where(Business.id == business, Business.deleting_at.is_(None)))
        shop = found.one_or_none()
        if shop is None:
            raise BeingDeleted
        writer = Writer(file)
        for known in await _tables(transaction, deployment.registry):
            rows = rows_of(transaction, known, _owned(known.table, shop.id))
            async with contextlib.aclosing(_without_secrets(known, rows)) as batches:
                await writer.table(known.table.name, known.columns, batches, tenant=known.tenant, progress=progress)
    async with snapshot(deployment.settings) as transaction:  # the application's role does not see the revisions
        schema = await revisions(transaction.connection)
    manifest = Manifest(
        format=ARCHIVE,
        duka=VERSION,
        made_at=deployment.clock(),
        schema=schema,
        plugins={one.name: one.manifest.version for one in deployment.registry.in_order()},
        tables=writer.tables,
        business=BusinessSaid(*tuple(shop)),
    )
    writer.finish(manifest)
    return manifest


async def _tables(transaction: Transaction, registry: Registry) -> list[Known]:
    found = []
    for known in await known_tables(transaction, registry, leave_out=True):
        table = known.table
        if holds_rows_of_one(table):
            shown = {name: kind for name, kind in known.columns.items() if _is_shown(table.c[name])}
            found.append(Known(table, shown))
    return found


def _is_shown(column: sa.Column[Any]) -> bool:
    return _is_settings(column) or not is_secret(column)


def _is_settings(column: sa.Column[Any]) -> bool:
    return any(column is one for one in _SETTINGS)


async def _without_secrets(
    known: Known, batches: AsyncGenerator[Sequence[Sequence[Any]]]
) -> AsyncGenerator[Sequence[Sequence[Any]]]:
    """The rows of a table; of what was set for plugins all but what is sealed under this deployment's key."""
    place = next((n for n, name in enumerate(known.columns) if _is_settings(known.table.c[name])), None)
    async with contextlib.aclosing(batches) as rows:
        async for batch in rows:
            if place is None:
                yield batch
            else:
                yield [(*row[:place], without_secrets(row[place]), *row[place + 1 :]) for row in batch]


def holds_rows_of_one(table: sa.Table) -> bool:
    """Whether an archive has a table."""
    return table.name not in _LEFT_OUT and (
        "business_id" in table.c or table.name in ("kernel_business", "kernel_user")
    )


def _owned(table: sa.Table, business: uuid.UUID) -> sa.ColumnElement[bool]:
    if table.name == "kernel_business":
        return table.c.id == business
    if table.name == "kernel_user":
        return sa.exists().where(Membership.user_id == User.id, Membership.business_id == business)
    owned: sa.ColumnElement[bool] = table.c.business_id == business
    return owned


async def note_export(deployment: Deployment, business: uuid.UUID, manifest: Manifest, sha256: str) -> None:
    """Say in the trail of the business and in the deployment's own that all of it was taken out.

    A suspended business may be deleted from then on, as after an export over the API.
    """
    facts: dict[str, Any] = {"rows": manifest.rows, "sha256": sha256}

    async def note(work: Work) -> None:
        closed = await work.execute(sa.select(Business.suspended_at).where(Business.id == business))
        if closed.scalar_one() is not None:
            await mark_exported(work, "taken out at the command line", **facts)
        work.audit(subject=f"business:{business}", **facts)

    await act(deployment, business, note, deed="operating.export_business", phase=Phase.SWITCH)

    async def note_above(work: Work) -> None:
        work.audit(subject=f"business:{business}")

    await act(deployment, None, note_above, deed="operating.export_business")
