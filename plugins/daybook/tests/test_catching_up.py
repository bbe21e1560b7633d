"""A book that was off, and on again: in the end it is the book of a shop where it was on all the time."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth.identity import standing_of_business
from kernel.db.tables import Job, Schedule
from kernel.invariants import broken
from kernel.jobs import Runner
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.testing.served import started
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.daybook.models import Entry
from plugins.daybook.services import catching_up
from plugins.sales.testing import a_sale

SALES, PAYMENTS, PLUGINS = "/api/v1/sales/sales", "/api/v1/payments", "/api/v1/plugins"
TRANSFER = {"method": "bank_transfer", "awaited": True}
Switch = Callable[[Box, str], Awaitable[None]]


async def switch(box: Box, action: str) -> None:
    answer = await box.client("owner").post(f"{PLUGINS}/daybook/{action}")
    assert answer.status_code == 200, answer.text


async def leave_on(_box: Box, _action: str) -> None:
    """What the twin does where the other switches."""


async def run_jobs(box: Box) -> None:
    while await Runner(box.deployment, standing_of_business).run_due():
        pass


async def an_order(box: Box, product: uuid.UUID, cash: str, awaited: str) -> Any:
    paid = [{"method": "cash", "amount": cash}, TRANSFER | {"amount": awaited}]
    body = {"location_id": str(await box.location()), "lines": [{"product_id": str(product), "quantity": "5"}]}
    answer = await box.client("cashier").post(SALES, body | {"payments": paid})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def void(box: Box, sale: object) -> None:
    answer = await box.client("manager").post(f"{SALES}/{sale}/void", {"reason": "wrong"})
    assert answer.status_code == 200, answer.text


async def confirm(box: Box, order: Any) -> None:
    awaited = next(one["id"] for one in order["payments"] if one["status"] == "pending")
    answer = await box.client("accountant").post(f"{PAYMENTS}/payments/{awaited}/confirm", {"reference": "FT1"})
    assert answer.status_code == 200, answer.text


async def refund(box: Box, payment: object, amount: str) -> None:
    said = {"payment_id": str(payment), "amount": amount, "reason": "bruised"}
    answer = await box.client("manager").post(f"{PAYMENTS}/refunds", said)
    assert answer.status_code == 201, answer.text


async def live_through(box: Box, turn: Switch) -> None:
    """Eight days of a shop: what can happen to a sale happens before, while and after the book is off."""
    rice = await a_product(box, price="100.00", track_stock=False)
    seen = await a_sale(box, {rice: "1"})
    waits = await an_order(box, rice, "200.00", "300.00")
    box.clock.pass_by(minutes=5)
    await turn(box, "disable")
    await void(box, seen.id)
    await a_sale(box, {rice: "2"})
    carded = await a_sale(box, {rice: "3"}, method="card")
    mistaken = await a_sale(box, {rice: "4"})
    box.clock.pass_by(minutes=5)
    await void(box, mistaken.id)
    given_up, late, split, lost = [await an_order(box, rice, f"{n}00.00", f"{5 - n}00.00") for n in (1, 2, 3, 4)]
    box.clock.pass_by(minutes=5)
    await void(box, given_up["id"])
    box.clock.pass_by(days=1)
    await confirm(box, waits)
    await confirm(box, late)
    box.clock.pass_by(minutes=5)
    await void(box, late["id"])
    await refund(box, carded.payments[0].id, "120.00")
    assert lost["expires_at"] < (box.clock.now + dt.timedelta(days=3)).isoformat()
    box.clock.pass_by(days=1)
    past = (box.clock.now - dt.timedelta(days=9)).isoformat()
    said = {"method": "card", "role": "manager", "sold_at": past}
    await a_sale(box, {rice: "6"}, **said)
    again = await an_order(box, rice, "50.00", "450.00")
    await turn(box, "enable")
    await a_sale(box, {rice: "7"})
    await confirm(box, split)
    box.clock.pass_by(days=2)
    await run_jobs(box)
    await confirm(box, again)
    await turn(box, "disable")
    await a_sale(box, {rice: "8"})
    await refund(box, carded.payments[0].id, "30.00")
    await turn(box, "enable")
    await run_jobs(box)


async def book_of(box: Box) -> Counter[tuple[Any, ...]]:
    """Every entry without its id and that of its document."""
    left_out = {"id", "document_id", "business_id"}
    columns = [column for column in Entry.__table__.c if column.name not in left_out]

    async def read(work: Work) -> Counter[tuple[Any, ...]]:
        rows = await work.execute(sa.select(*columns).where(Entry.business_id == work.business_id))
        return Counter(tuple(row) for row in rows.all())

    return await box.look(read)


async def days_of(box: Box) -> list[Any]:
    first = dt.date(2026, 11, 11)
    return [
        (await box.client("accountant").get(f"/api/v1/daybook/days/{first + dt.timedelta(days=n)}")).json()
        for n in range(20)
    ]


async def open_jobs(box: Box) -> list[tuple[str, str | None]]:
    left = sa.select(Job.state, Job.error).where(Job.name == catching_up.JOB, Job.state != "done")

    async def read(work: Work) -> list[tuple[str, str | None]]:
        rows = await work.execute(left.where(Job.business_id == work.business_id))
        return [(row.state, row.error) for row in rows.all()]

    return await box.look(read)


async def plan(box: Box) -> Any:
    return (await box.client("owner").post(f"{PLUGINS}/daybook/plan", {"action": "enable"})).json()["catch_up"]


@pytest.mark.parametrize("batch", [2, 500])
async def test_the_book_is_that_of_a_shop_where_it_was_never_off(
    box: Box, twin_box: Box, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(catching_up, "BATCH", batch)
    await live_through(box, switch)
    await live_through(twin_box, leave_on)
    book = await book_of(box)
    assert book == await book_of(twin_box)
    assert (max(book.values()), len(book)) == (1, 39)
    assert await days_of(box) == await days_of(twin_box)
    assert await open_jobs(box) == []


async def caught_up(settings: Settings, registry: Registry) -> tuple[Counter[tuple[Any, ...]], list[str], list[Any]]:
    """The book, the invariants that do not hold and the jobs that are not done, of a shop that lived through it."""
    box = await open_box(settings, registry)
    await live_through(box, switch)
    found = await book_of(box), await broken(box.deployment), await open_jobs(box)
    await box.close()
    return found


async def test_a_twin_that_forgets_voids_is_caught(
    box_settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_lacks_void", lambda sale: sa.false())
    _, faults, _ = await caught_up(box_settings, registry)
    assert any(fault.startswith("a void has its sale's entry") for fault in faults), faults


async def test_a_twin_that_does_not_look_what_stands_there_enters_nothing_twice(
    box_settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_lacks", lambda table, kind, document_kind: sa.true())
    book, _, left = await caught_up(box_settings, registry)
    assert max(book.values()) == 1
    assert any(state != "done" and error for state, error in left), left


async def test_a_twin_that_looks_at_days_gone_by_no_more_is_caught(
    box: Box, twin_box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = catching_up._payments

    async def only_later(work: Work, start: dt.date) -> Any:
        return await honest(work, max(start, dt.date(2026, 11, 22)))

    monkeypatch.setattr(catching_up, "_payments", only_later)
    await live_through(twin_box, switch)
    monkeypatch.undo()
    await live_through(box, switch)
    assert await book_of(box) != await book_of(twin_box)
    assert any(one.startswith("a sale that is entered has every payment") for one in await broken(twin_box.deployment))


async def test_the_plan_says_what_is_missing_and_an_old_book_is_made_good_too(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    await switch(box, "disable")
    assert await plan(box) is None
    sale = await a_sale(box, {rice: "1"})
    await a_sale(box, {rice: "2"})
    await void(box, sale.id)
    said = "Sales (2), voids (1), payments (2) and refunds (1) that the day book has no entry of"
    assert await plan(box) == {"words": f"{said}; each is entered on its own day", "count": 6}
    await switch(box, "enable")
    await run_jobs(box)
    await switch(box, "disable")
    assert await plan(box) is None
    await void(box, (await a_sale(box, {rice: "1"})).id)
    assert (await plan(box))["count"] == 4


async def test_a_sale_that_was_entered_late_is_voided_in_the_book_though_it_is_off_again(box: Box) -> None:
    (sale,) = await a_gap(box, 1)
    await run_jobs(box)
    await switch(box, "disable")
    await void(box, sale.id)
    assert sorted(row[4] for row in await book_of(box)) == ["payment", "refund", "sale", "void"]


async def test_nothing_is_left_to_do_for_a_business_that_has_sold_nothing(box: Box) -> None:
    await switch(box, "disable")
    await switch(box, "enable")
    assert await open_jobs(box) == []


async def a_gap(box: Box, sales: int) -> list[Any]:
    """Switch the book off, sell, and switch it on again, with nothing entered yet."""
    rice = await a_product(box, price="100.00", track_stock=False)
    await switch(box, "disable")
    sold = [await a_sale(box, {rice: str(n)}) for n in range(1, sales + 1)]
    await switch(box, "enable")
    return sold


async def no_schedules(box: Box) -> None:
    """Take away what runs by the clock: deeds are counted, and only the book's shall be."""

    async def clear(work: Work) -> None:
        await work.execute(sa.delete(Schedule).where(Schedule.business_id == work.business_id))

    for shop in box.shops:
        await box.act(clear, shop=shop)


