"""A reader asks for some fields of products, and for what they point at: in as many queries for many as for one."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.testing.box import Box
from plugins.catalog.testing import a_brand, a_category, a_product

PRODUCTS = "/api/v1/catalog/products"


async def test_a_page_brings_along_what_its_products_point_at(box: Box) -> None:
    food, maker = await a_category(box), await a_brand(box)
    rice = await a_product(box, "RICE", category_id=food, brand_id=maker)
    await a_product(box, "SALT")
    owner = box.client("owner")
    page = (await owner.get(PRODUCTS, params={"include": "category,brand", "fields": "sku,category_id"})).json()
    assert {one["sku"]: one["category_id"] for one in page["items"]} == {"RICE": str(food), "SALT": None}
    assert list(page["included"]["category"]) == [str(food)]
    assert list(page["included"]["brand"]) == [str(maker)]
    one = (await owner.get(f"{PRODUCTS}/{rice}", params={"include": "category"})).json()
    assert (one["id"], one["included"]["category"][str(food)]["id"]) == (str(rice), str(food))
    for wrong in ("", "tax", "category,category", "category.parent"):
        answer = await owner.get(PRODUCTS, params={"include": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?include")


async def test_many_products_take_no_more_queries_than_one(box: Box) -> None:
    said: list[str] = []

    @sa.event.listens_for(box.deployment.database.reader.sync_engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    owner, counts = box.client("owner"), []
    for number in range(12):
        category = await a_category(box, f"Category {number}")
        await a_product(box, f"P{number}", category_id=category)
        if number in (0, 11):
            said.clear()
            page = (await owner.get(PRODUCTS, params={"include": "category", "fields": "sku"})).json()
            assert len(page["items"]) == len(page["included"]["category"]) == number + 1
            counts.append(len(said))
    assert counts[0] == counts[1]
    assert counts[0] > 0
