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


async def test_a_sku_that_is_taken_is_refused_where_it_stands(box: Box) -> None:
    await a_product(box, sku="RICE-2KG")
    owner, rice = box.client("owner"), {"name": "Rice", "price": "380", "sku": "RICE-2KG"}
    soap = {"name": "Soap", "price": "80", "sku": "SOAP"}
    for lines, pointer in (([soap, rice], "/products/1/sku"), ([soap, {**rice, "sku": "SOAP"}], "/products/1/sku")):
        refused = await owner.post(PATH, {"products": lines})
        assert (refused.status_code, refused.json()["code"]) == (409, "already-exists")
        assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]
    alone = await owner.post("/api/v1/catalog/products", rice)
    assert [one["pointer"] for one in alone.json()["errors"]] == ["/sku"]
    assert len((await owner.get("/api/v1/catalog/products")).json()["items"]) == 1
