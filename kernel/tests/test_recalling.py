"""What is configured is read once a process and never stale, whoever changes it, by whatever way."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth import look
from kernel.auth.models import Location
from kernel.db import Configured, Phase, Prepared, Rows, Transaction, new_id
from kernel.db.tables import Audit
from kernel.errors import Conflict
from kernel.testing.box import Box
from kernel.work import Epochs, Work
from kernel.work.recalling import MOST_ANSWERS, MOST_BUSINESSES, Recalled

NAMES = Configured(sa.select(Location.id, Location.name).where(Location.business_id == sa.bindparam("business_id")))


def names(rows: Rows) -> frozenset[str]:
    return frozenset(row.name for row in rows)


async def recall(work: Work) -> frozenset[str]:
    return await work.recall(NAMES, names)


class Process:
    """A process of the deployment, with a memory of its own."""

    def __init__(self, box: Box, recalled: Recalled | None = None) -> None:
        self.box = box
        self.deployment = replace(box.deployment, recalled=recalled or Recalled())

    async def recall(self, shop: str = "mama-njeri") -> frozenset[str]:
        return await look(self.deployment, self.box.shops[shop].id, recall)


def row(name: str) -> dict[str, Any]:
    id_ = new_id()
    place = {"kind": "warehouse", "region": "KE", "subdivision": None, "zone": "Africa/Nairobi", "day_cutoff": 0}
    return {"id": id_, "code": id_.hex, "name": name, "is_active": True, "version": 1, **place}


async def by_the_orm(work: Work, place: uuid.UUID) -> None:
    found = await work.get(Location, place)
    found.name = "Renamed"
    found.version += 1


async def by_a_new_row(work: Work, _place: uuid.UUID) -> None:
    work.session.add(Location(**row("Renamed")))


async def by_an_effect(work: Work, _place: uuid.UUID) -> None:
    work.insert(Location, row("Renamed"))


async def by_core(work: Work, place: uuid.UUID) -> None:
    here = sa.and_(Location.business_id == work.business_id, Location.id == place)
    await work.execute(sa.update(Location).where(here).values(name="Renamed"))


async def by_the_orm_in_bulk(work: Work, place: uuid.UUID) -> None:
    await work.session.execute(sa.update(Location).where(Location.id == place).values(name="Renamed"))


async def by_an_insert(work: Work, _place: uuid.UUID) -> None:
    await work.execute(sa.insert(Location).values(business_id=work.business_id, **row("Renamed")))


WAYS = [by_the_orm, by_a_new_row, by_an_effect, by_core, by_the_orm_in_bulk, by_an_insert]
Way = Callable[[Work, uuid.UUID], Awaitable[None]]


async def assert_seen_everywhere(box: Box, way: Way, processes: list[Process]) -> None:
    place = await box.location()
    for process in processes:
        assert "Renamed" not in await process.recall()
    others = await processes[0].recall("sharma-kirana")
    await box.act(lambda work: way(work, place))
    for process in processes:
        assert "Renamed" in await process.recall()
        assert await process.recall("sharma-kirana") == others


@pytest.mark.parametrize("way", WAYS)
async def test_a_change_is_seen_by_every_process_at_its_next_request(box: Box, way: Way) -> None:
    await assert_seen_everywhere(box, way, [Process(box), Process(box)])


class Stale(Recalled):
    """Forgets that what it keeps is true for its epochs only."""

    def find(self, business: uuid.UUID, epochs: Epochs, asked: Hashable) -> Any | None:
        kept = self._kept.get(business)
        return kept[1].get(asked) if kept else None


async def test_a_memory_that_does_not_ask_for_the_version_is_caught(box: Box) -> None:
    with pytest.raises(AssertionError):
        await assert_seen_everywhere(box, by_core, [Process(box, Stale())])


async def test_nothing_is_asked_of_the_database_twice(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Prepared] = []
    honest = Transaction.fetch

    async def counting(self: Transaction, statement: Prepared, /, **parameters: Any) -> Rows:
        asked.append(statement)
        return await honest(self, statement, **parameters)

    monkeypatch.setattr(Transaction, "fetch", counting)
    process = Process(box)
    assert [await process.recall() for _ in range(3)] == [await process.recall()] * 3
    assert asked.count(NAMES) == 1


async def test_a_snapshot_from_before_a_change_goes_on_without_it(box: Box) -> None:
    process, place = Process(box), await box.location()

    async def read(work: Work) -> frozenset[str]:
        await work.execute(sa.select(Location.id))  # the snapshot is taken by now
        await box.act(lambda other: by_core(other, place))
        return await recall(work)

    assert "Renamed" not in await look(process.deployment, box.shop.id, read)
    assert "Renamed" in await process.recall()


async def test_a_deed_sees_what_it_changed_itself_and_leaves_nothing_of_it_when_it_fails(box: Box) -> None:
    before = await box.look(recall)

    async def change(work: Work) -> None:
        await recall(work)
        await by_core(work, place)
        assert "Renamed" in await recall(work)
        raise Conflict("changed its mind")

    place = await box.location()
    with pytest.raises(Conflict):
        await box.act(change)
    assert await box.look(recall) == before


async def test_what_was_read_under_the_lock_is_not_kept(box: Box) -> None:
    async def write(work: Work) -> None:
        await work.write()
        assert work._transaction.phase is Phase.WRITE
        await recall(work)
        epochs = work.standing.epochs
        assert work.deployment.recalled.find(work.business_id, epochs, (NAMES, names)) is None

    await box.act(write)


def test_only_what_reads_configuration_alone_may_be_kept() -> None:
    with pytest.raises(ValueError, match="kernel_audit"):
        Configured(sa.select(Location.name).join(Audit, Audit.location_id == Location.id))
    with pytest.raises(ValueError, match="kernel_audit"):
        Configured(sa.select(sa.select(sa.func.count(Audit.id)).scalar_subquery(), Location.id))


def test_a_process_keeps_so_much_and_no_more() -> None:
    recalled, first = Recalled(), uuid.UUID(int=1)
    for number in range(MOST_ANSWERS + 1):
        recalled.keep(first, Epochs(1, 1, 1), number, number)
    assert recalled.find(first, Epochs(1, 1, 1), 0) is None
    assert recalled.find(first, Epochs(1, 1, 1), MOST_ANSWERS) == MOST_ANSWERS
    for number in range(2, MOST_BUSINESSES + 2):
        recalled.keep(uuid.UUID(int=number), Epochs(1, 1, 1), 0, number)
    assert recalled.find(first, Epochs(1, 1, 1), MOST_ANSWERS) is None


async def test_what_could_never_be_found_again_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="function of a module"):
        await box.look(lambda work: work.recall(NAMES, lambda rows: rows[:1]))
