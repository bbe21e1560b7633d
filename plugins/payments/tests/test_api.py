"""Payments and refunds over the API, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.payments.testing import a_payment, a_subject

PAYMENTS, REFUNDS = "/api/v1/payments/payments", "/api/v1/payments/refunds"


async def test_the_methods_that_may_be_used_are_listed(box: Box) -> None:
    answer = await box.client("cashier").get("/api/v1/payments/methods")
    assert [one["code"] for one in answer.json()["items"]][:4] == ["cash", "bank_transfer", "card", "other"]
    assert answer.json()["items"][0] == {
        "code": "cash",
        "title": "Cash",
        "kind": "cash",
        "gives_change": True,
        "step": "0.01",
        "waits": "never",
        "takes_phone": False,
        "by_hand": False,
    }
    assert {one["code"]: one["waits"] for one in answer.json()["items"]}["bank_transfer"] == "may"


async def test_a_payment_shows_its_facts_and_refunds(box: Box) -> None:
    subject = a_subject()
    paid = await a_payment(box, 85_000, tendered=100_000, subject=subject)
    manager = box.client("manager")
    made = await manager.post(REFUNDS, {"payment_id": str(paid.id), "amount": "50.00", "reason": "one tin dented"})
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["amount"], body["status"], body["method"], body["by"]) == ("50.00", "done", "cash", "Manager")
    assert (body["subject_id"], body["subject_number"]) == (str(subject.id), subject.number)
    assert (body["location_id"], body["business_date"]) == (str(await box.location()), "2026-11-21")
    assert (await manager.get(made.headers["Location"])).json() == body
    whole = (await manager.get(f"{PAYMENTS}/{paid.id}")).json()
    assert (whole["amount"], whole["tendered"], whole["change"]) == ("850.00", "1000.00", "150.00")
    assert (whole["status"], whole["captured"], whole["refunded"], whole["taken_by"]) == (
        "captured",
        "850.00",
        "50.00",
        "Cashier",
    )
    assert [(one["kind"], one["source"], one["amount"]) for one in whole["events"]] == [
        ("captured", "hand", "850.00"),
        ("refund_done", "hand", "50.00"),
    ]
    assert whole["events"][1]["provider_ids"] == {"refund_id": body["id"]}
    assert whole["refunds"] == [body]


async def test_without_an_amount_all_that_is_left_goes_back(box: Box) -> None:
    paid, manager = await a_payment(box, 85_000), box.client("manager")
    first = {"payment_id": str(paid.id), "amount": "50.00", "reason": "dented"}
    await manager.post(REFUNDS, first)
    rest = await manager.post(REFUNDS, {"payment_id": str(paid.id), "reason": "all of it"})
    assert rest.json()["amount"] == "800.00"
    for amount in ("0.01", None):
        refused = await manager.post(REFUNDS, {"payment_id": str(paid.id), "amount": amount, "reason": "more"})
        assert (refused.status_code, refused.json()["code"]) == (409, "refund-too-large")
        assert refused.json()["errors"][0]["available"] == "0.00"


async def test_a_refund_is_made_once_however_often_it_is_sent(box: Box) -> None:
    paid, manager = await a_payment(box, 85_000), box.client("manager")
    data = {"payment_id": str(paid.id), "amount": "50.00", "reason": "dented"}
    first = await manager.post(REFUNDS, data, key="once")
    again = await manager.post(REFUNDS, data, key="once")
    assert again.json() == first.json()
    assert (await manager.get(f"{PAYMENTS}/{paid.id}")).json()["refunded"] == "50.00"
    without = await manager.send("POST", REFUNDS, json=data)
    assert (without.status_code, without.json()["code"]) == (400, "idempotency-key-required")


async def test_a_refund_may_be_made_at_another_location_on_its_own_day(box: Box) -> None:
    paid, elsewhere = await a_payment(box, 85_000), await box.location("store")
    box.clock.pass_by(days=2)
    data = {"payment_id": str(paid.id), "reason": "dented", "location_id": str(elsewhere)}
    made = (await box.client("manager").post(REFUNDS, data)).json()
    assert (made["location_id"], made["business_date"]) == (str(elsewhere), "2026-11-23")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"payment_id": "00000000-0000-0000-0000-000000000001"}, "/payment_id"),
        ({"amount": "0.00"}, "/amount"),
        ({"amount": "1.005"}, "/amount"),
        ({"amount": "-1.00"}, "/amount"),
        ({"reason": " "}, "/reason"),
        ({"location_id": "00000000-0000-0000-0000-000000000001"}, "/location_id"),
        ({"method": "barter"}, "/method"),
        ({"change": "1.00"}, "/change"),
    ],
)
async def test_a_refund_that_makes_no_sense_is_refused_at_its_place(
    box: Box, wrong: dict[str, Any], pointer: str
) -> None:
    paid = await a_payment(box, 85_000)
    data = {"payment_id": str(paid.id), "amount": "50.00", "reason": "dented", **wrong}
    refused = await box.client("manager").post(REFUNDS, data)
    fault = refused.json()["errors"][0]
    assert refused.status_code == (404 if fault["code"] == "not-found" else 422), refused.text
    assert fault["pointer"] == pointer
    assert (await box.client("manager").get(REFUNDS)).json()["items"] == []


async def test_payments_are_listed_newest_first_page_by_page_and_filtered(box: Box) -> None:
    first = await a_payment(box, 100)
    second = await a_payment(box, 200, "card")
    third = await a_payment(box, 300)
    client = box.client("accountant")
    page = (await client.get(PAYMENTS, params={"limit": 2, "include_total": "true"})).json()
    assert ([one["id"] for one in page["items"]], page["total"]) == ([str(third.id), str(second.id)], 3)
    rest = (await client.get(PAYMENTS, params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == ([str(first.id)], None)
    for params, many in (
        ({"method": "card"}, 1),
        ({"method": "mpesa"}, 0),
        ({"state": "captured"}, 3),
        ({"state": "failed"}, 0),
        ({"business_date": "2026-11-21"}, 3),
        ({"business_date": "2026-11-20"}, 0),
        ({"location_id": str(await box.location())}, 3),
        ({"location_id": str(uuid.uuid4())}, 0),
    ):
        answer = await client.get(PAYMENTS, params=params)
        assert len(answer.json()["items"]) == many, params
    assert (await client.get(PAYMENTS, params={"state": "lost"})).status_code == 422


async def test_refunds_are_listed_newest_first_and_filtered(box: Box) -> None:
    manager = box.client("manager")
    paid = [await a_payment(box, 1_000, method) for method in ("cash", "card")]
    made = [(await manager.post(REFUNDS, {"payment_id": str(one.id), "reason": "dented"})).json()["id"] for one in paid]
    page = (await manager.get(REFUNDS, params={"limit": 1})).json()
    rest = (await manager.get(REFUNDS, params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == made[::-1]
    for params in ({"payment_id": str(paid[1].id)}, {"method": "card"}):
        found = (await manager.get(REFUNDS, params=params)).json()["items"]
        assert [one["id"] for one in found] == [made[1]]


async def test_another_business_sees_nothing_and_gives_nothing_back(box: Box) -> None:
    paid = await a_payment(box, 1_000)
    made = await box.client("manager").post(REFUNDS, {"payment_id": str(paid.id), "amount": "1.00", "reason": "x"})
    stranger = box.client("owner", "sharma-kirana")
    assert (await stranger.get(f"{PAYMENTS}/{paid.id}")).status_code == 404
    assert (await stranger.get(f"{REFUNDS}/{made.json()['id']}")).status_code == 404
    assert (await stranger.get(PAYMENTS)).json()["items"] == []
    assert (await stranger.get(REFUNDS)).json()["items"] == []
    refused = await stranger.post(REFUNDS, {"payment_id": str(paid.id), "reason": "mine now"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/payment_id")


async def test_who_may_not_see_or_give_back_is_refused(box: Box) -> None:
    paid = await a_payment(box, 1_000)
    data = {"payment_id": str(paid.id), "reason": "dented"}
    made = (await box.client("manager").post(REFUNDS, {**data, "amount": "1.00"})).json()["id"]
    keeper, cashier = box.client("stock_keeper"), box.client("cashier")
    for path in ("/api/v1/payments/methods", PAYMENTS, f"{PAYMENTS}/{paid.id}", REFUNDS, f"{REFUNDS}/{made}"):
        assert (await keeper.get(path)).status_code == 403, path
        assert (await cashier.get(path)).status_code == 200, path
        assert (await box.client(None).get(path)).status_code == 401, path
    assert (await cashier.post(REFUNDS, data)).status_code == 403


async def test_money_goes_back_at_a_register_that_is_there(box: Box) -> None:
    paid, manager = await a_payment(box, 1_000), box.client("manager")
    here, there = await box.location(), await box.location("store")
    registers = (await manager.get("/api/v1/sales/registers", params={"location_id": str(here)})).json()["items"]
    data = {"payment_id": str(paid.id), "amount": "1.00", "reason": "dented", "location_id": str(here)}
    made = await manager.post(REFUNDS, data | {"register_id": registers[0]["id"]})
    assert (made.status_code, made.json()["register_id"]) == (201, registers[0]["id"])
    for place, register in ((here, str(uuid.uuid4())), (there, registers[0]["id"])):
        refused = await manager.post(REFUNDS, data | {"register_id": register, "location_id": str(place)})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (404, "/register_id")
