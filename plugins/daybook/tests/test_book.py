"""The day book through the API, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.sales.testing import a_sale

DAY = "/api/v1/daybook/days/2026-11-21"


async def _expense(box: Box, **more: Any) -> Any:
    said = {"location_id": str(await box.location()), "amount": "35.00", "category": "transport"} | more
    return await box.client("cashier").post("/api/v1/daybook/expenses", said)


async def test_a_sale_and_its_payments_are_entered_once_each(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    sale = await a_sale(box, {rice: "2"})
    entries = (await box.client("accountant").get("/api/v1/daybook/entries")).json()["items"]
    assert [(one["kind"], one["account"], one["direction"], one["amount"]) for one in entries] == [
        ("payment", "cash", "in", "200.00"),
        ("sale", None, "none", "200.00"),
    ]
    assert {one["document_number"] for one in entries} == {sale.number}
    day = (await box.client("accountant").get(DAY)).json()
    assert (day["sales"], day["sales_total"]) == (1, "200.00")
    assert day["accounts"] == [
        {"account": "cash", "opening": "0.00", "received": "200.00", "paid": "0.00", "closing": "200.00"}
    ]


async def test_a_void_adds_its_contra_and_leaves_the_sale(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    sale = await a_sale(box, {rice: "1"}, method="card")
    void = await box.client("manager").post(f"/api/v1/sales/sales/{sale.id}/void", {"reason": "wrong"})
    assert void.status_code == 200, void.text
    day = (await box.client("accountant").get(DAY)).json()
    assert (day["sales"], day["voids"], day["voids_total"]) == (1, 1, "100.00")
    assert day["accounts"][0] | {"account": "card"} == {
        "account": "card",
        "opening": "0.00",
        "received": "100.00",
        "paid": "100.00",
        "closing": "0.00",
    }


async def test_a_day_opens_with_what_the_day_before_closed_with(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    await a_sale(box, {rice: "3"})
    box.clock.pass_by(days=1)
    await a_sale(box, {rice: "1"})
    assert (await _expense(box)).status_code == 201
    accountant = box.client("accountant")
    before = (await accountant.get(DAY)).json()["accounts"][0]
    after = (await accountant.get("/api/v1/daybook/days/2026-11-22")).json()["accounts"][0]
    assert (before["closing"], after["opening"]) == ("300.00", "300.00")
    assert (after["received"], after["paid"], after["closing"]) == ("100.00", "35.00", "365.00")
    elsewhere = await accountant.get(DAY, params={"location_id": str(await box.location("store"))})
    assert elsewhere.json()["accounts"] == []


async def test_an_expense_is_numbered_and_taken_back_once(box: Box) -> None:
    noted = (await _expense(box, payee="Boda")).json()
    assert noted["number"] == "EX-2026-000001"
    path = f"/api/v1/daybook/expenses/{noted['id']}/reverse"
    back = await box.client("cashier").post(path, {"reason": "typed twice"})
    assert (back.status_code, back.json()["reverses_id"]) == (201, noted["id"])
    again = await box.client("cashier").post(path, {"reason": "typed twice"})
    assert (again.status_code, again.json()["code"]) == (409, "already-reversed")
    mirror = await box.client("cashier").post(f"/api/v1/daybook/expenses/{back.json()['id']}/reverse", {"reason": "no"})
    assert mirror.status_code == 409
    day = (await box.client("accountant").get(DAY)).json()
    assert (day["expenses_total"], day["accounts"][0]["closing"]) == ("0.00", "0.00")
    listed = (await box.client("accountant").get("/api/v1/daybook/expenses")).json()["items"]
    assert [one["number"] for one in listed] == ["EX-2026-000002", "EX-2026-000001"]


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"amount": "0"}, 422, "/amount"),
        ({"amount": "1.005"}, 422, "/amount"),
        ({"amount": "-1"}, 422, "/amount"),
        ({"method": "shells"}, 422, "/method"),
        ({"category": ""}, 422, "/category"),
        ({"location_id": str(uuid.UUID(int=9))}, 404, "/location_id"),
        ({"number": "EX-1"}, 422, "/number"),
    ],
)
async def test_an_expense_that_is_not_right_is_refused_at_its_place(
    box: Box, change: dict[str, Any], status: int, pointer: str
) -> None:
    answer = await _expense(box, **change)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await box.client("accountant").get("/api/v1/daybook/entries")).json()["items"] == []


async def test_who_may_read_the_book_and_who_may_spend(box: Box) -> None:
    for path in (DAY, "/api/v1/daybook/entries", "/api/v1/daybook/expenses"):
        assert (await box.client("cashier").get(path)).status_code == 403
        assert (await box.client("manager").get(path)).status_code == 200
    said = {"location_id": str(await box.location()), "amount": "1.00", "category": "x"}
    assert (await box.client("stock_keeper").post("/api/v1/daybook/expenses", said)).status_code == 403
    assert (await box.client("accountant").get("/api/v1/daybook/days/2026-02-30")).status_code == 404
    foreign = await box.client("manager", "sharma-kirana").get("/api/v1/daybook/entries")
    assert foreign.json()["items"] == []


async def test_a_book_that_was_off_has_what_it_missed_as_soon_as_the_jobs_have_run(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    owner = box.client("owner")
    assert (await owner.post("/api/v1/plugins/daybook/disable")).status_code == 200
    unseen = await a_sale(box, {rice: "1"})
    assert (await owner.post("/api/v1/plugins/daybook/enable")).status_code == 200
    seen = await a_sale(box, {rice: "1"})
    void = await owner.post(f"/api/v1/sales/sales/{unseen.id}/void", {"reason": "x"})
    assert void.status_code == 200, void.text
    await Runner(box.deployment, standing_of_business).run_due()
    entries = (await box.client("accountant").get("/api/v1/daybook/entries")).json()["items"]
    told = sorted((one["document_number"], one["kind"]) for one in entries)
    of_unseen = [(unseen.number, kind) for kind in ("payment", "refund", "sale", "void")]
    assert told == sorted([*of_unseen, (seen.number, "payment"), (seen.number, "sale")])
