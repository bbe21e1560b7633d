"""Several products in a few words each."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.catalog.services.several import sku_of
from plugins.catalog.testing import a_product

PATH = "/api/v1/catalog/products/several"


@pytest.mark.parametrize(
    ("name", "taken", "sku"),
    [
        ("Rice 2kg", (), "RICE-2KG"),
        ("Rice 2kg", ("RICE-2KG", "RICE-2KG-2"), "RICE-2KG-3"),
        ("  Café — crème! ", (), "CAFE-CREME"),
        ("चावल", (), "ITEM"),
        ("An uncommonly long name of a thing", (), "AN-UNCOMMONLY-LONG-NAME"),
    ],
)
def test_a_sku_is_made_of_a_name(name: str, taken: tuple[str, ...], sku: str) -> None:
    assert sku_of(name, taken) == sku


async def test_products_are_added_together_each_with_a_sku_of_its_own(box: Box) -> None:
    await a_product(box, sku="RICE-2KG")
    owner = box.client("owner")
    lines = [{"name": "Rice 2kg", "price": "380"}, {"name": "Rice 2kg", "price": "390"}, {"name": "चावल", "price": "1"}]
    made = await owner.post(
        PATH, {"products": [*lines, {"name": "Soap", "price": "80", "barcodes": ["6161100000018"]}]}
    )
    assert made.status_code == 201, made.text
    said = made.json()["items"]
    assert [one["sku"] for one in said] == ["RICE-2KG-2", "RICE-2KG-3", "ITEM", "SOAP"]
    assert said[3]["barcodes"] == ["6161100000018"]


async def test_of_products_of_which_one_is_wrong_none_is_added(box: Box) -> None:
    owner = box.client("owner")
    lines = [{"name": "Rice", "price": "380"}, {"name": "Soap", "price": "80", "barcodes": ["6161100000019"]}]
    refused = await owner.post(PATH, {"products": lines})
    assert refused.json()["errors"][0]["pointer"] == "/products/1/barcodes/0"
    assert (await owner.post(PATH, {"products": lines[1:]})).json()["errors"][0]["pointer"] == "/products/0/barcodes/0"
    assert (await owner.get("/api/v1/catalog/products")).json()["items"] == []
    assert (await box.client("cashier").post(PATH, {"products": lines[:1]})).status_code == 403
