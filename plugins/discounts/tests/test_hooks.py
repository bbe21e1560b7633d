"""Answers to hooks that no API call reaches: demo data, and voids told twice."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from kernel.app.demo import Demo
from kernel.hooks import seed_demo
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.discounts.listeners import DEMO, sale_placed, sale_voided
from plugins.discounts.services.promotions import find_promotion
from plugins.discounts.testing import a_promotion
from plugins.sales.api import CompletedSale, SoldLine, VoidedSale

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def a_sale_of(product_id: UUID, *taken: tuple[str, str, int]) -> CompletedSale:
    line = SoldLine(
        1, product_id, "Rice 2kg", "RICE-2KG", 1_000_000, 1_000_000, 380_000_000, 38000, 3800, 29483, 4717, 34200,
        False, False, None, taken,
    )  # fmt: skip
    return CompletedSale(
        UUID(int=5), "T1-1", UUID(int=6), UUID(int=7), None, "retail", NOON.date(), NOON, "KES", 2, (line,), (),
        38000, 3800, 4717, 0, 34200, None, "Wanjiku",
    )  # fmt: skip


async def given(box: Box, promotion: UUID) -> str:
    async def read(work: Work) -> str:
        return (await find_promotion(work, promotion))[0].given

    return await box.look(read)


async def test_a_void_that_is_told_twice_gives_back_once(box: Box) -> None:
    rice = await a_product(box)
    promotion = await a_promotion(box, product_id=str(rice))
    sale = a_sale_of(rice, ("discounts", "Rice week", 3800))
    void = VoidedSale(sale, "wrong customer", NOON, NOON.date(), None, "Wanjiku")
    await box.act(lambda work: sale_placed(work, sale))
    assert await given(box, promotion) == "38.00"
    for _ in range(2):
        await box.act(lambda work: sale_voided(work, void))
        assert await given(box, promotion) == "0.00"


async def test_the_rules_of_other_plugins_are_not_ours(box: Box) -> None:
    rice = await a_product(box)
    promotion = await a_promotion(box, product_id=str(rice))
    sale = a_sale_of(rice, ("loyalty", "Rice week", 100), ("discounts", "Unheard of", 100))
    await box.act(lambda work: sale_placed(work, sale))
    assert await given(box, promotion) == "0.00"


async def test_each_demo_business_has_promotions_that_run_now_and_a_coupon(box: Box) -> None:
    for slug, shop in box.shops.items():
        skus = [sku for said in DEMO[shop.region] for sku in said.get("goods", ())]
        demo = Demo(box.deployment, shop, {"manager": [box.people[slug, "manager"]]}, {})
        demo.notes["products"] = [{"id": await a_product(box, sku, "9.00", shop=slug), "sku": sku} for sku in skus]
        await box.deployment.registry.hooks_of("discounts").tell(seed_demo, demo=demo)
        listed = (await box.client("owner", slug).get("/api/v1/discounts/promotions")).json()["items"]
        assert [one["state"] for one in listed] == ["active"] * 4
        assert {one["name"] for one in listed} == {said["name"] for said in DEMO[shop.region]}
        (coupon,) = (await box.client("owner", slug).get("/api/v1/discounts/coupons")).json()["items"]
        assert coupon["promotion_id"] == listed[0]["id"]
        now = box.clock.now.isoformat()
        assert all(one["starts_at"] < now < one["ends_at"] for one in listed)
