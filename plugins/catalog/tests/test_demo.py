"""The demo's shelves, and that broken rows do not go unseen."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from kernel.hooks import seed_demo
from kernel.invariants import broken
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.models import Category, Product
from plugins.catalog.services.demo import book_of
from plugins.catalog.testing import a_category, a_product

T = TypeVar("T")


class Demo:
    """What the kernel gives to `seed_demo`, as far as catalog looks at it."""

    def __init__(self, box: Box, shop: str) -> None:
        self.box, self.slug = box, shop
        self.shop = box.shops[shop]
        self.region, self.rng = self.shop.region, random.Random(1)
        self.notes: dict[str, Any] = {}

    async def act(self, run: Callable[[Work], Awaitable[T]], *, role: str = "owner", at: datetime | None = None) -> T:
        return await self.box.act(run, role=role, shop=self.slug)


@pytest.mark.parametrize(("shop", "region"), [("mama-njeri", "KE"), ("sharma-kirana", "IN")])
async def test_the_shelves_of_a_demo_are_full(box: Box, shop: str, region: str) -> None:
    demo, book = Demo(box, shop), book_of(region)
    start = time.process_time()
    await box.deployment.registry.hooks_of("catalog").tell(seed_demo, demo=demo)
    assert time.process_time() - start < 5
    notes = demo.notes["products"]
    assert len(notes) == len(book.products)
    assert set(notes[0]) == {"id", "sku", "price", "cost", "opening_stock", "weight", "unit", "track_stock"}
    owner = box.client("owner", shop)
    listed = await owner.get("/api/v1/catalog/products", params={"include_total": "true"})
    assert listed.json()["total"] == len(book.products)
    for said, note in list(zip(book.products, notes, strict=True))[::20]:
        made = (await owner.get(f"/api/v1/catalog/products/{note['id']}")).json()
        assert (made["sku"], made["price"], made["barcodes"]) == (said.sku, said.price, said.barcodes)
        assert [one["barcodes"] for one in made["packs"]] == [[one.barcode] for one in said.packs]
        assert made["category_id"]
        assert made["tax_class_id"]


@pytest.mark.parametrize(
    ("table", "change", "rule"),
    [
        (Category, {"path": "elsewhere"}, "the path of a category ends in itself, after its parent's"),
        (Product, {"price": -1}, "no price, cost or pack is negative or empty"),
        (Product, {"kind": "service"}, "a service has no stock"),
    ],
)
async def test_a_broken_row_is_seen_by_its_invariant(
    box: Box, table: type[Category] | type[Product], change: dict[str, Any], rule: str
) -> None:
    food = await a_category(box, "Food")
    await a_category(box, "Flour", parent_id=food)
    await a_product(box)
    before: list[Any] = []

    async def spoil(work: Work, values: dict[str, Any]) -> None:
        (column,) = values
        rows = await work.execute(
            sa.select(table.id, getattr(table, column)).where(table.business_id == work.business_id)
        )
        before[:] = rows.all()
        await work.execute(sa.update(table).where(table.business_id == work.business_id).values(values))

    async def repair(work: Work) -> None:
        for id_, value in before:
            here = sa.and_(table.business_id == work.business_id, table.id == id_)
            await work.execute(sa.update(table).where(here).values({next(iter(change)): value}))

    assert await broken(box.deployment) == []
    await box.act(lambda work: spoil(work, change))
    assert [fault.partition(":")[0] for fault in await broken(box.deployment)] == [rule]
    await box.act(repair)
