"""Health: whether this process lives, and whether it is ready for requests, each check by its name.

Readiness tells strangers names and one word each; why a check fails is in the log.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from kernel.app.backing_up import kept_now
from kernel.audit import Trails, trails
from kernel.db import Phase, Transaction
from kernel.errors import NotReady
from kernel.jobs import Backlog, backlog
from kernel.jobs.redis import answers
from kernel.registry import Registry
from kernel.work import NO_BUSINESS, Deployment, heed_now

T = TypeVar("T")
log = logging.getLogger("duka.health")
Word = Literal["ok", "late", "broken", "failing", "unknown", "starting", "stopping"]
PATIENCE_S = 2.0
"""A check that has not ended by then fails."""
KEPT_S = 1.0
"""For so long one answer serves all who ask: no stranger makes the database work by asking often."""
CHECKS = ("process", "database", "migrations", "outbox", "audit", "disk", "backups", "redis")
STILL_READY: frozenset[Word] = frozenset({"ok", "late", "broken"})


@dataclass(frozen=True)
class Report:
    """What was found: check → word."""

    checks: Mapping[str, Word]

    @property
    def is_ready(self) -> bool:
        """Whether requests should be sent here. What is late or broken is told, no more."""
        return all(word in STILL_READY for word in self.checks.values())


class Health:
    """The health of one server process: starting, then serving, then stopping."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.process: Word = "starting"
        self._heads: tuple[Registry, Heads] | None = None
        self._found: dict[str, Word] = {}
        self._found_at = -KEPT_S
        self._looking = asyncio.Lock()

    def begin(self) -> None:
        """Start-up is over."""
        self.process = "ok"

    def stop(self) -> None:
        """From now on this process is not ready; it goes on answering while there are requests."""
        self.process = "stopping"
        self.deployment.ending.set()

    async def report(self) -> Report:
        """Look, at most once a second, each time for two seconds at most."""
        async with self._looking:
            if time.monotonic() - self._found_at >= KEPT_S:
                self._found = await self._look()
                self._found_at = time.monotonic()
        return Report({"process": self.process, **self._found})

    async def _look(self) -> dict[str, Word]:
        found: dict[str, Word] = {name: "unknown" for name in CHECKS if name != "process"}
        looks = (self._look_at_database, self._look_at_disk, self._look_at_backups, self._look_at_redis)
        await asyncio.gather(*(look(found) for look in looks))
        return found

    async def _look_at_database(self, found: dict[str, Word]) -> None:
        seen: dict[str, Word] = {}
        try:
            await patiently(self._ask_database(seen))
        except Exception as error:  # whatever it is, the answer is that we are not ready
            log.warning("the database is not ready: %r", error)
            seen.setdefault("database", "failing")
        found.update(seen)

    async def _ask_database(self, found: dict[str, Word]) -> None:
        heads = await self._known_heads()
        await heed_now(self.deployment)
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            found["database"] = "ok"
            found["migrations"] = "failing"
            behind = await self._behind(heads, transaction)
            found["migrations"] = "failing" if behind else "ok"
            if behind:
                log.warning("migrations have not run: %s", ", ".join(behind))
                return
            now = self.deployment.clock()
            found["outbox"] = self._judge(await backlog(transaction, now))
            found["audit"] = _judge_trails(await trails(transaction, now))

    async def _behind(self, heads: Heads, transaction: Transaction) -> list[str]:
        """What is behind of all that is installed, asked once more where a plugin was uninstalled at this moment."""
        try:
            return await heads.behind(transaction, self._installed(heads))
        except Exception:  # a table of versions was dropped since: found out, or raised, in a newer snapshot
            await heed_now(self.deployment)
            await transaction.begin(Phase.READ)
            return await heads.behind(transaction, self._installed(heads))

    def _installed(self, heads: Heads) -> list[str]:
        plugins = self.deployment.registry.plugins
        return [name for name in heads.newest if name in plugins or name not in self.deployment.found.plugins]

    async def _known_heads(self) -> Heads:
        registry = self.deployment.found
        if self._heads is None or self._heads[0] is not registry:  # plugins are set aside while a worker starts
            self._heads = (registry, await asyncio.to_thread(Heads.read, registry))
        return self._heads[1]

    def _judge(self, waiting: Backlog) -> Word:
        limit = self.deployment.settings.outbox_late_minutes * 60
        return "late" if waiting.oldest_s > limit else "ok"

    async def _look_at_disk(self, found: dict[str, Word]) -> None:
        settings = self.deployment.settings
        try:
            async with asyncio.timeout(PATIENCE_S):
                free = (await asyncio.to_thread(shutil.disk_usage, settings.home_path)).free
        except (OSError, TimeoutError) as error:
            log.warning("the disk of %s cannot be read: %r", settings.home_path, error)
            found["disk"] = "failing"
            return
        found["disk"] = "ok" if free >= settings.least_free_mb * 1_000_000 else "failing"
        if found["disk"] == "failing":
            log.warning("only %d MB are free below %s", free // 1_000_000, settings.home_path)

    async def _look_at_backups(self, found: dict[str, Word]) -> None:
        settings, now = self.deployment.settings, self.deployment.clock()
        try:
            found["backups"] = (await asyncio.to_thread(kept_now, settings, now)).state
        except OSError as error:
            log.warning("the notes of backups below %s cannot be read: %r", settings.home_path, error)
            found["backups"] = "broken"

    async def _look_at_redis(self, found: dict[str, Word]) -> None:
        found["redis"] = "ok" if await answers(self.deployment.settings.redis_url) else "broken"


_LEFT: set[asyncio.Task[Any]] = set()
"""What was broken off and is still letting go of its connection."""


async def patiently(asking: Coroutine[Any, Any, T]) -> T:
    """What the database answers in time. Raises TimeoutError, without waiting for what was broken off to end."""
    asked = asyncio.ensure_future(asking)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.shield(asked)
    finally:
        if not asked.done():
            _LEFT.add(asked)
            asked.add_done_callback(_has_ended)
            asked.cancel()


def _has_ended(left: asyncio.Task[Any]) -> None:
    _LEFT.discard(left)
    if not left.cancelled() and (error := left.exception()):
        log.info("what was broken off ended with %r", error)


def _judge_trails(known: Trails) -> Word:
    if known.broken:
        return "broken"
    return "late" if known.are_late else "ok"


def handlers() -> list[HTTPRouteHandler]:
    """Litestar's handlers; the health they tell of comes with each request."""

    @get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @get("/health/ready", include_in_schema=False)
    async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        health: Health = request.scope["health"]  # type: ignore[typeddict-item]
        report = await health.report()
        if not report.is_ready:
            raise NotReady(report.checks)
        return Response({"status": "ok", "checks": report.checks})

    return [live, ready]


@dataclass(frozen=True)
class Heads:
    """The newest revision of each lineage, and those before it, as this code has them."""

    newest: Mapping[str, str]
    older: frozenset[str]

    @classmethod
    def read(cls, registry: Registry) -> Heads:
        """Read the revisions from disk; takes a moment."""
        from kernel.app.prepare import lineages  # noqa: PLC0415 - Alembic takes half a second to import

        newest: dict[str, str] = {}
        older: set[str] = set()
        for lineage in lineages(registry):
            script = lineage.script()
            newest[lineage.name] = script.get_current_head() or ""
            older |= {one.revision for one in script.walk_revisions() if one.revision != newest[lineage.name]}
        return cls(newest, frozenset(older))

    async def behind(self, transaction: Transaction, names: Sequence[str] | None = None) -> list[str]:
        """The lineages the database has not been brought up to; one that is ahead of this code is none of them.

        names: those to look at, whose version tables are there; None is all.
        """
        wanted = list(self.newest) if names is None else names
        stands = await versions(transaction, wanted)
        return [name for name in wanted if name not in stands or stands[name] in self.older]


async def versions(transaction: Transaction, names: Sequence[str]) -> dict[str, str]:
    """lineage → the revision the database stands at."""
    each = [
        sa.select(sa.literal(name).label("name"), sa.table(f"{name}_schema", sa.column("version_num")).c.version_num)
        for name in names
    ]
    rows = await transaction.execute(sa.union_all(*each))
    return {row.name: row.version_num for row in rows.all()}
