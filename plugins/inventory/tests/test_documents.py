"""Receipts and adjustments through the API, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.inventory.testing import on_hand, stock

RECEIPTS, ADJUSTMENTS = "/api/v1/inventory/receipts", "/api/v1/inventory/adjustments"


async def _receipt(box: Box, *lines: tuple[uuid.UUID, str], at: str = "kilimani", **more: Any) -> dict[str, Any]:
    said = [{"product_id": str(product), "quantity": quantity} for product, quantity in lines]
    return {"location_id": str(await box.location(at)), "lines": said, **more}


async def test_goods_taken_in_raise_the_level_and_leave_a_numbered_receipt(box: Box) -> None:
    rice, kilimani = await a_product(box, name="Rice 2kg"), await box.location()
    body = await _receipt(box, (rice, "40"), (rice, "2"), supplier="Mwea Mills", note="Two bags torn")
    body["lines"][0]["unit_cost"] = "310.125"
    made = await box.client("stock_keeper").post(RECEIPTS, body)
    assert made.status_code == 201, made.text
    said = made.json()
    assert said["number"] == "GR-KILIMANI-000001"
    assert (said["kind"], said["supplier"], said["business_date"]) == ("receipt", "Mwea Mills", "2026-11-21")
    assert said["by"]["name"] == "Stock_Keeper"
    assert [(one["line"], one["name"], one["quantity"], one["unit_cost"]) for one in said["lines"]] == [
        (1, "Rice 2kg", "40", "310.125"),
        (2, "Rice 2kg", "2", None),
    ]
    assert await on_hand(box, rice, kilimani) == "42"
    read = await box.client("cashier").get(made.headers["Location"])
    said["lines"] = [{name: one[name] for name in one if name != "unit_cost"} for one in said["lines"]]
    assert read.json() == said  # a cashier sees the receipt, not what it cost


async def test_each_location_counts_its_documents_without_a_gap(box: Box) -> None:
    rice = await a_product(box)
    owner = box.client("owner")
    refused = await owner.post(RECEIPTS, await _receipt(box, (rice, "0")))
    assert refused.status_code == 422
    numbers = [
        (await owner.post(RECEIPTS, await _receipt(box, (rice, "1"), at=at))).json()["number"]
        for at in ("kilimani", "store", "kilimani")
    ]
    assert numbers == ["GR-KILIMANI-000001", "GR-STORE-000001", "GR-KILIMANI-000002"]


async def test_an_adjustment_takes_and_adds(box: Box) -> None:
    rice, tea, kilimani = await a_product(box), await a_product(box, "TEA"), await box.location()
    await stock(box, rice, kilimani, "5")
    body = await _receipt(box, (rice, "-2"), (tea, "3"), reason="Counted on Monday")
    made = await box.client("manager").post(ADJUSTMENTS, body)
    assert made.status_code == 201, made.text
    assert (made.json()["number"], made.json()["reason"]) == ("AD-KILIMANI-000001", "Counted on Monday")
    assert (await on_hand(box, rice, kilimani), await on_hand(box, tea, kilimani)) == ("3", "3")
    read = await box.client("manager").get(made.headers["Location"])
    assert read.json() == made.json()


async def test_an_adjustment_below_zero_is_refused_whole(box: Box) -> None:
    rice, tea, kilimani = await a_product(box, name="Rice 2kg"), await a_product(box, "TEA"), await box.location()
    await stock(box, rice, kilimani, "1")
    body = await _receipt(box, (tea, "7"), (rice, "-1"), (rice, "-1"), reason="Broken")
    refused = await box.client("manager").post(ADJUSTMENTS, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "out-of-stock")
    assert refused.json()["detail"] == "Rice 2kg: 2 wanted, 1 left at Kilimani."
    assert [(one["pointer"], one["available"]) for one in refused.json()["errors"]] == [
        ("/lines/1/quantity", "1"),
        ("/lines/2/quantity", "1"),
    ]
    assert (await on_hand(box, rice, kilimani), await on_hand(box, tea, kilimani)) == ("1", "0")


async def test_lines_of_one_product_are_set_off_against_each_other(box: Box) -> None:
    rice, kilimani = await a_product(box), await box.location()
    body = await _receipt(box, (rice, "-3"), (rice, "4"), reason="Wrong shelf")
    assert (await box.client("manager").post(ADJUSTMENTS, body)).status_code == 201
    assert await on_hand(box, rice, kilimani) == "1"


async def test_a_product_that_may_goes_below_zero(box: Box) -> None:
    bread, kilimani = await a_product(box, allow_negative_stock=True), await box.location()
    body = await _receipt(box, (bread, "-2"), reason="Sold before it was received")
    assert (await box.client("manager").post(ADJUSTMENTS, body)).status_code == 201
    assert await on_hand(box, bread, kilimani) == "-2"


async def test_a_product_that_no_longer_may_stays_where_it_is_but_goes_no_lower(box: Box) -> None:
    bread, kilimani = await a_product(box, allow_negative_stock=True), await box.location()
    manager = box.client("manager")
    body = await _receipt(box, (bread, "-2"), reason="Sold before it was received")
    assert (await manager.post(ADJUSTMENTS, body)).status_code == 201
    strict = await manager.patch(f"/api/v1/catalog/products/{bread}", {"allow_negative_stock": False}, version=1)
    assert strict.status_code == 200, strict.text
    refused = await manager.post(ADJUSTMENTS, body)
    assert refused.json()["errors"][0]["available"] == "0"
    assert await on_hand(box, bread, kilimani) == "-2"


@pytest.mark.parametrize("route", [RECEIPTS, ADJUSTMENTS])
@pytest.mark.parametrize(
    ("fields", "quantity", "pointer", "code"),
    [
        ({"track_stock": False}, "1", "/lines/0/product_id", "not-counted"),
        ({"is_active": False}, "1", "/lines/0/product_id", "inactive"),
        ({}, "0.5", "/lines/0/quantity", "too-fine"),
        ({"unit": "kg"}, "0.0005", "/lines/0/quantity", "too-fine"),
        ({}, "0", "/lines/0/quantity", "zero"),
        ({}, "1e3", "/lines/0/quantity", "invalid"),
        ({}, "-0", "/lines/0/quantity", "invalid"),
    ],
)
async def test_lines_that_cannot_be_are_refused_at_their_place(
    box: Box, route: str, fields: dict[str, Any], quantity: str, pointer: str, code: str
) -> None:
    product = await a_product(box, **{k: v for k, v in fields.items() if k != "is_active"})
    if fields.get("is_active") is False:
        await box.client("owner").patch(f"/api/v1/catalog/products/{product}", {"is_active": False}, version=1)
    body = await _receipt(box, (product, quantity)) | ({"reason": "Broken"} if route == ADJUSTMENTS else {})
    refused = await box.client("owner").post(route, body)
    assert refused.status_code == 422, refused.text
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("route", [RECEIPTS, ADJUSTMENTS])
async def test_another_businesss_places_and_products_are_not_there(box: Box, route: str) -> None:
    ours, theirs = await a_product(box), await a_product(box, shop="sharma-kirana")
    body = await _receipt(box, (theirs, "1")) | ({"reason": "Broken"} if route == ADJUSTMENTS else {})
    owner = box.client("owner")
    assert (await owner.post(route, body)).json()["errors"][0]["pointer"] == "/lines/0/product_id"
    body["lines"][0]["product_id"] = str(ours)
    body["location_id"] = str(await box.location(shop="sharma-kirana"))
    refused = await owner.post(route, body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/location_id")


@pytest.mark.parametrize("route", [RECEIPTS, ADJUSTMENTS])
async def test_a_location_that_is_switched_off_takes_no_documents(box: Box, route: str) -> None:
    rice, store = await a_product(box), await box.location("store")
    owner = box.client("owner")
    off = await owner.patch(f"/api/v1/locations/{store}", {"is_active": False}, version=1)
    assert off.status_code == 200, off.text
    body = await _receipt(box, (rice, "1"), at="store") | ({"reason": "Broken"} if route == ADJUSTMENTS else {})
    refused = await owner.post(route, body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "inactive")


@pytest.mark.parametrize(("reason", "status"), [("", 422), ("   ", 422), ("x" * 201, 422), ("Broken", 201)])
async def test_an_adjustment_has_a_reason(box: Box, reason: str, status: int) -> None:
    body = await _receipt(box, (await a_product(box), "1"), reason=reason)
    assert (await box.client("owner").post(ADJUSTMENTS, body)).status_code == status


async def test_a_quantity_beyond_what_can_be_counted_is_refused(box: Box) -> None:
    rice = await a_product(box)
    body = await _receipt(box, *[(rice, "999999999999")] * 5)
    refused = await box.client("owner").post(RECEIPTS, body)
    assert refused.status_code == 422, refused.text


@pytest.mark.parametrize("route", [RECEIPTS, ADJUSTMENTS])
async def test_stock_moves_only_with_an_idempotency_key_and_then_once(box: Box, route: str) -> None:
    rice, kilimani = await a_product(box), await box.location()
    body = await _receipt(box, (rice, "3")) | ({"reason": "Found"} if route == ADJUSTMENTS else {})
    owner = box.client("owner")
    without = await owner.send("POST", route, json=body)
    assert (without.status_code, without.json()["code"]) == (400, "idempotency-key-required")
    first, again = [await owner.post(route, body, key="the-same") for _ in range(2)]
    assert (first.status_code, first.content) == (201, again.content)
    assert await on_hand(box, rice, kilimani) == "3"


@pytest.mark.parametrize("route", [RECEIPTS, ADJUSTMENTS])
async def test_documents_are_listed_newest_first_and_filtered(box: Box, route: str) -> None:
    rice, owner = await a_product(box), box.client("owner")
    reason = {"reason": "Found"} if route == ADJUSTMENTS else {}
    for at in ("kilimani", "store", "kilimani"):
        assert (await owner.post(route, await _receipt(box, (rice, "1"), at=at) | reason)).status_code == 201
        box.clock.pass_by(days=1)
    first = (await owner.get(route, params={"limit": 2, "include_total": "true"})).json()
    rest = (await owner.get(route, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    numbers = [one["number"][3:] for one in (*first["items"], *rest["items"])]
    assert (numbers, first["total"]) == (["KILIMANI-000002", "STORE-000001", "KILIMANI-000001"], 3)
    assert rest["next_cursor"] is None

    async def found(**params: str) -> list[str]:
        listed = await owner.get(route, params=params)
        assert listed.status_code == 200, listed.text
        return [one["number"][3:] for one in listed.json()["items"]]

    assert await found(location_id=str(await box.location("store"))) == ["STORE-000001"]
    assert await found(from_date="2026-11-22", to_date="2026-11-22") == ["STORE-000001"]
    assert await found(from_date="2026-11-23") == ["KILIMANI-000002"]
    assert (await box.client("owner", "sharma-kirana").get(route)).json()["items"] == []


@pytest.mark.parametrize("route", [RECEIPTS, ADJUSTMENTS])
async def test_a_document_of_another_business_is_not_there(box: Box, route: str) -> None:
    rice, reason = await a_product(box), {"reason": "Found"} if route == ADJUSTMENTS else {}
    made = await box.client("owner").post(route, await _receipt(box, (rice, "1")) | reason)
    theirs = await box.client("owner", "sharma-kirana").get(made.headers["Location"])
    assert theirs.status_code == 404
    assert (await box.client("owner").get(f"{route}/{uuid.uuid4()}")).status_code == 404
    assert (await box.client("owner").get(f"{route}/nonsense")).status_code == 404


@pytest.mark.parametrize(("route", "role"), [(RECEIPTS, "cashier"), (RECEIPTS, "accountant"), (ADJUSTMENTS, "cashier")])
async def test_who_may_not_move_stock_does_not(box: Box, route: str, role: str) -> None:
    rice, kilimani = await a_product(box), await box.location()
    body = await _receipt(box, (rice, "1")) | ({"reason": "Found"} if route == ADJUSTMENTS else {})
    assert (await box.client(role).post(route, body)).status_code == 403
    assert await on_hand(box, rice, kilimani) == "0"
