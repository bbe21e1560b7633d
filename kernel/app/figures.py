"""`/metrics`: the deployment's figures for Prometheus, shown to those who may see them and nobody else.

What is counted on the way of a request is counted there (kernel.metrics); the rest is gathered here every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from kernel import metrics
from kernel.app.backing_up import kept_now
from kernel.app.health import STILL_READY, Health, patiently
from kernel.audit import trails
from kernel.db import Prepared
from kernel.db.tables import Job
from kernel.errors import Unauthenticated
from kernel.hooks import Spent
from kernel.jobs import backlog
from kernel.settings import Settings
from kernel.web import Gate, Visit
from kernel.work import NO_BUSINESS, Deployment

log = logging.getLogger("duka.metrics")
PUBLISH_S = 2.0
OUTBOX_KEPT_S = 5.0
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
_DEAD = Prepared(sa.select(sa.func.count().label("dead")).where(Job.state == "dead"))
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Figures:
    """Gathers the figures of this process, and shows those of all. gate: of a server; a worker has none."""

    def __init__(self, deployment: Deployment, gate: Gate | None, health: Health) -> None:
        self.deployment, self.gate, self.health = deployment, gate, health
        self._told: dict[tuple[str, str], Spent] = {}
        self._outbox_at = -OUTBOX_KEPT_S

    async def tell(self) -> bytes:
        """The figures of all processes, as Prometheus reads them."""
        await self._look()
        self.publish()
        return await asyncio.to_thread(metrics.exposition)

    def publish(self) -> None:
        """Bring the figures of this process up to date."""
        metrics.PROCESSES.set(1)
        metrics.IN_FLIGHT.set(self.gate.in_flight if self.gate else 0)
        with contextlib.suppress(OSError):
            metrics.MEMORY.set(int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE)
        database = self.deployment.database
        for name, engine in {"writer": database.writer, "reader": database.reader}.items():
            pool: Any = engine.pool
            metrics.POOL_USED.labels(name).set(pool.checkedout())
            metrics.POOL_SIZE.labels(name).set(pool.size())
        for (plugin, hook), spent in list(self.deployment.registry.meter.items()):
            before = self._told.get((plugin, hook), Spent())
            if spent.calls > before.calls:
                metrics.HOOK_CALLS.labels(plugin, hook).inc(spent.calls - before.calls)
                metrics.HOOK_SECONDS.labels(plugin, hook).inc(max(0.0, spent.seconds - before.seconds))
                metrics.HOOK_FAILURES.labels(plugin, hook).inc(spent.failures - before.failures)
                self._told[plugin, hook] = Spent(spent.calls, spent.seconds, spent.slowest_s, spent.failures)

    async def loop(self, stop: asyncio.Event) -> None:
        """Publish until told to stop, for whichever process is asked."""
        while not stop.is_set():
            self.publish()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), PUBLISH_S)
        self.publish()

    async def _look(self) -> None:
        """What the database and the disk say; nothing new where they say nothing."""
        for check, word in (await self.health.report()).checks.items():
            metrics.UP.labels(check).set(word in STILL_READY)
        if time.monotonic() - self._outbox_at < OUTBOX_KEPT_S:
            return
        self._outbox_at = time.monotonic()
        await self._look_at_backups()
        try:
            await patiently(self._look_at_outbox())
        except Exception as error:  # the other figures are worth having when the database is away
            log.warning("outbox and trails cannot be read: %r", error)

    async def _look_at_backups(self) -> None:
        now = self.deployment.clock()
        try:
            kept = await asyncio.to_thread(kept_now, self.deployment.settings, now)
        except OSError as error:
            log.warning("the notes of backups cannot be read: %r", error)
            return
        metrics.BACKUP_AGE.set((now - kept.last.made_at).total_seconds() if kept.last else math.inf)
        metrics.BACKUPS_FAILED.set(kept.failures)

    async def _look_at_outbox(self) -> None:
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            waiting = await backlog(transaction, self.deployment.clock())
            dead = await transaction.one(_DEAD)
            known = await trails(transaction, self.deployment.clock())
        metrics.OUTBOX_DUE.set(waiting.due)
        metrics.OUTBOX_AGE.set(waiting.oldest_s)
        metrics.OUTBOX_DEAD.set(dead.dead if dead else 0)
        metrics.AUDIT_UNSEALED.set(known.unsealed_s)
        metrics.AUDIT_BROKEN.set(known.broken)


def handlers() -> list[HTTPRouteHandler]:
    """Litestar's handlers; the figures they tell come with each request."""

    @get("/metrics", include_in_schema=False)
    async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        visit: Visit = request.scope["duka"]  # type: ignore[typeddict-item]
        figures: Figures = request.scope["figures"]  # type: ignore[typeddict-item]
        if not may_see(figures.deployment.settings, visit.headers, visit.address):
            raise Unauthenticated
        return Response(await figures.tell(), media_type=MEDIA_TYPE)

    return [show]


def may_see(settings: Settings, headers: Mapping[str, str], came_from: str | None) -> bool:
    """Whether a request comes with the token, or straight from an address that is allowed.

    Behind a proxy that is not trusted everybody has the proxy's address; so what a proxy passed on goes by the token,
    unless the proxy is trusted and has told who asks.
    """
    kind, _, token = headers.get("authorization", "").partition(" ")
    if settings.metrics_token and kind.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.metrics_token.encode())
    if not settings.trusted_proxies and any(name in headers for name in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(came_from or "")
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(one) for one in settings.metrics_allow)
