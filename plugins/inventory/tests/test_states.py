"""Products by how much of them there is: out of stock, low, in stock."""

from __future__ import annotations

from typing import Any

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.inventory.testing import stock

PRODUCTS, STATE = "/api/v1/catalog/products", "ext.inventory.stock"


async def _skus(box: Box, role: str = "owner", **params: Any) -> list[str]:
    answer = await box.client(role).get(PRODUCTS, params={"sort": "sku", **params})
    assert answer.status_code == 200, answer.text
    return [one["sku"] for one in answer.json()["items"]]


async def _shelves(box: Box) -> None:
    """Plenty of one, the minimum of another, one sold out, one that never came, and a service that nobody counts."""
    here = await box.location()
    for sku, quantity in (("PLENTY", "40"), ("LEAST", "5"), ("GONE", "2")):
        await stock(box, await a_product(box, sku=sku, name=f"Thing {sku}", min_stock="5"), here, quantity)
    await a_product(box, sku="NEVER", name="Thing NEVER")
    await a_product(box, sku="WORK", name="Thing WORK", kind="service", unit="hour")
    gone = (await box.client("owner").get(PRODUCTS, params={"q": "GONE"})).json()["items"][0]["id"]
    lines = [{"product_id": gone, "quantity": "-2"}]
    said = {"location_id": str(here), "reason": "Broken", "lines": lines}
    headers = {"Idempotency-Key": "gone"}
    done = await box.client("owner").post("/api/v1/inventory/adjustments", said, headers=headers)
    assert done.status_code == 201, done.text


async def test_products_are_found_by_how_much_there_is(box: Box) -> None:
    await _shelves(box)
    assert await _skus(box, **{STATE: "in"}) == ["LEAST", "PLENTY"]
    assert await _skus(box, **{STATE: "low"}) == ["GONE", "LEAST"]
    assert await _skus(box, **{STATE: "out"}) == ["GONE", "NEVER"]
    assert await _skus(box, **{STATE: "out", "q": "thing gon"}) == ["GONE"]
    assert await _skus(box, **{STATE: "in", "price_from": "999999"}) == []
    counted = await box.client("owner").get(PRODUCTS, params={STATE: "low", "limit": 1, "include_total": True})
    assert counted.json()["total"] == 2
    after = await box.client("owner").get(
        PRODUCTS, params={STATE: "low", "limit": 1, "cursor": counted.json()["next_cursor"]}
    )
    assert {counted.json()["items"][0]["sku"], after.json()["items"][0]["sku"]} == {"GONE", "LEAST"}


async def test_what_is_many_is_found_alike(box: Box, monkeypatch: Any) -> None:
    """Whether a state is asked first or row by row, it finds the same."""
    await _shelves(box)
    asked_first = {state: await _skus(box, **{STATE: state}) for state in ("in", "low", "out")}
    monkeypatch.setattr("kernel.custom.filtering.FEW", -1)
    assert {state: await _skus(box, **{STATE: state}) for state in ("in", "low", "out")} == asked_first


async def test_a_state_that_is_none_is_refused_and_so_is_who_may_not_see_stock(box: Box) -> None:
    wrong = await box.client("owner").get(PRODUCTS, params={STATE: "plenty"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, f"?{STATE}")
    ranged = await box.client("owner").get(PRODUCTS, params={f"{STATE}.from": "in"})
    assert (ranged.status_code, ranged.json()["errors"][0]["code"]) == (422, "unknown")
    cannot = await box.client("owner").get(PRODUCTS, params={STATE: ""})
    assert cannot.status_code == 422


async def test_the_document_names_the_states_to_whoever_may_see_stock(box: Box) -> None:
    said = (await box.client("owner").get("/api/v1/openapi.json")).json()
    asked = {one["name"]: one for one in said["paths"]["/api/v1/catalog/products"]["get"]["parameters"]}
    assert asked[STATE]["schema"]["enum"] == ["in", "low", "out"]
    assert "`out`: None is available" in asked[STATE]["description"]


async def test_many_are_changed_by_their_state(box: Box) -> None:
    await _shelves(box)
    which = {"matching": {"ext": {"inventory.stock": "out"}}, "change": {"is_active": False}}
    looked = await box.client("owner").post("/api/v1/catalog/product-edits/preview", which)
    assert (looked.status_code, looked.json()["changed"]) == (200, 2)


async def test_the_list_of_products_offers_the_states_to_whoever_may_see_stock(box: Box) -> None:
    await _shelves(box)
    page = await Browser(box).get(f"/catalog/products?{STATE}=out")
    assert "Thing GONE" in page.text
    assert "Thing PLENTY" not in page.text
    assert f'name="{STATE}"' in page.answer.text
    assert "Any stock" in page.text
