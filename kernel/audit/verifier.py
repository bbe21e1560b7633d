"""Verifying every chain once a day, in one process of all, and keeping what was found."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import sqlalchemy as sa

from kernel.audit.sealing import Sealer
from kernel.audit.verifying import Report, verify
from kernel.audit.watching import asked, begin_watch, note_broken, note_whole
from kernel.db.tables import AuditWatch
from kernel.work import NO_BUSINESS, Deployment, Identify, Origin, Work, carry_out

log = logging.getLogger("duka.audit")
T = TypeVar("T")
EVERY = dt.timedelta(hours=23)
"""Each chain is verified once in so long, by whichever process comes first."""
LOOK_S = 600.0
ASKED_S = 3.0
"""So soon a chain is verified that somebody asks for."""
_W = AuditWatch.__table__.c


class Verifier:
    """Verifies every chain once a day. identify: reads a business's standing, or the deployment's own.

    A chain that was found broken is reported until somebody has looked: `duka audit verify` that finds it whole again.
    """

    def __init__(self, deployment: Deployment, identify: Identify) -> None:
        self.deployment, self.identify = deployment, identify

    async def verify_due(self, is_over: Callable[[], bool] = lambda: False) -> list[Report]:
        """Verify the chains whose day is over, each in one process; returns what was found."""
        return await self._verify_each(await Sealer(self.deployment, self.identify).businesses(), is_over)

    async def verify_asked(self, is_over: Callable[[], bool] = lambda: False) -> list[Report]:
        """Verify the chains that somebody has asked for; returns what was found."""
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            wanted = await asked(transaction)
        return await self._verify_each(wanted, is_over)

    async def _verify_each(self, businesses: Iterable[uuid.UUID], is_over: Callable[[], bool]) -> list[Report]:
        found = []
        for one in businesses:
            if is_over():
                break
            try:
                if await self._claim(one):
                    found.append(await self._verify(one))
            except Exception:  # another trail may be whole; this one is looked at again the next day
                log.exception("the trail of %s could not be verified", one)
        return found

    async def loop(self, stop: asyncio.Event) -> None:
        """Verify until told to stop."""
        due_at = time.monotonic()
        while not stop.is_set():
            try:
                if time.monotonic() >= due_at:
                    due_at = time.monotonic() + LOOK_S
                    await self.verify_due(stop.is_set)
                else:
                    await self.verify_asked(stop.is_set)
            except Exception:  # the database may be away for a while; the loop must outlive it
                log.exception("verifying the trails stumbled")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), ASKED_S)

    async def _claim(self, business_id: uuid.UUID) -> bool:
        """Whether this process is the one to verify a chain now."""

        async def claim(work: Work) -> bool:
            await begin_watch(work)
            due = sa.or_(_W.looked_at.is_(None), _W.looked_at < work.now - EVERY)
            mine = sa.update(AuditWatch).where(_W.business_id == business_id, due).values(looked_at=work.now)
            return bool((await work.execute(mine)).rowcount)

        return await self._deed(business_id, claim)

    async def _verify(self, business_id: uuid.UUID) -> Report:
        async with self.deployment.database.reading(business_id) as transaction:
            standing = await self.identify(transaction, business_id)
            report = await verify(Work(self.deployment, transaction, standing, Origin("kernel.verify")))

        if report.first is None:
            await self._deed(business_id, note_whole)
        else:
            words = report.first.words
            log.error("the audit trail of %s is broken: %s", report.business or "the deployment", words)
            await self._deed(business_id, lambda work: note_broken(work, words))
        return report

    async def _deed(self, business_id: uuid.UUID, run: Callable[[Work], Awaitable[T]]) -> T:
        origin = Origin("kernel.verify")
        return await carry_out(self.deployment, business_id, run, identify=self.identify, origin=origin, audited=False)
