"""A business as a portable archive: a zip of one JSON-lines file a table, and a manifest with counts and checksums.

Read in one snapshot, a thousand rows at a time, into a temporary file. Secrets and their hashes are left out, and so is
what only serves the running deployment: jobs, schedules, kept answers, refresh tokens.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import tempfile
import uuid
import zipfile
from collections.abc import AsyncIterator
from typing import IO, Any

import msgspec
import sqlalchemy as sa

from kernel import VERSION
from kernel.auth.models import Membership, User
from kernel.db import Base, Transaction
from kernel.db.private import is_secret
from kernel.registry import Registry
from kernel.work import Shop

FORMAT = "duka-archive/1"
_LEFT_OUT = frozenset(
    {"kernel_idempotency", "kernel_job", "kernel_job_payload", "kernel_schedule", "kernel_refresh_token"}
)
_AT_ONCE = 1000
_IN_MEMORY = 1_048_576


class Archive(msgspec.Struct, frozen=True):
    """A finished archive, standing at its beginning."""

    file: IO[bytes]
    rows: int
    sha256: str


async def write_archive(transaction: Transaction, registry: Registry, shop: Shop, at: dt.datetime) -> Archive:
    """Write the archive of the business whose transaction this is."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by who sends it
    listed: dict[str, Any] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables_of(registry):
            listed[table.name] = await _write_table(transaction, archive, table, shop.id)
        manifest = {
            "format": FORMAT,
            "duka": VERSION,
            "exported_at": at,
            "business": {"id": shop.id, "slug": shop.slug, "name": shop.name, "currency": shop.currency},
            "plugins": {one.name: one.manifest.version for one in registry.in_order()},
            "tables": listed,
        }
        archive.writestr("manifest.json", msgspec.json.format(msgspec.json.encode(manifest)))
    file.seek(0)
    digest = await asyncio.to_thread(lambda: hashlib.file_digest(file, "sha256").hexdigest())
    file.seek(0)
    return Archive(file, sum(one["rows"] for one in listed.values()), digest)


def tables_of(registry: Registry) -> list[sa.Table]:
    """The tables of an archive, those referred to before those that refer."""
    names = ("kernel_", *(f"{one.name}_" for one in registry.in_order()))
    return [
        table
        for table in Base.metadata.sorted_tables
        if table.name.startswith(names)
        and table.name not in _LEFT_OUT
        and ("business_id" in table.c or table.name in ("kernel_business", "kernel_user"))
    ]


async def _write_table(
    transaction: Transaction, archive: zipfile.ZipFile, table: sa.Table, business: uuid.UUID
) -> dict[str, Any]:
    count, digest = 0, hashlib.sha256()
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as entry:
        async for rows in _pages(transaction, table, business):
            lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
            digest.update(lines)
            count += len(rows)
            await asyncio.to_thread(entry.write, lines)
    return {"rows": count, "sha256": digest.hexdigest()}


async def _pages(transaction: Transaction, table: sa.Table, business: uuid.UUID) -> AsyncIterator[list[dict[str, Any]]]:
    shown = [column for column in table.c if not is_secret(column)]
    keys = list(table.primary_key.columns)
    ordered = sa.select(*shown, *(key.label(f"_{key.name}") for key in keys)).where(_owned(table, business))
    ordered = ordered.order_by(*keys).limit(_AT_ONCE)
    last: list[Any] = []
    while True:
        behind = ordered
        if last:
            after = sa.tuple_(*(sa.literal(value, key.type) for key, value in zip(keys, last, strict=True)))
            behind = ordered.where(sa.tuple_(*keys) > after)
        rows = (await transaction.execute(behind)).all()
        yield [{c.name: _plain(value) for c, value in zip(shown, row, strict=False)} for row in rows]
        if len(rows) < _AT_ONCE:
            return
        last = list(rows[-1][len(shown) :])


def _owned(table: sa.Table, business: uuid.UUID) -> sa.ColumnElement[bool]:
    if table.name == "kernel_business":
        return table.c.id == business
    if table.name == "kernel_user":
        member = sa.exists().where(Membership.user_id == User.id, Membership.business_id == business)
        return member
    return table.c.business_id == business


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
