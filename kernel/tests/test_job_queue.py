"""Jobs over Redis: it carries ids only, is bounded, fair to all, and can be done without (promises P13, P17)."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import redis.asyncio

from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.jobs.queue import AGAIN_S, MOST_QUEUED, JobQueue
from kernel.testing.box import Box
from kernel.tests.test_jobs import jobs, later, moves
from kernel.work import NO_BUSINESS, Work


@pytest_asyncio.fixture
async def queue(box: Box, redis_url: str) -> AsyncIterator[JobQueue]:
    made = JobQueue(redis_url, Runner(box.deployment, standing_of_business))
    yield made
    await made.close()


async def worked(box: Box, queue: JobQueue, until: int, shop: str = "mama-njeri") -> None:
    """Let a worker run until so many jobs have ended, a minute at most."""
    stop = asyncio.Event()
    working = asyncio.create_task(queue.work(stop, concurrency=3))
    for _ in range(1200):
        if sum(state != "pending" for _, state, _ in await jobs(box, shop)) >= until:
            break
        await asyncio.sleep(0.05)
    stop.set()
    box.deployment.jobs_due.set()
    await working


async def test_what_goes_into_redis_comes_out_and_is_done_once(box: Box, queue: JobQueue) -> None:
    for number in range(6):
        await later(box, "probe_stock.book", {"product": f"tea {number}"})
    assert await queue.relay() == 6
    assert await queue.relay() == 0, "an id that waits in Redis is not put there again"
    await worked(box, queue, 6)
    assert await jobs(box) == [("probe_stock.book", "done", 1)] * 6
    assert await moves(box) == [f"tea {number}" for number in range(6)]


async def test_an_id_that_comes_twice_has_one_effect(box: Box, queue: JobQueue, redis_url: str) -> None:
    for number in range(4):
        await later(box, "probe_stock.book", {"product": f"tea {number}"})
    await queue.relay()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        ids = await client.lrange("saq:duka:queued", 0, -1)
        await client.rpush("saq:duka:queued", *ids, *ids)
    await worked(box, queue, 4)
    assert await moves(box) == [f"tea {number}" for number in range(4)]


async def test_an_id_that_went_with_its_worker_goes_in_again(box: Box, queue: JobQueue, redis_url: str) -> None:
    await later(box, "probe_stock.book", {"product": "tea"})
    await queue.relay()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.blmove("saq:duka:queued", "saq:duka:active", 1, "LEFT", "RIGHT"), "taken out, and lost"
    assert await queue.relay() == 0
    box.clock.pass_by(seconds=AGAIN_S)
    assert await queue.relay() == 1
    await worked(box, queue, 1)
    assert await moves(box) == ["tea"]


async def test_a_job_that_is_being_tried_is_not_free(box: Box, queue: JobQueue) -> None:
    runner = queue.runner
    await later(box, "probe_stock.book", {"product": "tea"})
    (one,) = await runner.due()
    assert await runner.is_free(one.id)
    await runner.execute(box.shop.id, one.id)
    assert not await runner.is_free(one.id)


async def test_redis_holds_ids_and_nothing_of_the_business(box: Box, queue: JobQueue, redis_url: str) -> None:
    await later(box, "probe_stock.book", {"product": "a secret of the shop"})
    await queue.relay()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        held = [str(await client.get(key)) async for key in client.scan_iter("saq:job:*")]
    assert len(held) == 1
    assert str(box.shop.id) in held[0]
    assert "secret" not in held[0]


async def test_a_business_with_many_jobs_keeps_no_other_waiting(box: Box, queue: JobQueue) -> None:
    earlier = box.clock() - dt.timedelta(hours=1)

    async def many(work: Work) -> None:
        for number in range(MOST_QUEUED + 50):
            work.later("probe_stock.book", {"product": f"tea {number}"}, at=earlier)

    await box.act(many)
    await later(box, "probe_stock.book", {"product": "salt"}, shop="sharma-kirana")
    due = await queue.runner.due()
    assert [one.business_id for one in due[:3]].count(box.other.id) == 1
    assert await queue.relay() == MOST_QUEUED
    assert await queue.relay() == 0, "no more stand in Redis at once"


async def test_a_redis_that_was_flushed_is_filled_again(box: Box, queue: JobQueue, redis_url: str) -> None:
    for number in range(5):
        await later(box, "probe_stock.book", {"product": f"tea {number}"})
    await queue.relay()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.flushall()
    await worked(box, queue, 5)
    assert len(await moves(box)) == 5


async def test_without_redis_a_worker_runs_what_is_due_from_the_outbox(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = JobQueue("redis://127.0.0.1:1/0", Runner(box.deployment, standing_of_business))
    await later(box, "probe_stock.book", {"product": "tea"})
    await worked(box, nowhere, 1)
    assert await moves(box) == ["tea"]
    assert len([one for one in caplog.messages if one.startswith("Redis is away")]) == 1, "said once, not every second"


async def test_a_job_that_hangs_is_broken_off_and_laid_aside(box: Box) -> None:
    runner = Runner(box.deployment, standing_of_business)
    await later(box, "probe_stock.hang", max_attempts=2)
    await later(box, "probe_stock.book", {"product": "tea"})
    assert await runner.run_due() == 2
    assert await moves(box) == ["tea"]
    box.clock.pass_by(hours=1)
    await runner.run_due()
    assert ("probe_stock.hang", "dead", 2) in await jobs(box)


async def test_a_job_that_takes_its_process_with_it_has_its_tries_counted(box: Box) -> None:
    """A process that dies leaves no error behind: the count made before the try is all there is."""
    runner = Runner(box.deployment, standing_of_business)
    await later(box, "probe_stock.book", {"product": "tea"}, max_attempts=3)
    [one] = await runner.due()
    for _ in range(3):
        assert await runner._deed(NO_BUSINESS, "t", lambda work: runner._start(work, one.id)) == "probe_stock.book"
    assert await runner.run_due() == 0
    assert await jobs(box) == [("probe_stock.book", "dead", 3)]
    assert await moves(box) == []


async def test_a_job_that_failed_before_and_then_takes_its_process_with_it_is_a_suspect_too(box: Box) -> None:
    runner = Runner(box.deployment, standing_of_business)
    await later(box, "probe_stock.book", {"fail": True}, max_attempts=5)
    assert [bool(one.vanished) for one in await runner.due()] == [False]
    await runner.run_due()
    box.clock.pass_by(hours=1)
    [one] = await runner.due()
    assert (one.attempts, bool(one.vanished)) == (1, False), "it told why it failed"
    await runner._deed(NO_BUSINESS, "t", lambda work: runner._start(work, one.id))  # and its process died
    assert [(one.attempts, bool(one.vanished)) for one in await runner.due()] == [(2, True)]


def test_what_saq_says_of_an_absent_redis_is_kept_from_the_log_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for fault in (redis.exceptions.ConnectionError("away"), ValueError("odd")):
        logging.getLogger("saq").error("Upkeep task failed unexpectedly", exc_info=fault)
    assert [one.exc_info[0] for one in caplog.records if one.exc_info] == [ValueError]
