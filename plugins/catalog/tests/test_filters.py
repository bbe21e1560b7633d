"""Filters that find few among many: asked first by an index of their own, or checked along the list."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.custom import FEW
from kernel.db import new_id
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.models import Product
from plugins.catalog.services import narrowing
from plugins.catalog.testing import a_product
from plugins.catalog.tests.test_import import applied

PRODUCTS = "/api/v1/catalog/products"


async def skus(box: Box, **asked: Any) -> list[str]:
    """The SKUs of products that filters let through, page by page."""
    found: list[str] = []
    query: dict[str, Any] = {"sort": "sku", "limit": 200, **asked}
    while True:
        answer = await box.client("owner").get(PRODUCTS, params=query)
        assert answer.status_code == 200, answer.text
        found += [one["sku"] for one in answer.json()["items"]]
        if answer.json()["next_cursor"] is None:
            return found
        query["cursor"] = answer.json()["next_cursor"]


async def many_like(box: Box, model: uuid.UUID, many: int) -> None:
    """Products like another, with numbers for SKUs."""

    async def fill(work: Work) -> None:
        table = Product.__table__
        here = sa.select(table).where(table.c.business_id == work.business_id, table.c.id == model)
        like = dict((await work.execute(here)).mappings().one())
        rows = [like | {"id": new_id(), "sku": f"{n:05}", "name": f"Thing {n:05}"} for n in range(many)]
        await work.execute(sa.insert(Product), rows)

    await box.act(fill)


async def test_every_deed_that_changes_barcodes_says_whether_there_are_any(box: Box) -> None:
    """The invariants that are looked at afterwards compare what each product says with its barcodes."""
    owner, rice = box.client("owner"), await a_product(box)
    path = f"{PRODUCTS}/{rice}"
    assert (await skus(box, has_barcode=True), await skus(box, has_barcode=False)) == ([], ["RICE-2KG"])
    assert (await owner.post(f"{path}/barcodes", {"code": "X-1"})).status_code == 201
    assert (await owner.post(f"{path}/barcodes", {"code": "X-2"})).status_code == 201
    assert (await owner.send("DELETE", f"{path}/barcodes/X-1")).status_code == 204
    assert await skus(box, has_barcode=True) == ["RICE-2KG"]
    assert (await owner.send("DELETE", f"{path}/barcodes/X-2")).status_code == 204
    assert (await skus(box, has_barcode=True), await skus(box, has_barcode=False)) == ([], ["RICE-2KG"])
    assert (await owner.post(f"{path}/packs", {"name": "Box", "factor": "4", "barcode": "X-3"})).status_code == 201
    assert await skus(box, has_barcode=True) == ["RICE-2KG"]


async def test_tables_say_it_too(box: Box) -> None:
    await applied(box, "sku,name,price,barcodes\nA,Apple,1.5,X-1\nB,Bread,2.5,\n")
    assert (await skus(box, has_barcode=True), await skus(box, has_barcode=False)) == (["A"], ["B"])
    await applied(box, "sku,barcodes\nA,\nB,X-2\n")
    assert (await skus(box, has_barcode=True), await skus(box, has_barcode=False)) == (["B"], ["A"])


async def test_what_many_have_is_checked_along_the_list(box: Box) -> None:
    """More than may be asked first, on either side of a filter, and a few that differ."""
    model = await a_product(box, sku="A", price="10")
    await many_like(box, model, FEW + 50)
    await a_product(box, sku="B", price="20", barcodes=["X-1"])
    planned = await a_product(box, sku="C", price="30")
    week = {"price": "5", "until": (box.deployment.clock() + dt.timedelta(days=7)).isoformat()}
    assert (await box.client("owner").post(f"{PRODUCTS}/{planned}/prices", week)).status_code == 201
    everyday = ["A", *(f"{n:05}" for n in range(FEW + 50))]
    for asked, found in (
        ({"price_from": "11"}, ["B"]),
        ({"price_from": "1000"}, []),
        ({"price_to": "9"}, ["C"]),
        ({"price_from": "6"}, [*everyday, "B"]),
        ({"price_from": "6", "price_to": "10"}, everyday),
        ({"has_barcode": True}, ["B"]),
        ({"has_barcode": False}, [*everyday, "C"]),
        ({"has_barcode": False, "price_to": "9"}, ["C"]),
        ({"has_barcode": True, "price_to": "9"}, []),
        ({"price_from": "11", "q": "thing"}, []),
    ):
        assert sorted(await skus(box, **asked)) == sorted(found), asked
    counted = await box.client("owner").get(PRODUCTS, params={"price_from": "6", "include_total": True})
    assert counted.json()["total"] == FEW + 52


@pytest.mark.parametrize("asked", [{"price_to": "25"}, {"price_from": "25"}, {"has_barcode": True}])
async def test_what_is_asked_first_lets_nothing_else_through(
    box: Box, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for sku, price in (("A", "10"), ("B", "20"), ("C", "30")):
        await a_product(box, sku=sku, price=price, barcodes=[f"X-{sku}"] if sku != "B" else [])
    asked_first = await skus(box, **asked)
    monkeypatch.setattr(narrowing, "FEW", -1)
    assert await skus(box, **asked) == asked_first != []
