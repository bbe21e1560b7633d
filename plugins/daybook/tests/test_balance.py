"""DB1, DB2 and the invariants: days chain, entries stand once and are never edited, strays are found."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
import time
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kernel.app.demo import Demo
from kernel.db import new_id
from kernel.errors import DukaError
from kernel.hooks import seed_demo
from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.work import Actor, Work
from plugins.catalog.testing import a_product
from plugins.daybook.models import Entry, Expense
from plugins.daybook.testing import an_expense
from plugins.sales.testing import a_sale

ENTRY: dict[str, Any] = {
    "business_date": dt.date(2026, 11, 21),
    "at": dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
    "register_id": None,
    "kind": "payment",
    "document_kind": "payment",
    "document_number": "X-1",
    "account": "cash",
    "direction": "in",
    "amount": 100,
    "currency": "KES",
    "words": "",
    "by_name": "Nobody",
}


async def _day(box: Box, day: dt.date, **params: str) -> dict[str, dict[str, str]]:
    answer = await box.client("accountant").get(f"/api/v1/daybook/days/{day}", params=params)
    assert answer.status_code == 200, answer.text
    return {one["account"]: one for one in answer.json()["accounts"]}


async def test_every_day_opens_as_the_one_before_closed_and_adds_up(box: Box) -> None:
    """DB1 over a week of sales, voids and expenses: each account's closing is the running sum of what moved."""
    rng, rice, kilimani = (
        random.Random(7),
        await a_product(box, price="100.00", track_stock=False),
        await box.location(),
    )
    manager, running = box.client("manager"), Counter[str]()
    first = box.clock.now.date()
    for _ in range(5):
        before = await _day(box, box.clock.now.date())
        for _ in range(3):
            method, number = rng.choice(["cash", "card"]), rng.randint(1, 4)
            sale = await a_sale(box, {rice: str(number)}, method=method)
            running[method] += 100 * number
            if rng.random() < 0.3:
                await manager.post(f"/api/v1/sales/sales/{sale.id}/void", {"reason": "wrong"})
                running[method] -= 100 * number
        spent = {"location_id": str(kilimani), "amount": "30.00", "category": "transport"}
        assert (await manager.post("/api/v1/daybook/expenses", spent)).status_code == 201
        running["cash"] -= 30
        after = await _day(box, box.clock.now.date(), location_id=str(kilimani))
        assert {name: one["closing"] for name, one in after.items()} == {k: f"{v}.00" for k, v in running.items()}
        assert {name: after[name]["opening"] for name in before} == {k: one["opening"] for k, one in before.items()}
        box.clock.pass_by(days=1)
    days = [await _day(box, first + dt.timedelta(days=n)) for n in range(6)]
    for day, following in itertools.pairwise(days):
        assert {k: one["closing"] for k, one in day.items()} == {k: following[k]["opening"] for k in day}


async def test_an_expense_after_midnight_belongs_to_the_day_of_its_place(box: Box) -> None:
    kilimani, owner = await box.location(), box.client("owner")
    changed = await owner.patch(f"/api/v1/locations/{kilimani}", {"day_cutoff": "04:00"}, version=1)
    assert changed.status_code == 200, changed.text
    box.clock.now = dt.datetime(2026, 11, 21, 22, 30, tzinfo=dt.UTC)  # 01:30 on the 22nd in Nairobi
    said = {"location_id": str(kilimani), "amount": "30.00", "category": "transport"}
    noted = await owner.post("/api/v1/daybook/expenses", said)
    assert noted.json()["business_date"] == "2026-11-21"
    assert (await _day(box, dt.date(2026, 11, 21)))["cash"]["paid"] == "30.00"


