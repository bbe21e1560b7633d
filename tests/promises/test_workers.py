"""P12, P13: workers are killed and Redis is flushed; each job takes effect once, and one that kills is laid aside."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis.asyncio
import sqlalchemy as sa

from kernel.db.tables import Job, Series
from kernel.testing.box import Box
from kernel.testing.forking import Forked
from kernel.testing.served import environment_of, started
from kernel.work import Work
from tests.proving import ON_POSTGRES

WORKERS = 2


class Shift:
    """Some workers, each replaced when it dies."""

    def __init__(self, environment: Mapping[str, str], count: int) -> None:
        self.environment, self.died = environment, 0
        self.processes = [self._start() for _ in range(count)]

    def replace_dead(self) -> None:
        """Start another for each that was killed; one that ended otherwise is a fault."""
        for place, process in enumerate(self.processes):
            if process.poll() is not None:
                assert process.returncode == -9, f"a worker ended with {process.returncode}"
                self.died += 1
                process.wait()
                self.processes[place] = self._start()

    def end(self) -> None:
        """Tell all to stop and wait; one that was killed since anybody looked counts as dead."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            ended = process.wait(120)
            assert ended in (0, -9, -15), "a worker that is only starting ends by the signal itself"
            self.died += ended == -9

    def _start(self) -> subprocess.Popen[bytes] | Forked:
        return started("tests.promises.counting_worker:main", [], self.environment)


@contextlib.contextmanager
def shift(box: Box, redis_url: str, extra: Mapping[str, str] | None = None) -> Iterator[Shift]:
    made = Shift(environment_of(box.deployment.settings, {"DUKA_REDIS_URL": redis_url, **(extra or {})}), WORKERS)
    try:
        yield made
    finally:
        made.end()


async def ordered(box: Box, payloads: list[dict[str, Any]]) -> None:
    async def leave(work: Work) -> None:
        for one in payloads:
            work.later("sales.count", one, max_attempts=3)

    await box.act(leave)


async def states(box: Box) -> list[tuple[str, int]]:
    async def read(work: Work) -> list[tuple[str, int]]:
        found = sa.select(Job.state, Job.attempts).where(Job.name == "sales.count").order_by(Job.id)
        return [(row.state, row.attempts) for row in (await work.execute(found)).all()]

    return await box.look(read)


async def effects(box: Box) -> dict[str, int]:
    async def read(work: Work) -> dict[str, int]:
        mine = sa.and_(Series.business_id == work.business_id, Series.series.startswith("counted-"))
        found = await work.execute(sa.select(Series.series, Series.last).where(mine))
        return {row.series: row.last for row in found.all()}

    return await box.look(read)


async def _killed_and_flushed(box: Box, redis_url: str, count: int, kills: int, seconds: float) -> None:
    payloads: list[dict[str, Any]] = [{"n": n, "dies": "once"} if n < kills else {"n": n} for n in range(count)]
    payloads.append({"n": "poison", "dies": "always"})
    payloads.append({"n": "failing", "fails": True})
    await ordered(box, payloads)
    until = time.monotonic() + seconds
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        with shift(box, redis_url) as workers:
            while time.monotonic() < until:
                workers.replace_dead()
                await client.flushall()
                if all(state != "pending" for state, _ in await states(box)):
                    break
                await asyncio.sleep(0.1)
    found = await states(box)
    assert [state for state, _ in found] == ["done"] * count + ["dead", "dead"], found
    assert found[-2:] == [("dead", 3), ("dead", 3)]
    assert await effects(box) == {f"counted-{n}": 1 for n in range(count)}
    assert workers.died >= kills, "the workers were to be killed"


@ON_POSTGRES
async def test_jobs_take_effect_once_though_workers_die_and_redis_forgets(box: Box, redis_url: str) -> None:
    await _killed_and_flushed(box, redis_url, count=20, kills=1, seconds=120)


@pytest.mark.prove
async def test_three_hundred_jobs_take_effect_once(box: Box, redis_url: str) -> None:
    await _killed_and_flushed(box, redis_url, count=300, kills=12, seconds=500)


async def test_a_worker_that_commits_the_effect_apart_from_its_mark_is_caught(box: Box, redis_url: str) -> None:
    """The broken twin dies between the two; its job comes again, and the count of effects tells."""
    await ordered(box, [{"n": 0}])
    until = time.monotonic() + 120
    with shift(box, redis_url, {"DUKA_TEST_TWIN": "1"}) as workers:
        while time.monotonic() < until and [state for state, _ in await states(box)] != ["done"]:
            workers.replace_dead()
            await asyncio.sleep(0.2)
    assert workers.died == 1
    assert await effects(box) == {"counted-0": 2}
