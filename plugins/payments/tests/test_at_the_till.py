"""A payer asked at the till, over the API, on both databases: as a cashier and a till see it."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.testing.toy_provider import ToyProvider

SALES, PAYMENTS = "/api/v1/sales/sales", "/api/v1/payments/payments"


async def ring_up(toy: ToyBox, price: str, **payment: Any) -> httpx.Response:
    """Sell something of a price, paid by the toy."""
    product = {"sku": uuid.uuid4().hex, "name": "Rice", "price": price, "track_stock": False}
    made = await toy.box.client("owner").post("/api/v1/catalog/products", product)
    assert made.status_code == 201, made.text
    lines = [{"product_id": made.json()["id"], "quantity": "1"}]
    said = {"method": "toy", "amount": price, "phone": "0712 345 678"} | payment
    paid = {name: value for name, value in said.items() if value is not None}
    body = {"location_id": str(await toy.box.location()), "lines": lines, "payments": [paid]}
    return await toy.box.client("cashier").post(SALES, body)


async def test_what_cannot_be_asked_for_is_said_at_its_place_and_changes_nothing(toy: ToyBox) -> None:
    for price, payment, pointer, words in (
        ("500.00", {"phone": None}, "/payments/0/phone", "whose phone"),
        ("500.00", {"phone": "0212 345 678"}, "/payments/0/phone", "not a mobile number"),
        ("0.50", {}, "/payments/0/amount", "1.00 at least"),
        ("150001.00", {}, "/payments/0/amount", "150,000.00 at most"),
        ("500.50", {}, "/payments/0/amount", "multiples of"),
    ):
        refused = await ring_up(toy, price, **payment)
        [fault] = refused.json()["errors"]
        assert (refused.status_code, fault["pointer"]) == (422, pointer), refused.text
        assert words in fault["detail"]
    await toy.box.run_jobs()
    assert toy.provider.calls == []
    assert (await toy.box.client("owner").get(PAYMENTS)).json()["items"] == []


async def test_a_payer_is_asked_asked_again_and_pays_and_the_sale_is_completed(toy: ToyBox) -> None:
    box, provider, cashier = toy.box, toy.provider, toy.box.client("cashier")
    known = (await cashier.get("/api/v1/payments/methods")).json()["items"]
    assert {one["code"]: one["waits"] for one in known}["toy"] == "always"
    provider.next("ask", "decline")
    sale = (await ring_up(toy, "500.00")).json()
    assert (sale["status"], sale["payments"][0]["status"]) == ("pending", "created")
    first = sale["payments"][0]["id"]
    refused = await cashier.post(f"{PAYMENTS}/{first}/resend", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "payment-under-way")
    await box.run_jobs()
    assert (await cashier.get(f"{PAYMENTS}/{first}")).json()["status"] == "failed"
    late = await cashier.post(f"{PAYMENTS}/{first}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "not-cancellable")
    again = await cashier.post(f"{PAYMENTS}/{first}/resend", {})
    assert (again.status_code, again.json()["status"], again.json()["amount"]) == (201, "created", "500.00")
    await box.run_jobs()
    second = again.json()["id"]
    await _pay(toy.provider)
    box.clock.pass_by(seconds=13)
    asked = await cashier.post(f"{PAYMENTS}/{second}/ask")
    assert (asked.status_code, asked.json()["status"]) == (200, "pending")
    await box.run_jobs()
    whole = (await cashier.get(f"{PAYMENTS}/{second}")).json()
    assert (whole["status"], whole["captured"]) == ("captured", "500.00")
    assert (await cashier.get(f"{SALES}/{sale['id']}")).json()["status"] == "completed"
    known_by_number = await cashier.post(f"{PAYMENTS}/{second}/ask")
    assert (known_by_number.status_code, known_by_number.json()["code"]) == (409, "not-awaited")
    text = str(await box.trail(f"payment:{second}"))
    assert "resend" in text
    assert "712345678" not in text


async def test_one_payment_is_asked_about_every_few_seconds_and_only_by_who_may(toy: ToyBox) -> None:
    box, cashier = toy.box, toy.box.client("cashier")
    payment = (await ring_up(toy, "500.00")).json()["payments"][0]["id"]
    await box.run_jobs()
    box.clock.pass_by(seconds=13)
    await box.run_jobs()
    often = await cashier.post(f"{PAYMENTS}/{payment}/ask")
    assert (often.status_code, often.json()["code"], often.headers["Retry-After"]) == (429, "rate-limited", "5")
    keeper = box.client("stock_keeper")
    for deed in ("ask", "cancel", "resend"):
        answers = [
            await keeper.post(f"{PAYMENTS}/{payment}/{deed}", {} if deed == "resend" else None),
            await box.client("owner", "sharma-kirana").post(
                f"{PAYMENTS}/{payment}/{deed}", {} if deed == "resend" else None
            ),
        ]
        assert [one.status_code for one in answers] == [403, 404]


async def _pay(provider: ToyProvider) -> None:
    provider.pay(max(provider.payments))
