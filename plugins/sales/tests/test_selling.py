"""Selling through the API, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.customers.testing import a_customer


async def _body(box: Box, paid: str | None, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"location_id": str(await box.location(more.pop("at", "kilimani"))), "lines": list(lines)}
    if paid is not None:
        said["payments"] = [{"method": "cash", "amount": paid}]
    return said | more


async def test_a_cash_sale_is_priced_numbered_and_paid(box: Box) -> None:
    rice = await a_product(box, sku="RICE-2KG", price="380.00", track_stock=False)
    body = await _body(box, None, {"product_id": str(rice), "quantity": "2"})
    body["payments"] = [{"method": "cash", "amount": "760.00", "tendered": "1000.00"}]
    sold = await box.client("cashier").post("/api/v1/sales/sales", body)
    assert sold.status_code == 201, sold.text
    sale = sold.json()
    assert sale["number"] == "O1-2026-000001"
    assert sold.headers["Location"] == f"/api/v1/sales/sales/{sale['id']}"
    assert (sale["total"], sale["tax_total"], sale["paid"], sale["change"]) == ("760.00", "104.83", "760.00", "240.00")
    assert (sale["lines"][0]["net"], sale["lines"][0]["taxes"][0]["rate"]) == ("655.17", "16")
    assert sale["cashier"]["name"] == "Cashier"
    assert sale["business_date"] == "2026-11-21"
    read = await box.client("manager").get(f"/api/v1/sales/sales/{sale['id']}")
    assert read.json() == sale


async def test_a_quote_answers_what_the_sale_would_cost_and_writes_nothing(box: Box) -> None:
    rice = await a_product(box, price="380.00", track_stock=False)
    line = {"product_id": str(rice), "quantity": "3"}
    quoted = await box.client("cashier").post("/api/v1/sales/quote", await _body(box, None, line))
    assert quoted.status_code == 200, quoted.text
    sold = await box.client("cashier").post("/api/v1/sales/sales", await _body(box, quoted.json()["total"], line))
    for name in ("lines", "subtotal", "discount_total", "tax_total", "total", "epoch", "register_id"):
        assert sold.json()[name] == quoted.json()[name]
    listed = await box.client("manager").get("/api/v1/sales/sales", params={"include_total": "true"})
    assert listed.json()["total"] == 1


async def test_discounts_by_hand_come_off_the_line_and_the_document(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    body = await _body(
        box,
        "171.00",
        {"product_id": str(rice), "quantity": "2", "discount": {"percent": "10", "reason": "bruised"}},
        discount={"amount": "9.00", "reason": "regular"},
    )
    sale = (await box.client("manager").post("/api/v1/sales/sales", body)).json()
    assert (sale["subtotal"], sale["discount_total"], sale["total"]) == ("200.00", "29.00", "171.00")
    trace = await box.client("manager").get(f"/api/v1/sales/sales/{sale['id']}/lines/1/trace")
    assert [step["phase"] for step in trace.json()["steps"]] == ["list", "hand", "document"]
    assert "bruised" in trace.json()["words"][1]


async def test_wholesale_takes_the_wholesale_price(box: Box) -> None:
    rice = await a_product(box, price="100.00", wholesale_price="90.00", track_stock=False)
    body = await _body(box, "90.00", {"product_id": str(rice)}, channel="wholesale")
    sale = (await box.client("cashier").post("/api/v1/sales/sales", body)).json()
    assert sale["lines"][0]["steps"][0]["rule"] == "wholesale price"


async def test_a_carton_is_sold_by_its_own_barcode_at_its_own_price(box: Box) -> None:
    packs = [{"name": "Carton of 12", "factor": "12", "price": "1000.00", "barcode": "6161100000018"}]
    await a_product(box, price="100.00", packs=packs, track_stock=False)
    body = await _body(box, "1000.00", {"barcode": "6161100000018", "quantity": "1"})
    sale = (await box.client("cashier").post("/api/v1/sales/sales", body)).json()
    assert (sale["lines"][0]["pack"], sale["lines"][0]["unit_price"]) == ("Carton of 12", "1000.00")


async def test_several_payments_settle_a_sale_and_only_cash_gives_change(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    body = await _body(box, None, {"product_id": str(rice)})
    card, cash = {"method": "card", "amount": "60.00"}, {"method": "cash", "amount": "50.00"}
    sale = await box.client("cashier").post("/api/v1/sales/sales", body | {"payments": [card, cash]})
    assert [one["amount"] for one in sale.json()["payments"]] == ["60.00", "40.00"]
    assert sale.json()["change"] == "10.00"
    over = await box.client("cashier").post("/api/v1/sales/sales", body | {"payments": [card, card]})
    assert (over.status_code, over.json()["code"]) == (422, "overpaid")
    assert over.json()["errors"][0]["pointer"] == "/payments/0/amount" or over.json()["errors"][0]["pointer"] == (
        "/payments/1/amount"
    )


async def test_part_payment_is_refused_and_leaves_no_gap_in_the_numbers(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    line = {"product_id": str(rice)}
    short = await box.client("cashier").post("/api/v1/sales/sales", await _body(box, "99.99", line))
    assert (short.status_code, short.json()["code"]) == (422, "payment-short")
    assert short.json()["errors"][0]["due"] == "0.01"
    whole = await box.client("cashier").post("/api/v1/sales/sales", await _body(box, "100.00", line))
    assert whole.json()["number"] == "O1-2026-000001"


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"lines": []}, 422, "/lines"),
        ({"lines": [{"quantity": "1"}]}, 422, "/lines/0"),
        ({"lines": [{"product_id": str(uuid.UUID(int=7))}]}, 404, "/lines/0/product_id"),
        ({"lines": [{"barcode": "4006381333931"}]}, 404, "/lines/0/barcode"),
        ({"customer_id": str(uuid.UUID(int=7))}, 404, "/customer_id"),
        ({"register_id": str(uuid.UUID(int=7))}, 404, "/register_id"),
        ({"location_id": str(uuid.UUID(int=7))}, 404, "/location_id"),
        ({"channel": "mail"}, 422, "/channel"),
        ({"total": "1.00"}, 422, "/total"),
        ({"ext": {"nobody": {}}}, 422, "/ext/nobody"),
        ({"payments": [{"method": "shells", "amount": "1.00"}]}, 422, "/payments/0/method"),
    ],
)
async def test_a_cart_that_is_not_right_is_refused_at_its_place(
    box: Box, change: dict[str, Any], status: int, pointer: str
) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    body = await _body(box, "100.00", {"product_id": str(rice)}) | change
    answer = await box.client("owner").post("/api/v1/sales/sales", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_quantities_follow_the_unit(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    tomatoes = await a_product(box, sku="TOM", price="80.00", unit="kg", track_stock=False)
    half = await box.client("cashier").post("/api/v1/sales/quote", await _body(box, None, _of(rice, "0.5")))
    assert (half.status_code, half.json()["code"]) == (422, "not-sold")
    weighed = await box.client("cashier").post("/api/v1/sales/quote", await _body(box, None, _of(tomatoes, "0.750")))
    assert weighed.json()["total"] == "60.00"
    too_fine = await box.client("cashier").post("/api/v1/sales/quote", await _body(box, None, _of(tomatoes, "0.7501")))
    assert too_fine.status_code == 422


async def test_what_a_cashier_may_not_do_is_forbidden(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    line = {"product_id": str(rice)}
    cashier = box.client("cashier")
    priced = await cashier.post("/api/v1/sales/sales", await _body(box, "1.00", line | {"unit_price": "1.00"}))
    past = await cashier.post("/api/v1/sales/sales", await _body(box, "100.00", line, sold_at="2026-11-20T09:00:00Z"))
    keeper = await box.client("stock_keeper").post("/api/v1/sales/sales", await _body(box, "100.00", line))
    assert [one.status_code for one in (priced, past, keeper)] == [403, 403, 403]
    manager = await box.client("manager").post(
        "/api/v1/sales/sales", await _body(box, "1.00", line | {"unit_price": "1.00"}, sold_at="2026-11-20T09:00:00Z")
    )
    assert (manager.status_code, manager.json()["business_date"]) == (201, "2026-11-20")
    future = await box.client("manager").post(
        "/api/v1/sales/sales", await _body(box, "100.00", line, sold_at="2026-11-22T09:00:00Z")
    )
    assert future.json()["errors"][0]["pointer"] == "/sold_at"


async def test_the_same_id_twice_is_one_sale(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    body = await _body(box, "100.00", {"product_id": str(rice)}, id=str(uuid.uuid4()))
    first = await box.client("cashier").post("/api/v1/sales/sales", body, key="one")
    again = await box.client("cashier").post("/api/v1/sales/sales", body, key="two")
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["code"] == "already-exists"
    replay = await box.client("cashier").post("/api/v1/sales/sales", body, key="one")
    assert (replay.content, replay.headers["Idempotency-Replayed"]) == (first.content, "true")


async def test_a_price_above_the_mrp_is_refused_in_india(box: Box) -> None:
    soap = await a_product(box, price="40.00", mrp="38.00", track_stock=False, shop="sharma-kirana")
    location = str(await box.location(shop="sharma-kirana"))
    body = {"location_id": location, "lines": [{"product_id": str(soap)}]}
    quoted = await box.client("cashier", "sharma-kirana").post("/api/v1/sales/quote", body)
    assert (quoted.status_code, quoted.json()["code"]) == (422, "above-mrp")


async def test_customers_of_the_business_are_named_on_the_sale(box: Box) -> None:
    rice, wambui = await a_product(box, price="100.00", track_stock=False), await a_customer(box)
    body = await _body(box, "100.00", {"product_id": str(rice)}, customer_id=str(wambui))
    sale = (await box.client("cashier").post("/api/v1/sales/sales", body)).json()
    listed = await box.client("manager").get("/api/v1/sales/sales", params={"customer_id": str(wambui)})
    assert [one["id"] for one in listed.json()["items"]] == [sale["id"]]


def _of(product: uuid.UUID, quantity: str) -> dict[str, Any]:
    return {"product_id": str(product), "quantity": quantity}
