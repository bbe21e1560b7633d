"""Texts of addresses that become parts of a path of the API: they lead to no other path, and to no stream."""

from __future__ import annotations

import asyncio

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.sales.testing import a_sale

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
PAGES = {
    "product": ("/catalog/products/new?like=", "/catalog/products?category_id=", "/catalog/products?brand_id="),
    "sale": ("/discounts/why-not?sale_id=", "/payment_links/links/new?subject_id=", "/block/payment_links/links?sale="),
    "customer": ("/discounts/why-not?customer_id=", "/payment_links/links/new?customer_id="),
}
BELOW = {
    "product": ("/prices", "/price", "/barcodes", "/../../export"),
    "sale": ("/events", "/../../registers"),
    "customer": ("/personal-data", "/../../groups"),
}


@pytest.mark.parametrize("kind", PAGES)
async def test_a_page_is_led_to_no_other_path_of_the_api_and_waits_for_no_stream(box: Box, kind: str) -> None:
    owner, product = box.client("owner"), await a_product(box, "MEND", kind="service")
    known = {"product": str(product)}
    if kind == "sale":
        known[kind] = str((await a_sale(box, {product: "1"})).id)
    if kind == "customer":
        known[kind] = (await owner.post("/api/v1/customers/customers", {"name": "Asha"})).json()["id"]
    browser = Browser(box)
    for page in PAGES[kind]:
        for below in BELOW[kind]:
            async with asyncio.timeout(20):
                assert (await browser.get(f"{page}{known[kind]}{below}")).status < 500, (page, below)


async def test_a_page_that_takes_a_text_for_a_path_finds_no_stream_either(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.discounts.with_console.why_not.part", str)
    sale = await a_sale(box, {await a_product(box, "MEND", kind="service"): "1"})
    async with asyncio.timeout(20):
        assert (await Browser(box).get(f"/discounts/why-not?sale_id={sale.id}/events")).status == 404
