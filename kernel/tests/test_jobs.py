"""Jobs: an effect and its done mark commit together; what fails is tried again, then laid aside (promises P12, P13)."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.auth.businesses.switching import disable, enable
from kernel.auth.identity import standing_of_business
from kernel.db import Phase, new_id
from kernel.db.tables import Job, JobPayload, Schedule
from kernel.jobs import Runner, handlers_of, job, next_run
from kernel.registry import Loaded, Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.tests.probes.stock.models import Move
from kernel.work import Work


@pytest.fixture
def runner(box: Box) -> Runner:
    return Runner(box.deployment, standing_of_business)


@pytest_asyncio.fixture
async def other(box: Box, box_settings: Settings, registry: Registry) -> AsyncIterator[Runner]:
    """A second worker with connections of its own."""
    second = await open_box(box_settings, registry, clock=box.clock)
    yield Runner(second.deployment, standing_of_business)
    await second.close()


async def later(
    box: Box, name: str, payload: dict[str, Any] | None = None, shop: str = "mama-njeri", **how: Any
) -> None:
    async def run(work: Work) -> None:
        work.later(name, payload or {}, **how)

    await box.act(run, shop=shop)


async def read(
    box: Box, statement: Callable[[uuid.UUID], sa.Select[*tuple[Any, ...]]], shop: str = "mama-njeri"
) -> list[Any]:
    async def run(work: Work) -> list[Any]:
        return [tuple(row) for row in (await work.execute(statement(work.business_id))).all()]

    return await box.look(run, shop=shop)


async def jobs(box: Box, shop: str = "mama-njeri") -> list[Any]:
    columns = (Job.name, Job.state, Job.attempts)
    return await read(box, lambda id_: sa.select(*columns).where(Job.business_id == id_).order_by(Job.id), shop)


async def moves(box: Box, shop: str = "mama-njeri") -> list[str]:
    found = await read(box, lambda id_: sa.select(Move.product).where(Move.business_id == id_), shop)
    return sorted(row[0] for row in found)


async def test_a_job_runs_once_and_is_done(box: Box, runner: Runner) -> None:
    await later(box, "probe_stock.book", {"product": "tea"})
    assert await runner.run_due() == 1
    assert await runner.run_due() == 0
    assert await jobs(box) == [("probe_stock.book", "done", 1)]
    assert await moves(box) == ["tea"]


async def test_a_job_acts_for_its_own_business(box: Box, runner: Runner) -> None:
    await later(box, "probe_stock.book", {"product": "tea"}, shop="sharma-kirana")
    await runner.run_due()
    assert (await moves(box), await moves(box, "sharma-kirana")) == ([], ["tea"])


async def test_a_job_that_is_not_due_waits(box: Box, runner: Runner) -> None:
    await later(box, "probe_stock.book", at=box.clock() + dt.timedelta(hours=1))
    assert await runner.run_due() == 0
    box.clock.pass_by(hours=1)
    assert await runner.run_due() == 1


async def test_a_failed_job_leaves_nothing_and_is_tried_again_with_growing_patience(box: Box, runner: Runner) -> None:
    await later(box, "probe_stock.book", {"fail": True}, max_attempts=4)
    waits = []
    for attempt in range(1, 5):
        assert await runner.run_due() == 1
        assert await runner.run_due() == 0
        [(_, state, attempts)] = await jobs(box)
        assert (state, attempts) == ("pending" if attempt < 4 else "dead", attempt)
        [(run_at, error)] = await read(box, lambda id_: sa.select(Job.run_at, Job.error).where(Job.business_id == id_))
        assert "told to fail" in error
        waits.append((run_at - box.clock()).total_seconds())
        box.clock.now = run_at
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]
    box.clock.pass_by(hours=2)
    assert await runner.run_due() == 0
    assert await moves(box) == []


async def test_a_job_that_is_mended_in_time_succeeds(box: Box, runner: Runner) -> None:
    await later(box, "probe_stock.book", {"fail": True})
    await runner.run_due()

    async def mend(work: Work) -> None:
        await work.execute(
            sa.update(JobPayload).where(JobPayload.business_id == work.business_id).values(payload={"product": "tea"})
        )

    await box.act(mend)
    box.clock.pass_by(hours=1)
    assert await runner.run_due() == 1
    assert await jobs(box) == [("probe_stock.book", "done", 2)]
    [(error,)] = await read(box, lambda id_: sa.select(Job.error).where(Job.business_id == id_))
    assert error is None


async def test_a_job_nobody_knows_ends_among_the_dead_and_blocks_no_other(box: Box, runner: Runner) -> None:
    await later(box, "probe_stock.forgotten", max_attempts=1)
    await later(box, "probe_stock.book", {"product": "tea"})
    assert await runner.run_due() == 2
    assert await jobs(box) == [("probe_stock.forgotten", "dead", 1), ("probe_stock.book", "done", 1)]


async def test_a_job_of_a_business_that_is_gone_blocks_no_other(box: Box, runner: Runner) -> None:
    gone = uuid.uuid4()

    async def orphan(work: Work) -> None:
        row = {"id": new_id(), "business_id": gone, "plugin": "probe_stock", "name": "probe_stock.book"}
        await work.execute(
            sa.insert(Job).values(**row, run_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC), created_at=work.now)
        )

    await box.act(orphan)
    await later(box, "probe_stock.book", {"product": "tea"})
    assert await runner.run_due() == 1
    assert await moves(box) == ["tea"]

    async def tidy(work: Work) -> None:
        await work.execute(sa.delete(Job).where(Job.business_id == gone))

    await box.act(tidy)


async def test_a_job_of_a_plugin_that_is_off_is_parked_and_goes_on_when_it_is_on_again(
    box: Box, runner: Runner
) -> None:
    await later(box, "probe_till.ring", {"number": "7"})
    await box.act(lambda work: disable(work, "probe_till"), phase=Phase.SWITCH)
    await runner.run_due()
    assert await jobs(box) == [("probe_till.ring", "parked", 0)]
    assert await runner.run_due() == 0
    await box.act(lambda work: enable(work, "probe_till"), phase=Phase.SWITCH)
    assert await runner.run_due() == 1
    assert await moves(box) == ["rung 7"]


async def test_two_workers_have_one_effect(box: Box, runner: Runner, other: Runner) -> None:
    for number in range(10):
        await later(box, "probe_stock.book", {"product": f"tea {number}"})
    ran = await asyncio.gather(runner.run_due(), other.run_due(), runner.run_due(), other.run_due())
    assert sum(ran) == 10
    assert await moves(box) == [f"tea {number}" for number in range(10)]
    assert {state for _, state, _ in await jobs(box)} == {"done"}


async def test_the_broken_twin_that_runs_before_it_claims_is_found_out(box: Box, runner: Runner, other: Runner) -> None:
    await later(box, "probe_stock.book", {"product": "tea"})
    both_have_looked = asyncio.Barrier(2)

    async def naive(worker: Runner) -> None:
        [(id_, state)] = await read(box, lambda own: sa.select(Job.id, Job.state).where(Job.business_id == own))
        await both_have_looked.wait()
        if state == "pending":
            await box.act(lambda work: worker.handlers["probe_stock.book"].run(work, {"product": "tea"}))

            async def mark(work: Work) -> None:
                await work.execute(sa.update(Job).where(Job.id == id_).values(state="done"))

            await box.act(mark)

    await asyncio.gather(naive(runner), naive(other))
    assert len(await moves(box)) == 2


async def test_a_worker_that_finds_a_job_taken_does_not_count_it(box: Box, runner: Runner) -> None:
    """Else its loop would spin for as long as the other worker takes."""
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has one writer at a time")
    await later(box, "probe_stock.book")
    [(id_,)] = await read(box, lambda own: sa.select(Job.id).where(Job.business_id == own))
    transaction = await box.deployment.database.open(Phase.WRITE, box.shop.id)
    await transaction.execute(sa.select(Job.id).where(Job.id == id_).with_for_update())
    assert await runner.run_due() == 0
    await transaction.close()
    assert await runner.run_due() == 1


async def test_a_scheduled_job_runs_at_its_local_hour_once_each_day(box: Box, runner: Runner) -> None:
    for shop, zone in (("mama-njeri", "Africa/Nairobi"), ("sharma-kirana", "Asia/Kolkata")):
        found = dict(
            await read(
                box, lambda id_: sa.select(Schedule.job, Schedule.next_run).where(Schedule.business_id == id_), shop
            )
        )
        assert {name for name in found if not name.startswith("kernel.")} == {"probe_till.open_shop"}
        assert {"kernel.forget_old_keys", "kernel.forget_expired", "kernel.close_idle"} <= set(found)
        due = found["probe_till.open_shop"].astimezone(ZoneInfo(zone))
        assert (due.hour, due.minute) == (2, 30)
        assert due > box.clock()
    box.clock.pass_by(days=1)
    for _ in range(3):
        await runner.run_due()
    assert (await moves(box), await moves(box, "sharma-kirana")) == (["day"], ["day"])
    box.clock.pass_by(days=5)  # the server was off: one run makes up for all that were missed
    await runner.run_due()
    assert await moves(box) == ["day", "day"]


async def test_two_workers_make_one_job_of_a_due_schedule(box: Box, runner: Runner, other: Runner) -> None:
    box.clock.pass_by(days=1)
    await asyncio.gather(runner.tick(), other.tick(), runner.tick(), other.tick())
    made = [name for name, _, _ in await jobs(box) if name == "probe_till.open_shop"]
    assert made == ["probe_till.open_shop"]


async def test_a_plugin_that_is_off_has_no_schedule(box: Box, runner: Runner) -> None:
    await box.act(lambda work: disable(work, "probe_till"), phase=Phase.SWITCH)
    box.clock.pass_by(days=3)
    await runner.run_due()
    assert await moves(box) == []
    await box.act(lambda work: enable(work, "probe_till"), phase=Phase.SWITCH)
    await runner.run_due()
    assert await moves(box) == []
    box.clock.pass_by(days=1)
    await runner.run_due()
    assert await moves(box) == ["day"]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "30 1 * * *", "0 0 * * *"])
def test_a_daily_job_runs_once_on_every_day_of_the_year(zone: str, cron: str) -> None:
    moment = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    days = []
    for _ in range(370):
        after = next_run(cron, moment, zone)
        assert after > moment
        assert after - moment <= dt.timedelta(hours=26)
        days.append(after.astimezone(ZoneInfo(zone)).date())
        moment = after
    assert days == [days[0] + dt.timedelta(days=n) for n in range(370)]


def test_an_hourly_job_runs_every_hour_across_changes_of_the_clock() -> None:
    moment = dt.datetime(2026, 10, 24, 12, tzinfo=dt.UTC)
    for _ in range(48):
        after = next_run("0 * * * *", moment, "Europe/London")
        assert after - moment == dt.timedelta(hours=1)
        moment = after


async def test_a_job_by_the_name_of_another_plugin_is_refused(box: Box) -> None:
    stock = box.deployment.registry.plugins["probe_stock"]
    wrong = ModuleType("jobs")

    @job("kernel.forget_old_keys")
    async def steal(work: Work, payload: Any) -> None: ...

    wrong.steal = steal  # type: ignore[attr-defined]
    registry = Registry([Loaded(stock.manifest, stock.package, stock.folder, jobs=wrong)])
    deployment = type(box.deployment)(box.deployment.settings, box.deployment.database, registry, "")
    with pytest.raises(ValueError, match=r"must start with 'probe_stock\.'"):
        handlers_of(deployment)


def test_a_line_that_is_no_cron_is_refused_at_once() -> None:
    for line in ("every day", "@daily", "61 * * * *", "* * * * * *"):
        with pytest.raises(ValueError, match="not a cron line"):
            job("probe_stock.x", cron=line)


async def test_the_loop_wakes_when_a_deed_leaves_a_job_and_ends_when_told(box: Box, runner: Runner) -> None:
    stop = asyncio.Event()
    loop = asyncio.create_task(runner.loop(stop))
    await asyncio.sleep(0.1)
    await later(box, "probe_stock.book", {"product": "tea"})
    async with asyncio.timeout(60):
        while not await moves(box):  # noqa: ASYNC110 - what is awaited is told by the database alone
            await asyncio.sleep(0.02)
    assert await moves(box) == ["tea"]
    stop.set()
    box.deployment.jobs_due.set()
    await asyncio.wait_for(loop, 60)


async def test_a_job_asked_for_twice_under_one_name_is_kept_once_and_disturbs_nobody(box: Box) -> None:
    async def ask(work: Work) -> None:
        work.later("kernel.forget_old_keys", {}, dedup="only-one")

    for _ in range(2):
        await box.act(ask)

    async def count(work: Work) -> int:
        found = await work.execute(sa.select(sa.func.count()).where(Job.dedup == "only-one"))
        return int(found.scalar_one())

    assert await box.look(count) == 1
