"""A long audit trail, what seals and verifies it, and a login that nothing holds back."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.audit import Report, Sealer, verify
from kernel.audit.canonical import START, first_id, link
from kernel.auth.identity import standing_of_business
from kernel.db import Base
from kernel.db.tables import Audit, AuditAnchor, AuditSeal
from kernel.testing.box import Box

BEGAN = dt.datetime(2026, 10, 1, 8, tzinfo=dt.UTC)
ROWS = 40
AUDIT, SEAL, ANCHOR = (Base.metadata.tables[m.__tablename__] for m in (Audit, AuditSeal, AuditAnchor))


class Trail:
    """The trail of a business as it was written: its rows by their place, and its seals."""

    def __init__(self, rows: list[dict[str, Any]], seals: list[dict[str, Any]]) -> None:
        self.rows, self.seals = rows, seals
        self.business = rows[0]["business_id"]

    def row(self, place: int) -> Mapping[str, Any]:
        return self.rows[place]


@contextlib.asynccontextmanager
async def as_the_owner_of_the_database(box: Box) -> AsyncIterator[AsyncConnection]:
    """A login that no privilege, policy or trigger holds back."""
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.begin() as connection:
            if box.deployment.database.is_postgres:
                await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            else:
                named = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'kernel_audit%'")
                for name in (await connection.execute(named)).scalars().all():
                    await connection.execute(sa.text(f"DROP TRIGGER {name}"))
            yield connection
    finally:
        await engine.dispose()


def made(business: uuid.UUID, at: dt.datetime, words: str, seed: random.Random) -> dict[str, Any]:
    return {
        "business_id": business,
        "id": uuid.UUID(int=first_id(at).int | seed.getrandbits(62)),
        "at": at,
        "actor_id": uuid.UUID(int=seed.getrandbits(128)),
        "actor_name": "Wanjiku",
        "deed": "catalog.change_product",
        "subject": f"product:{uuid.UUID(int=seed.getrandbits(128))}",
        "reason": words,
        "facts": {"price": "12.50", "many": [1, 2.5, None, "ü"]},
        "changes": [{"table": "catalog_product", "id": words, "before": {"price": 1}, "after": {"price": 2}}],
        "request_id": uuid.UUID(int=seed.getrandbits(128)).hex,
        "address": "10.0.0.7",
        "epoch": 3,
        "location_id": None,
        "register_id": None,
        "supporting": False,
    }


async def a_long_trail(box: Box, seed: random.Random) -> Trail:
    """A row a day for forty days, sealed and anchored, and nothing else."""
    async with as_the_owner_of_the_database(box) as connection:
        for table in (SEAL, ANCHOR, AUDIT):
            await connection.execute(sa.delete(table))
        rows = [made(box.shop.id, BEGAN + dt.timedelta(days=n), f"day {n}", seed) for n in range(ROWS)]
        await connection.execute(sa.insert(AUDIT), rows)
    assert await sealer(box).seal_one(box.shop.id) == ROWS
    async with as_the_owner_of_the_database(box) as connection:
        newest = sa.select(SEAL).order_by(SEAL.c.number)
        seals = [dict(one) for one in (await connection.execute(newest)).mappings()]
        head = seals[-1]
        await connection.execute(
            sa.insert(ANCHOR).values(
                business_id=box.shop.id, day=BEGAN.date(), number=ROWS, hash=head["hash"], anchored_at=BEGAN
            )
        )
    return Trail(rows, seals)


def sealer(box: Box) -> Sealer:
    return Sealer(box.deployment, standing_of_business)


async def verified(box: Box) -> Report:
    return await box.look(verify)


async def write_the_chain_anew(connection: AsyncConnection, trail: Trail, seed: random.Random) -> None:
    """The thorough one: a row altered, and every hash from there on made right again."""
    place = seed.randrange(ROWS)
    rows = {row["id"]: row for row in trail.rows}
    lied = trail.seals[place]["audit_id"]
    rows[lied] = {**rows[lied], "reason": "as if"}
    await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == lied).values(reason="as if"))
    before = START
    for one in trail.seals:
        before = link(before, one["number"], one["sealed_at"], rows[one["audit_id"]])
        await connection.execute(sa.update(SEAL).where(SEAL.c.number == one["number"]).values(hash=before))


async def delete_numbers(connection: AsyncConnection, seals: list[dict[str, Any]]) -> None:
    await connection.execute(sa.delete(AUDIT).where(AUDIT.c.id.in_([one["audit_id"] for one in seals])))
    await connection.execute(sa.delete(SEAL).where(SEAL.c.number.in_([one["number"] for one in seals])))


async def restore(connection: AsyncConnection, trail: Trail) -> None:
    for table, rows in ((AUDIT, trail.rows), (SEAL, trail.seals)):
        await connection.execute(sa.delete(table))
        await connection.execute(sa.insert(table), rows)
