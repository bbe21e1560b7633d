"""Stock that was not kept for a while: what was sold meanwhile leaves the shelf afterwards, on both databases."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth.identity import standing_of_business
from kernel.invariants import broken
from kernel.jobs import Runner
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from plugins.catalog.testing import a_product
from plugins.inventory import with_sales
from plugins.inventory.testing import on_hand, stock
from plugins.sales.testing import a_sale

SALES, PLUGINS = "/api/v1/sales/sales", "/api/v1/plugins"


async def switch(box: Box, action: str) -> None:
    answer = await box.client("owner").post(f"{PLUGINS}/inventory/{action}")
    assert answer.status_code == 200, answer.text


async def leave_on(_box: Box, _action: str) -> None:
    """What the twin does where the other switches."""


async def run_jobs(box: Box) -> None:
    for _ in range(3):
        while await Runner(box.deployment, standing_of_business).run_due():
            pass
        box.clock.pass_by(minutes=1)


async def void(box: Box, sale: object) -> None:
    answer = await box.client("manager").post(f"{SALES}/{sale}/void", {"reason": "wrong"})
    assert answer.status_code == 200, answer.text


async def an_order(box: Box, product: uuid.UUID) -> Any:
    paid = [{"method": "bank_transfer", "amount": "500.00", "awaited": True}]
    body = {"location_id": str(await box.location()), "lines": [{"product_id": str(product), "quantity": "5"}]}
    answer = await box.client("cashier").post(SALES, body | {"payments": paid})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def confirm(box: Box, order: Any) -> None:
    path = f"/api/v1/payments/payments/{order['payments'][0]['id']}/confirm"
    answer = await box.client("accountant").post(path, {"reference": "FT1"})
    assert answer.status_code == 200, answer.text


async def plan(box: Box) -> Any:
    return (await box.client("owner").post(f"{PLUGINS}/inventory/plan", {"action": "enable"})).json()["catch_up"]


async def moves(box: Box) -> list[tuple[str, ...]]:
    listed = (await box.client("owner").get("/api/v1/inventory/moves", params={"limit": 200})).json()["items"]
    columns = ("kind", "document_number", "line", "quantity", "at", "business_date", "unit_cost")
    return sorted(tuple(str(one[name]) for name in columns) for one in listed)


async def live_through(box: Box, turn: Any) -> uuid.UUID:
    """Sales, voids and orders before, while and after inventory is off."""
    rice, delivery = (
        await a_product(box, price="100.00"),
        await a_product(box, "DEL", price="50.00", kind="service", track_stock=False),
    )
    await stock(box, rice, await box.location(), "60")
    seen = await a_sale(box, {rice: "1"})
    box.clock.pass_by(minutes=5)
    await turn(box, "disable")
    await void(box, seen.id)
    mixed = await a_sale(box, {rice: "2", delivery: "1"})
    await a_sale(box, {rice: "3"}, method="card")
    came, open_ = [await an_order(box, rice) for _ in range(2)]
    box.clock.pass_by(days=1)
    await confirm(box, came)
    late = await a_sale(box, {rice: "4"})
    await a_sale(box, {rice: "6"}, sold_at="2026-11-10T09:00:00Z")
    await turn(box, "enable")
    await a_sale(box, {rice: "7"})
    await run_jobs(box)
    await void(box, late.id)
    await void(box, open_["id"])
    assert mixed.business_date < late.business_date
    return rice


@pytest.mark.parametrize("batch", [1, 100])
async def test_stock_is_that_of_a_shop_where_it_was_kept_all_the_time(
    box: Box, twin_box: Box, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(with_sales, "BATCH", batch)
    rice, same = await live_through(box, switch), await live_through(twin_box, leave_on)
    assert await moves(box) == await moves(twin_box)
    left = [await on_hand(one, id_, await one.location()) for one, id_ in ((box, rice), (twin_box, same))]
    assert left == ["37", "37"]


async def test_a_twin_that_forgets_orders_is_caught(box: Box, twin_box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = with_sales._missed

    def paid_only(work: Any) -> Any:
        sale = honest(work)
        return sa.select(sale).where(sale.c.order_number.is_(None)).subquery()

    monkeypatch.setattr(with_sales, "_missed", paid_only)
    await live_through(box, switch)
    await live_through(twin_box, leave_on)
    assert await moves(box) != await moves(twin_box)


async def test_what_was_taken_back_meanwhile_moves_nothing(box: Box) -> None:
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await stock(box, rice, kilimani, "5")
    await switch(box, "disable")
    await void(box, (await a_sale(box, {rice: "2"})).id)
    assert await plan(box) is None
    await switch(box, "enable")
    await run_jobs(box)
    assert (await on_hand(box, rice, kilimani), len(await moves(box))) == ("5", 1)


async def test_what_was_sold_beyond_what_stood_there_shows_below_zero(box: Box) -> None:
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await stock(box, rice, kilimani, "5")
    await switch(box, "disable")
    for _ in range(2):
        await a_sale(box, {rice: "4"})
    told = await plan(box)
    assert (told["count"], told["words"].startswith("Counted products sold while")) == (1, True)
    assert "in sales (2)" in told["words"]
    await switch(box, "enable")
    await run_jobs(box)
    assert await on_hand(box, rice, kilimani) == "-3"
    await switch(box, "disable")
    assert await plan(box) is None


async def test_where_nothing_was_ever_counted_an_opening_count_is_due_and_no_sale_is_taken_for(box: Box) -> None:
    rice, kilimani, store = await a_product(box, price="100.00"), await box.location(), await box.location("store")
    await a_product(box, "DEL", price="50.00", kind="service", track_stock=False)
    await switch(box, "disable")
    await a_sale(box, {rice: "2"})
    told = await plan(box)
    assert (told["count"], told["words"].startswith("Counted products, all of which begin with none")) == (1, True)
    await switch(box, "enable")
    await stock(box, rice, store, "9")
    box.clock.pass_by(minutes=1)
    await stock(box, rice, kilimani, "10")
    await switch(box, "disable")
    assert await plan(box) is None
    await switch(box, "enable")
    await run_jobs(box)
    assert (await on_hand(box, rice, kilimani), await on_hand(box, rice, store)) == ("10", "9")


async def test_a_sale_taken_for_late_gives_back_though_inventory_is_off_again(box: Box) -> None:
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await stock(box, rice, kilimani, "5")
    await switch(box, "disable")
    sale = await a_sale(box, {rice: "2"})
    await switch(box, "enable")
    await run_jobs(box)
    assert await on_hand(box, rice, kilimani) == "3"
    await switch(box, "disable")
    await void(box, sale.id)
    assert await on_hand(box, rice, kilimani) == "5"


async def rush(box: Box) -> str:
    """Void what was sold meanwhile while two processes take for it: what stands on the shelf in the end."""
    rice, kilimani = await a_product(box, price="100.00"), await box.location()
    await stock(box, rice, kilimani, "50")
    await switch(box, "disable")
    sold = [await a_sale(box, {rice: "1"}) for _ in range(12)]
    await switch(box, "enable")
    await switch(box, "disable")
    await switch(box, "enable")
    runs = [Runner(box.deployment, standing_of_business) for _ in range(2)]
    voids = [void(box, sale.id) for sale in sold[:8]]
    await asyncio.gather(*(one.run_due() for one in runs), *voids)
    await run_jobs(box)
    return await on_hand(box, rice, kilimani)


async def test_voids_at_the_same_time_and_two_processes_take_each_sale_at_most_once(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_sales, "BATCH", 4)
    assert await rush(box) == "46"


async def test_a_twin_that_holds_no_sale_takes_for_what_was_voided_or_taken_for(
    box_settings: Settings, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, box = with_sales._take_for, await open_box(box_settings, registry)

    async def holds_nothing(*_: Any) -> None:
        """Neither hold it nor take part."""

    async def at_leisure(work: Any, ids: Any) -> None:
        await honest(work, ids)
        await asyncio.sleep(0.3)

    monkeypatch.setattr(with_sales, "take_part", holds_nothing)
    monkeypatch.setattr(with_sales, "_take_for", at_leisure)
    await rush(box)
    faults = await broken(box.deployment)
    await box.close()
    assert bool(faults) == box.deployment.database.is_postgres  # SQLite has one writer at a time anyway
