"""The strikes of all processes add up to one count: three trip a plugin once, whoever saw them."""

from __future__ import annotations

import asyncio
import datetime as dt
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from kernel.auth.businesses import tripping
from kernel.db.tables import Audit, Business, Trip
from kernel.errors import Failure
from kernel.hooks import recent_of
from kernel.testing.box import Box
from kernel.work import Deployment, Work
from tests.promises.copies import deployed

PLUGIN, HOOK = "discounts", "price_line"


class Counted(NamedTuple):
    """What stands in the database: strikes, whether they tripped, by how much the epoch rose, how often it is told."""

    strikes: int
    is_tripped: bool
    raised: int
    told: int


async def stands(box: Box) -> Counted:
    async def read(work: Work) -> Counted:
        trip = (
            await work.execute(sa.select(Trip.strikes, Trip.tripped_at).where(Trip.business_id == work.business_id))
        ).one_or_none()
        epoch = (await work.execute(sa.select(Business.epoch).where(Business.id == work.business_id))).scalar_one()
        mine = sa.and_(Audit.business_id == work.business_id, Audit.deed == tripping.TRIPPED)
        told = (await work.execute(sa.select(sa.func.count()).select_from(Audit).where(mine))).scalar_one()
        return Counted(trip.strikes if trip else 0, bool(trip and trip.tripped_at), epoch, told)

    return await box.look(read)


def fail(deployment: Deployment, box: Box, failing: Any = "skip") -> None:
    failure = Failure(PLUGIN, HOOK, failing, "raised KeyError")
    deployment.strikes.note(box.shop.id, failure, deployment.clock())


async def in_processes(box: Box, strikes: tuple[int, ...]) -> Counted:
    """Each process sees so many failures, and all write them down at once."""
    before = await stands(box)
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(deployed(box, box.deployment.settings)) for _ in strikes]
        for process, count in zip(processes, strikes, strict=True):
            for _ in range(count):
                fail(process, box)
        await asyncio.gather(*(tripping.write_strikes(process) for process in processes))
        assert not any(process.strikes.waiting for process in processes)
    after = await stands(box)
    return after._replace(raised=after.raised - before.raised, told=after.told - before.told)


@pytest.mark.parametrize("strikes", [(1, 1, 1), (2, 1), (3,), (2, 3, 2)])
async def test_three_trip_once_whichever_process_saw_them(box: Box, strikes: tuple[int, ...]) -> None:
    assert await in_processes(box, strikes) == Counted(sum(strikes), True, 1, 1)
    assert await in_processes(box, (1, 1, 1)) == Counted(sum(strikes) + 3, True, 0, 0), "it is left out already"


async def test_two_or_old_ones_trip_nobody(box: Box) -> None:
    assert await in_processes(box, (1, 1)) == Counted(2, False, 0, 0)
    box.clock.pass_by(minutes=11)
    assert await in_processes(box, (1, 1)) == Counted(4, False, 0, 0)
    box.clock.pass_by(minutes=9)
    assert await in_processes(box, (1,)) == Counted(5, True, 1, 1)


async def test_after_a_reset_all_count_from_nothing(box: Box) -> None:
    await in_processes(box, (2, 1))
    assert (await box.client("owner").post(f"/api/v1/plugins/{PLUGIN}/reset")).status_code == 200
    assert await in_processes(box, (1, 1)) == Counted(2, False, 0, 0)
    assert await in_processes(box, (1,)) == Counted(3, True, 1, 1)


async def test_a_trip_that_could_not_be_written_is_made_good_by_the_next_strike(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_given: Any) -> None:
        raise OSError("the connection is gone")

    with monkeypatch.context() as patch:
        patch.setattr(tripping, "_trip", fails)
        assert await in_processes(box, (3,)) == Counted(3, False, 0, 0)
    assert await in_processes(box, (1,)) == Counted(4, True, 1, 1)


async def test_processes_that_count_for_themselves_are_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: of what all have written only one's own is looked at."""

    def own(times: list[dt.datetime], limit: int, window: dt.timedelta) -> Any:
        return recent_of(times[-1:], limit, window)

    monkeypatch.setattr(tripping, "recent_of", own)
    assert await in_processes(box, (1, 1, 1)) != Counted(3, True, 1, 1)
