"""Rounding that a business sets, over HTTP: by method and of the total, audited, symmetric when money goes back."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product

SALES = "/api/v1/sales/sales"


async def set_to(box: Box, plugin: str, values: dict[str, Any]) -> None:
    path = f"/api/v1/settings/{plugin}"
    owner = box.client("owner")
    version = int((await owner.get(path)).headers["etag"].strip('"').partition(".")[0])
    answer = await owner.patch(path, {"values": values}, version=version)
    assert answer.status_code == 200, answer.text


async def a_cart(box: Box, price: str) -> dict[str, Any]:
    rice = await a_product(box, price=price, track_stock=False)
    return {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}]}


async def test_cash_is_rounded_as_the_business_says_and_a_void_gives_back_what_was_paid(box: Box) -> None:
    await set_to(box, "payments", {"rounding": [{"method": "cash", "step": "1", "mode": "down"}]})
    cart = await a_cart(box, "7.50")
    methods = (await box.client("cashier").get("/api/v1/payments/methods")).json()["items"]
    assert next(one["step"] for one in methods if one["code"] == "cash") == "1.00"
    answer = await box.client("cashier").post(SALES, cart | {"payments": [{"method": "cash", "amount": "7.50"}]})
    assert answer.status_code == 201, answer.text
    sale = answer.json()
    assert (sale["total"], sale["rounding"], sale["paid"], sale["balance_due"]) == ("7.50", "-0.50", "7.00", "0.00")
    voided = await box.client("manager").post(f"{SALES}/{sale['id']}/void", {"reason": "wrong"})
    assert voided.status_code == 200, voided.text
    assert [one["refunded"] for one in voided.json()["payments"]] == ["7.00"]
    trail = (await box.client("owner").get("/api/v1/audit", params={"limit": 50})).json()["items"]
    assert any(one["subject"] == "plugin:payments" for one in trail)


@pytest.mark.parametrize(("price", "rounding", "paid"), [("19.44", "-0.44", "19.00"), ("19.54", "0.46", "20.00")])
async def test_a_total_is_rounded_for_every_tender_and_told_in_the_quote(
    box: Box, price: str, rounding: str, paid: str
) -> None:
    await set_to(box, "sales", {"total_rounding": {"step": "1"}})
    cart = await a_cart(box, price)
    quote = (await box.client("cashier").post("/api/v1/sales/quote", cart)).json()
    assert (quote["total"], quote["rounding"]) == (price, rounding)
    answer = await box.client("cashier").post(SALES, cart | {"payments": [{"method": "bank_transfer", "amount": paid}]})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["rounding"], answer.json()["paid"]) == (rounding, paid)


async def test_a_method_that_pays_in_whole_shillings_says_so(box: Box) -> None:
    await set_to(box, "payments", {"rounding": [{"method": "bank_transfer", "step": "1"}]})
    cart = await a_cart(box, "7.30")
    for amount in ("7.30", "7.00"):
        paid = await box.client("cashier").post(
            SALES, cart | {"payments": [{"method": "bank_transfer", "amount": amount}]}
        )
        assert (paid.status_code, paid.json().get("paid")) == (201, "7.00"), paid.text
    two = [{"method": "bank_transfer", "amount": "6.50"}, {"method": "cash", "amount": "0.80"}]
    refused = await box.client("cashier").post(SALES, cart | {"payments": two})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/payments/0/amount"
    assert "multiples of KSh 1.00" in refused.text


async def test_a_step_that_no_coin_has_is_refused(box: Box) -> None:
    owner = box.client("owner")
    version = int((await owner.get("/api/v1/settings/payments")).headers["etag"].strip('"').partition(".")[0])
    said = {"values": {"rounding": [{"method": "cash", "step": "0.03"}]}}
    answer = await owner.patch("/api/v1/settings/payments", said, version=version)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_a_location_sells_as_is_said_there_and_another_as_the_business_does(box: Box) -> None:
    owner, cart = box.client("owner"), await a_cart(box, "7.30")
    there = await owner.post("/api/v1/locations", {"code": "west", "name": "West", "kind": "storefront"})
    carts = {"here": cart, "there": cart | {"location_id": there.json()["id"]}}
    await set_to(box, "sales", {"total_rounding": {"step": "0.5", "mode": "down"}})
    path = f"/api/v1/locations/{cart['location_id']}/settings"
    for plugin, values in (
        ("sales", {"total_rounding": None}),
        ("payments", {"rounding": [{"method": "cash", "step": "5"}]}),
    ):
        assert (await owner.patch(f"{path}/{plugin}", {"values": values}, version=0)).status_code == 200
    quotes = {name: (await owner.post("/api/v1/sales/quote", one)).json() for name, one in carts.items()}
    assert {name: one["rounding"] for name, one in quotes.items()} == {"here": "0.00", "there": "-0.30"}
    paid = {"payments": [{"method": "cash", "amount": "7.30"}]}
    sold = {name: (await owner.post(SALES, one | paid)).json() for name, one in carts.items()}
    assert (sold["here"]["rounding"], sold["here"]["paid"]) == ("-2.30", "5.00"), (
        "to fives here, and the total as it is"
    )
    assert (sold["there"]["rounding"], sold["there"]["paid"]) == ("-0.30", "7.00")
    steps = {}
    for name, one in carts.items():
        methods = (await owner.get("/api/v1/payments/methods", params={"location_id": one["location_id"]})).json()
        steps[name] = next(way["step"] for way in methods["items"] if way["code"] == "cash")
    assert steps == {"here": "5.00", "there": "0.01"}
