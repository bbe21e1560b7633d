"""What there is of many products, by one question."""

from __future__ import annotations

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.inventory.testing import stock


async def test_stock_of_many_products_is_told_at_once(box: Box) -> None:
    rice, milk, none = [await a_product(box, sku=sku, name=sku, price="5.00") for sku in ("RICE", "MILK", "NONE")]
    place = await box.location()
    await stock(box, rice, place, "40")
    await stock(box, milk, place, "2")
    asked = {"product_ids": [str(rice), str(milk), str(none)]}
    told = (await box.client("cashier").post("/api/v1/inventory/stock", asked)).json()
    assert {one["product_id"]: one["available"] for one in told} == {str(rice): "40", str(milk): "2"}
    theirs = await box.client("owner", "sharma-kirana").post("/api/v1/inventory/stock", asked)
    assert (theirs.status_code, theirs.json()["errors"][0]["pointer"]) == (404, "/product_ids/0")