@pytest.mark.parametrize("point", ["deed.flushed", "deed.committed"])
async def test_killed_in_a_batch_it_goes_on_where_it_was(box: Box, box_settings: Settings, point: str) -> None:
    await a_gap(box, 5)
    await no_schedules(box)
    words = [box_settings.home or "", box_settings.url, box.clock.now.isoformat()]
    for armed, ended in ((f"{point}:4", -signal.SIGKILL), ("", 0)):
        environment = {**os.environ, "DUKA_TEST_CRASH_AT": armed}
        process = started("plugins.daybook.tests.catching_worker:main", words, environment)
        assert await asyncio.to_thread(process.wait, 120) == ended
        part = sum((await book_of(box)).values())
        assert part == 10 if not armed else 0 < part < 10
    assert set((await book_of(box)).values()) == {1}
    assert await open_jobs(box) == []


async def test_what_happens_meanwhile_is_entered_once_and_refused_to_nobody(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "BATCH", 2)
    sold = await a_gap(box, 8)
    rice = await a_product(box, "TEA", price="100.00", track_stock=False)
    runners = [Runner(box.deployment, standing_of_business) for _ in range(2)]

    async def run() -> None:
        for _ in range(12):
            await asyncio.gather(*(one.run_due() for one in runners))
            await asyncio.sleep(0)

    async def trade() -> None:
        for sale in reversed(sold):
            await a_sale(box, {rice: "1"})
            await void(box, sale.id)

    await asyncio.gather(run(), trade())
    await run_jobs(box)
    book = await book_of(box)
    assert (max(book.values()), len(book)) == (1, 8 * 4 + 8 * 2)
    assert await open_jobs(box) == []


async def test_a_book_that_is_switched_off_and_on_while_it_catches_up_misses_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "BATCH", 2)
    await a_gap(box, 4)
    run = Runner(box.deployment, standing_of_business)
    await run.run_due()
    rice = await a_product(box, "TEA", price="100.00", track_stock=False)
    await switch(box, "disable")
    await run.run_due()
    await a_sale(box, {rice: "9"})
    await switch(box, "enable")
    for _ in range(6):
        await run_jobs(box)
        box.clock.pass_by(minutes=1)
    book = await book_of(box)
    assert (max(book.values()), len(book)) == (1, 10)
    assert await open_jobs(box) == []