async def test_a_refund_by_hand_is_entered_on_the_day_it_is_made(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    sale = await a_sale(box, {rice: "2"})
    box.clock.pass_by(days=1)
    said = {"payment_id": str(sale.payments[0].id), "amount": "50.00", "reason": "bruised"}
    assert (await box.client("manager").post("/api/v1/payments/refunds", said)).status_code == 201
    day = (await _day(box, dt.date(2026, 11, 22)))["cash"]
    assert (day["opening"], day["paid"], day["closing"]) == ("200.00", "50.00", "150.00")


async def test_entries_are_found_by_day_place_kind_and_account_and_come_in_pages(box: Box) -> None:
    rice, accountant = await a_product(box, price="100.00", track_stock=False), box.client("accountant")
    await a_sale(box, {rice: "1"})
    box.clock.pass_by(days=1)
    await a_sale(box, {rice: "2"}, method="card")

    async def amounts(**params: str) -> list[str]:
        answer = await accountant.get("/api/v1/daybook/entries", params=params)
        assert answer.status_code == 200, answer.text
        return [one["amount"] for one in answer.json()["items"]]

    assert await amounts(business_date="2026-11-21") == ["100.00", "100.00"]
    assert await amounts(kind="sale") == ["100.00", "200.00"]
    assert await amounts(account="card") == ["200.00"]
    assert await amounts(location_id=str(await box.location("store"))) == []
    first = (await accountant.get("/api/v1/daybook/entries", params={"limit": 3, "include_total": "true"})).json()
    rest = await accountant.get("/api/v1/daybook/entries", params={"limit": 3, "cursor": first["next_cursor"]})
    ids = [one["id"] for one in (*first["items"], *rest.json()["items"])]
    assert (len(set(ids)), first["total"]) == (4, 4)


async def test_of_two_who_take_one_expense_back_one_succeeds(box: Box) -> None:
    manager, noted = box.client("manager"), await an_expense(box, "30.00")
    assert (noted.number, noted.amount) == ("EX-2026-000001", "30.00")
    path = f"/api/v1/daybook/expenses/{noted.id}/reverse"
    answers = await asyncio.gather(*[manager.post(path, {"reason": "typed twice"}) for _ in range(4)])
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert (await _day(box, dt.date(2026, 11, 21)))["cash"]["closing"] == "0.00"


async def test_another_businesss_expense_is_not_there(box: Box) -> None:
    path = f"/api/v1/daybook/expenses/{(await an_expense(box)).id}/reverse"
    theirs = await box.client("manager", "sharma-kirana").post(path, {"reason": "typed twice"})
    assert theirs.status_code == 404
    no_key = await box.client("manager").send("POST", path, json={"reason": "typed twice"})
    assert (no_key.status_code, no_key.json()["code"]) == (400, "idempotency-key-required")
    assert (await box.client("stock_keeper").post(path, {"reason": "typed twice"})).status_code == 403


@pytest.mark.parametrize("model", [Entry, Expense])
@pytest.mark.parametrize("way", ["update", "delete"])
async def test_the_book_is_never_edited(box: Box, model: type[Entry | Expense], way: str) -> None:
    await an_expense(box, "30.00")
    mine = model.business_id == box.shop.id

    async def edit(work: Work) -> None:
        await work.execute(
            sa.update(model).where(mine).values(amount=1) if way == "update" else sa.delete(model).where(mine)
        )

    with pytest.raises((DukaError, IntegrityError)):
        await box.act(edit)
    kept = await box.look(lambda work: work.execute(sa.select(model.amount).where(mine)))
    assert kept.scalars().all() == [3000]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, "every entry's document exists"),
        ({"direction": "out"}, "documents move no money, payments bring it"),
        ({"kind": "sale"}, "documents move no money, payments bring it"),
        ({"account": None}, "documents move no money, payments bring it"),
        ({"kind": "refund", "direction": "out"}, "an entered refund has what was given back"),
        ({"document_id": "payment", "document_kind": "x"}, "an entered payment has what was captured"),
        ({"document_id": "sale", "document_kind": "x", "kind": "sale"}, "an entered sale has the sale's total"),
        ({"document_id": "sale", "kind": "void", "amount": 10_000}, "a void has its sale's entry"),
        ({"document_id": "sale", "kind": "void"}, "an entered refund has what was given back, and a void"),
    ],
)
async def test_a_stray_entry_is_found(
    box_settings: Settings, registry: Registry, change: dict[str, Any], rule: str
) -> None:
    box = await open_box(box_settings, registry)
    sale = await a_sale(box, {await a_product(box, price="100.00", track_stock=False): "1"})
    ids = {"sale": sale.id, "payment": sale.payments[0].id}
    values = ENTRY | {"id": new_id(), "location_id": sale.location_id, "document_id": new_id()} | change
    values["document_id"] = ids.get(values["document_id"], values["document_id"])

    async def stray(work: Work) -> None:
        work.insert(Entry, values)

    await box.act(stray)
    faults = await broken(box.deployment)
    await box.close()
    assert any(fault.startswith(rule) for fault in faults), faults


async def test_the_demo_spends_a_little_at_each_storefront(box: Box) -> None:
    places = {"kilimani": (await box.location(), "storefront"), "store": (await box.location("store"), "warehouse")}
    demo = Demo(box.deployment, box.shop, {"manager": [Actor(None, "James", None)]}, places)
    start = time.process_time()
    await box.deployment.registry.hooks_of("daybook").tell(seed_demo, demo=demo)
    assert time.process_time() - start < 5
    noted = (await box.client("accountant").get("/api/v1/daybook/expenses", params={"limit": 200})).json()["items"]
    assert len(noted) > 5
    assert {one["location_id"] for one in noted} == {str(places["kilimani"][0])}
    assert {one["business_date"] for one in noted} <= {day.isoformat() for day in demo.days}
