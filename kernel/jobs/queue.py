"""Jobs on several machines: SAQ over Redis carries ids only, so Redis may be flushed or stopped at any time.

Every process with Redis hands over what is due; a worker takes an id and runs that row of the outbox, which knows
whether it still has to be done. While Redis is away, workers run what is due straight from the outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import saq
from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq.job import Job as Parcel
from saq.queue.redis import RedisQueue

from kernel.jobs.running import POLL_S, Runner

log = logging.getLogger("duka.jobs")
NAME = "duka"
RUN = "run"
MOST_QUEUED = 200
"""No more ids than these stand in Redis, so that a business with many jobs does not fill the whole queue."""
LISTENS_S = 2.0
"""How long a worker waits for an id before it looks whether it should stop."""
LAST_S = 8.0
"""Jobs that are under way when a worker stops are given so long to end; then they are undone, and run again."""
AGAIN_S = 10.0
"""A job that is still due is handed over again after so long: its id may have gone with the worker that took it out."""
MARGIN_S = 30.0
"""So long after the limit of a job is its worker thought to have died."""


class JobQueue:
    """The queue of one process. url: of Redis."""

    def __init__(self, url: str, runner: Runner) -> None:
        self.runner = runner
        self.queue = _Queue(Redis.from_url(url, socket_connect_timeout=2, socket_timeout=LISTENS_S + 5), name=NAME)
        self._limit_s = int(max(one.limit_s for one in runner.handlers.values()) + MARGIN_S)
        self._is_away = False
        self._under_way: set[asyncio.Task[bool]] = set()
        self._turns = _Turns()

    async def hand_over(self, stop: asyncio.Event) -> None:
        """In a server: put into Redis what its own commits left; what is due later is found by the workers."""
        while not stop.is_set():
            try:
                await self.relay()
            except RedisError as error:
                self._note(error)
            except Exception:  # the database may be away for a while; the loop must outlive it
                log.exception("jobs could not be handed over")
            await self.runner.wait(60.0)
        await self.close()

    async def work(self, stop: asyncio.Event, concurrency: int) -> None:
        """In a worker: put into Redis what is due, and run what comes out of it, so many at a time."""
        self.runner.stopping = stop
        worker = _Worker(self.queue, [(RUN, self._run)], concurrency=concurrency, dequeue_timeout=LISTENS_S)
        running = asyncio.create_task(worker.start())
        try:
            while not stop.is_set():
                await self._round()
                await self.runner.wait(POLL_S)
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=LAST_S)
            await worker.stop()
            await asyncio.wait([running])
            await self.close()

    async def relay(self) -> int:
        """Put ids of due jobs into Redis up to its bound; returns how many were new to it. Raises RedisError.

        An id goes in once for each try, and again after AGAIN_S: one whose worker died is taken by another.
        """
        turn = int(self.runner.deployment.clock().timestamp() / AGAIN_S)
        room = MOST_QUEUED - await self.queue.count("queued")
        handed = 0
        for one in await self.runner.due():
            if handed >= room:
                break
            key, named = (
                f"{one.id}:{one.attempts}:{turn}",
                {"business_id": str(one.business_id), "job_id": str(one.id), "alone": bool(one.vanished)},
            )
            handed += (
                await self.queue.enqueue(RUN, key=key, timeout=self._limit_s, retries=1, ttl=-1, **named) is not None
            )
        self._note(None)
        return handed

    async def close(self) -> None:
        """Close connections."""
        try:
            await self.queue.disconnect()
        except RedisError:
            log.info("Redis was not there to be left")

    async def _round(self) -> None:
        try:
            await self.runner.tick()
            await self.relay()
        except RedisError as error:
            self._note(error)
            await self._without()
        except Exception:  # the database may be away for a while; the loop must outlive it
            log.exception("the job loop stumbled")

    async def _without(self) -> None:
        """Run what is due from the outbox, Redis being away."""
        try:
            await self.runner.run_due()
        except Exception:  # as above
            log.exception("the job loop stumbled")

    async def _run(self, _context: Mapping[str, Any], *, business_id: str, job_id: str, alone: bool) -> None:
        """alone: its last try vanished, and it may have been this job that took the process along, or a neighbour.

        Or it is still being made, somewhere: then nobody waits for it.
        """
        if alone and not await self._is_free(uuid.UUID(job_id)):
            return
        async with self._turns.taken(alone=alone):
            await self._run_one(uuid.UUID(business_id), uuid.UUID(job_id))

    async def _is_free(self, job_id: uuid.UUID) -> bool:
        try:
            return await self.runner.is_free(job_id)
        except Exception:  # the database may be away; the row is there the next time
            log.exception("job %s could not be looked up", job_id)
            return False

    async def _run_one(self, business_id: uuid.UUID, job_id: uuid.UUID) -> None:
        if self.runner.stopping.is_set():
            return
        running = asyncio.ensure_future(self.runner.execute(business_id, job_id))
        self._under_way.add(running)
        try:
            await running
        except Exception:  # the database may be away; the row is there the next time
            log.exception("job %s could not be run", job_id)
        finally:
            self._under_way.discard(running)

    def _note(self, error: RedisError | None) -> None:
        """Say once that Redis is away, and once that it is back."""
        if (error is not None) != self._is_away:
            self._is_away = error is not None
            log.warning("Redis is away: %s", error) if error else log.warning("Redis is back")


class _Turns:
    """Jobs of a worker run side by side, but a suspect runs alone: should it kill the process, it kills no other."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._running, self._suspects = 0, 0

    @contextlib.asynccontextmanager
    async def taken(self, *, alone: bool) -> AsyncIterator[None]:
        """Wait for a turn and keep it; suspects come before others, lest they wait for ever."""
        async with self._changed:
            self._suspects += alone
        has_turn = False
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._running if alone else not self._suspects)
                self._running, has_turn = self._running + 1, True
            yield
        finally:
            async with self._changed:
                self._running -= has_turn
                self._suspects -= alone
                self._changed.notify_all()


class _Queue(RedisQueue):
    """SAQ's queue; one that is away is waited for, not asked again at once."""

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Parcel | None:  # noqa: ASYNC109 - SAQ's own
        try:
            return await super().dequeue(timeout, poll_interval)
        except RedisError:
            await asyncio.sleep(POLL_S)
            return None


class _NotOfRedis(logging.Filter):
    """Keeps from the log what SAQ says again and again while Redis is away: that is said once, by `_note`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is of something else."""
        return not (record.exc_info and isinstance(record.exc_info[1], RedisError))


logging.getLogger("saq").addFilter(_NotOfRedis())


class _Worker(saq.Worker[Any]):
    """SAQ's worker; signals are the process's own affair."""

    SIGNALS = []
