"""The maximum retail price: refused above it where the region says so, by product, barcode and pack, with tax in it."""

from __future__ import annotations

from typing import Any

import httpx

from kernel.testing.box import Box
from plugins.catalog.testing import a_product

CODE = "8901030865237"


async def quoted(box: Box, shop: str, line: dict[str, Any]) -> httpx.Response:
    body = {"location_id": str(await box.location(shop=shop)), "lines": [line]}
    return await box.client("owner", shop).post("/api/v1/sales/quote", body)


async def test_in_india_nothing_is_sold_above_its_printed_price_and_elsewhere_it_may_be(box: Box) -> None:
    for shop, status in (("sharma-kirana", 422), ("mama-njeri", 200)):
        soap = str(await a_product(box, "SOAP", "120.00", mrp="100.00", track_stock=False, shop=shop))
        answer = await quoted(box, shop, {"product_id": soap, "quantity": "2"})
        assert answer.status_code == status, answer.text
        off = {"product_id": soap, "quantity": "2", "discount": {"amount": "40.00", "reason": "printed price"}}
        assert (await quoted(box, shop, off)).status_code == 200
    refused = (await quoted(box, "sharma-kirana", {"product_id": await own(box, "SOAP"), "quantity": "2"})).json()
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("above-mrp", "/lines/0")
    assert refused["errors"][0]["detail"] == "SOAP: at most ₹200.00 for this quantity"


async def test_a_barcode_with_a_price_of_its_own_binds_those_who_scan_it(box: Box) -> None:
    shop = "sharma-kirana"
    oil = str(await a_product(box, "OIL", "100.00", mrp="110.00", track_stock=False, shop=shop))
    added = await box.client("owner", shop).post(
        f"/api/v1/catalog/products/{oil}/barcodes", {"code": CODE, "mrp": "95.00"}
    )
    assert added.status_code == 201, added.text
    assert (await quoted(box, shop, {"product_id": oil})).status_code == 200
    scanned = await quoted(box, shop, {"barcode": CODE})
    assert (scanned.status_code, scanned.json()["code"]) == (422, "above-mrp")


async def own(box: Box, sku: str) -> str:
    found = await box.client("owner", "sharma-kirana").get("/api/v1/catalog/products", params={"q": sku})
    return str(found.json()["items"][0]["id"])
