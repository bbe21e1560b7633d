"""The demo's opening stock."""

from __future__ import annotations

import datetime as dt
import time

import sqlalchemy as sa

from kernel.app.demo import Demo
from kernel.auth.models import Location
from kernel.hooks import seed_demo
from kernel.testing.box import Box
from kernel.work import Actor, Work
from plugins.catalog.testing import a_product
from plugins.inventory.testing import on_hand


async def _demo(box: Box) -> Demo:
    async def places(work: Work) -> dict[str, tuple[object, str]]:
        rows = await work.execute(
            sa.select(Location.code, Location.id, Location.kind).where(Location.business_id == work.business_id)
        )
        return {row.code: (row.id, row.kind) for row in rows}

    keeper = Actor(None, "Amina", None)
    return Demo(box.deployment, box.shop, {"stock_keeper": [keeper]}, await box.look(places))  # type: ignore[arg-type]


async def test_opening_stock_is_shared_out_before_the_first_day(box: Box) -> None:
    demo, rice = await _demo(box), await a_product(box)
    tea, delivery = await a_product(box, "TEA", unit="kg"), await a_product(box, "WORK", track_stock=False)
    demo.notes["products"] = [
        {"id": rice, "opening_stock": "11", "cost": "310.125", "unit": "piece", "track_stock": True},
        {"id": tea, "opening_stock": "0.5", "cost": None, "unit": "kg", "track_stock": True},
        {"id": delivery, "opening_stock": None, "cost": None, "unit": "piece", "track_stock": False},
    ]
    start = time.process_time()
    await box.deployment.registry.hooks_of("inventory").tell(seed_demo, demo=demo)
    assert time.process_time() - start < 5
    kilimani, store = await box.location(), await box.location("store")
    assert (await on_hand(box, rice, kilimani), await on_hand(box, rice, store)) == ("7", "4")
    assert (await on_hand(box, tea, kilimani), await on_hand(box, tea, store)) == ("0.3", "0.2")
    moves = (await box.client("owner").get("/api/v1/inventory/moves")).json()["items"]
    eve = (demo.days[0] - dt.timedelta(days=1)).isoformat()
    assert {(one["kind"], one["business_date"], one["by"]["name"]) for one in moves} == {("opening", eve, "Amina")}
    receipts = (await box.client("owner").get("/api/v1/inventory/receipts")).json()["items"]
    assert sorted(one["number"] for one in receipts) == ["GR-KILIMANI-000001", "GR-STORE-000001"]
