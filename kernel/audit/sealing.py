"""The sealing job: adds audit rows to their business's chain, seconds after they were written.

Tills never wait for a chain. Rows are sealed in the order in which they were made; one that commits late is sealed
when it is seen, so the order of the chain is that of its numbers. One sealer at a time for a business: an advisory lock
on PostgreSQL, the writer's lock on SQLite; two at once would fork the chain.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy as sa

from kernel.audit.anchors import anchor_day
from kernel.audit.canonical import COLUMNS, START, first_id, link, made_at
from kernel.audit.watching import LATE, note_sealed
from kernel.db import Prepared
from kernel.db.engine import LOCK_SPACE
from kernel.db.tables import Audit, AuditSeal, Business
from kernel.work import NO_BUSINESS, Deployment, Identify, Origin, Work, carry_out

log = logging.getLogger("duka.audit")
T = TypeVar("T")

GRACE = dt.timedelta(minutes=5)
"""How far behind the newest sealed row an honest row may come to light: a deed makes its row just before it commits."""
A_DAY = dt.timedelta(days=1)
AT_ONCE = 500
PAUSE_S = 1.0
ROUND_S = 600.0
"""Every so often all trails are looked at, for rows of other processes and of a time when nobody sealed."""

_A, _S = Audit.__table__.c, AuditSeal.__table__.c
_business = sa.bindparam("business_id", type_=sa.Uuid())
_HEAD = Prepared(sa.select(_S.number, _S.hash).where(_S.business_id == _business).order_by(_S.number.desc()).limit(1))
_NEWEST = Prepared(sa.select(_S.audit_id).where(_S.business_id == _business).order_by(_S.audit_id.desc()).limit(1))
_waiting = sa.and_(
    _A.business_id == _business,
    _A.id >= sa.bindparam("floor", type_=sa.Uuid()),
    ~sa.exists().where(_S.business_id == _A.business_id, _S.audit_id == _A.id),
)
_UNSEALED = Prepared(sa.select(*COLUMNS).where(_waiting).order_by(_A.id).limit(AT_ONCE))
_OLDEST = Prepared(sa.select(_A.id).where(_waiting).order_by(_A.id).limit(1))


async def seal(work: Work, *, back: dt.timedelta | None = 2 * GRACE, lock: bool = True) -> int:
    """Seal rows of the business that are not; returns how many, at most `AT_ONCE`.

    back: how far behind the newest sealed row to look; None looks through the whole trail, which may be long.
    lock: False leaves the chain open to a second sealer, for the test that must see it fork.
    """
    if lock and work.deployment.database.is_postgres:
        key = int.from_bytes(work.business_id.bytes[-4:], "big", signed=True)
        await work.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_SPACE + 2, key)))
    head, newest = await work.one(_HEAD), await work.one(_NEWEST)
    floor = uuid.UUID(int=0)
    if newest is not None and back is not None:
        floor = first_id(made_at(newest.audit_id) - back)
    rows = await work.fetch(_UNSEALED, floor=floor)
    number, before = (head.number, bytes(head.hash)) if head else (0, START)
    for row in rows:
        number += 1
        before = link(before, number, work.now, row._asdict())
        work.insert(AuditSeal, {"number": number, "audit_id": row.id, "hash": before, "sealed_at": work.now})
    return len(rows)


async def behind(work: Work) -> dt.timedelta:
    """How long the oldest row of the business has waited for its seal; of the last day's work, and what came after."""
    newest = await work.one(_NEWEST)
    floor = uuid.UUID(int=0) if newest is None else first_id(made_at(newest.audit_id) - A_DAY)
    row = await work.one(_OLDEST, floor=floor)
    return dt.timedelta(0) if row is None else max(dt.timedelta(0), work.now - made_at(row.id))


class Sealer:
    """Seals and anchors the trails of a deployment. identify: reads a business's standing, or the deployment's own."""

    def __init__(self, deployment: Deployment, identify: Identify) -> None:
        self.deployment, self.identify = deployment, identify

    async def seal_all(self) -> int:
        """Seal every trail to its end, whatever late rows there are; returns how many rows."""
        sealed = 0
        for one in await self.businesses():
            sealed += await self.seal_one(one, back=None)
            await self._deed(one, note_sealed)
        return sealed

    async def go_round(self) -> None:
        """Seal and anchor every trail; one that cannot be does not keep the others from it."""
        for one in await self.businesses():
            try:
                await self.seal_one(one, back=A_DAY)
                await self._deed(one, note_sealed)
                await self._deed(one, anchor_day)
            except Exception:  # tried again the next time
                log.exception("the trail of %s could not be sealed", one)

    async def seal_noted(self) -> int:
        """Seal the trails in which this process wrote since the last time."""
        noted = set(self.deployment.to_seal)
        self.deployment.to_seal -= noted
        sealed = 0
        for one in noted:
            try:
                sealed += await self.seal_one(one)
            except Exception:
                self.deployment.to_seal.add(one)
                raise
        return sealed

    async def seal_one(self, business_id: uuid.UUID, *, back: dt.timedelta | None = 2 * GRACE) -> int:
        """Seal one trail to its end; returns how many rows."""
        self.deployment.to_seal.discard(business_id)
        sealed = 0
        while True:
            done = await self._deed(business_id, lambda work: seal(work, back=back))
            sealed += done
            if done < AT_ONCE:
                return sealed

    async def anchor_all(self) -> int:
        """Anchor every trail whose business day is over and that is not anchored yet; returns how many."""
        return sum([await self._deed(one, anchor_day) is not None for one in await self.businesses()])

    async def late(self) -> dict[uuid.UUID, dt.timedelta]:
        """The trails that nobody has sealed for too long, and how far they are behind."""
        found = {one: await self._deed(one, behind) for one in await self.businesses()}
        return {one: length for one, length in found.items() if length > LATE}

    async def businesses(self) -> list[uuid.UUID]:
        """Every trail there is: those of the businesses, and the deployment's own."""
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            rows = await transaction.execute(
                sa.select(Business.id).where(Business.deleting_at.is_(None)).order_by(Business.id)
            )
            return [NO_BUSINESS, *rows.scalars()]

    async def loop(self, stop: asyncio.Event) -> None:
        """Seal until told to stop; after that, what is left."""
        last_round = -ROUND_S
        while not stop.is_set():
            try:
                if time.monotonic() - last_round > ROUND_S:
                    await self.go_round()
                    last_round = time.monotonic()
                await self.seal_noted()
            except Exception:  # the database may be away for a while; the loop must outlive it
                log.exception("the sealing loop stumbled")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE_S)
        with contextlib.suppress(Exception):
            await self.seal_noted()

    async def _deed(self, business_id: uuid.UUID, run: Callable[[Work], Awaitable[T]]) -> T:
        origin = Origin("kernel.seal")
        return await carry_out(self.deployment, business_id, run, identify=self.identify, origin=origin, audited=False)
