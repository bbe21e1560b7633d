"""Sales that wait for money: kept goods, numbers, what comes, what does not, and who is first, on both databases."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.testing.box import Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.inventory.testing import on_hand, stock
from plugins.sales import listeners
from plugins.sales.models import Sale
from plugins.sales.services.reading import sale_row
from plugins.sales.testing import a_sale

SALES, PAYMENTS = "/api/v1/sales/sales", "/api/v1/payments/payments"
FIRST_ORDER, FIRST_SALE = "O1-2026-P000001", "O1-2026-000001"


async def given_rice(box: Box, **fields: Any) -> uuid.UUID:
    rice = await a_product(box, price="100.00", **fields)
    await stock(box, rice, await box.location(), "10")
    return rice


async def ask_for(box: Box, product: uuid.UUID, *payments: dict[str, Any], **more: Any) -> httpx.Response:
    """Ring up five of a product, paid as said; a transfer of all of it that is awaited, if nothing is said."""
    paid = list(payments) or [{"method": "bank_transfer", "amount": "500.00", "awaited": True}]
    lines = [{"product_id": str(product), "quantity": "5"}]
    body = {"location_id": str(await box.location()), "lines": lines, "payments": paid, **more}
    return await box.client("cashier").post(SALES, body)


async def given_order(box: Box, product: uuid.UUID, *payments: dict[str, Any]) -> Any:
    answer = await ask_for(box, product, *payments)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def confirm(box: Box, payment: str, **said: str) -> httpx.Response:
    return await box.client("accountant").post(f"{PAYMENTS}/{payment}/confirm", said)


async def rice_left(box: Box, product: uuid.UUID) -> str:
    return await on_hand(box, product, await box.location())


async def run_jobs(box: Box) -> None:
    await Runner(box.deployment, standing_of_business).run_due()


async def entries(box: Box) -> list[tuple[str, str, str]]:
    listed = await box.client("owner").get("/api/v1/daybook/entries")
    return [(one["kind"], one["document_number"], one["amount"]) for one in listed.json()["items"]]


async def test_a_sale_whose_money_is_on_its_way_waits_keeps_its_goods_and_is_in_no_book(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    assert (order["status"], order["number"], order["order_number"]) == ("pending", FIRST_ORDER, FIRST_ORDER)
    assert (order["paid"], order["balance_due"], order["payments"][0]["status"]) == ("0.00", "500.00", "pending")
    assert order["expires_at"].startswith("2026-11-24")
    assert await rice_left(box, rice) == "5"
    assert await entries(box) == []
    owner = box.client("owner")
    assert (await owner.get(f"{SALES}/{order['id']}")).json() == order
    today = (await owner.get(f"{SALES}/today")).json()
    assert (today["count"], today["total"], today["voided"]) == (0, "0.00", 0)
    waiting = (await owner.get(SALES, params={"status": "pending"})).json()["items"]
    assert [one["number"] for one in waiting] == [FIRST_ORDER]


async def test_money_that_comes_completes_the_sale_on_that_day_with_a_number_of_its_own(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    between = await a_sale(box, {rice: "1"})
    assert between.number == FIRST_SALE
    box.clock.pass_by(days=1)
    came = await confirm(box, order["payments"][0]["id"], reference="FT26326")
    assert came.status_code == 200, came.text
    assert (came.json()["status"], came.json()["captured"], came.json()["reference"]) == (
        "captured",
        "500.00",
        "FT26326",
    )
    assert (came.json()["business_date"], came.json()["taken_by"]) == ("2026-11-22", "Accountant")
    sale = (await box.client("owner").get(f"{SALES}/{order['id']}")).json()
    assert (sale["status"], sale["number"], sale["order_number"]) == ("completed", "O1-2026-000002", FIRST_ORDER)
    assert (sale["business_date"], sale["paid"], sale["balance_due"]) == ("2026-11-22", "500.00", "0.00")
    assert (sale["expires_at"], sale["cashier"]["name"]) == (None, "Cashier")
    assert await entries(box) == [
        ("payment", FIRST_SALE, "100.00"),
        ("sale", FIRST_SALE, "100.00"),
        ("sale", "O1-2026-000002", "500.00"),
        ("payment", FIRST_ORDER, "500.00"),
    ]
    today = (await box.client("owner").get(f"{SALES}/today")).json()
    assert (today["count"], today["total"]) == (1, "500.00")
    again = await confirm(box, order["payments"][0]["id"])
    assert (again.status_code, again.json()["code"]) == (409, "not-awaited")


async def test_a_completed_order_is_voided_like_any_sale(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    await confirm(box, order["payments"][0]["id"])
    void = await box.client("manager").post(f"{SALES}/{order['id']}/void", {"reason": "wrong goods"})
    assert (void.status_code, void.json()["status"], void.json()["number"]) == (200, "voided", FIRST_SALE)
    assert void.json()["payments"][0]["refunded"] == "500.00"
    assert await rice_left(box, rice) == "10"


async def test_a_sale_whose_money_does_not_come_expires_and_its_goods_return(box: Box) -> None:
    rice = await given_rice(box)
    cash = {"method": "cash", "amount": "200.00"}
    order = await given_order(box, rice, cash, {"method": "bank_transfer", "amount": "300.00", "awaited": True})
    assert (order["paid"], order["balance_due"]) == ("200.00", "300.00")
    box.clock.pass_by(hours=71)
    await run_jobs(box)
    assert await rice_left(box, rice) == "5"
    box.clock.pass_by(hours=1, seconds=1)
    await run_jobs(box)
    sale = (await box.client("owner").get(f"{SALES}/{order['id']}")).json()
    assert (sale["status"], sale["number"], sale["expires_at"]) == ("expired", FIRST_ORDER, None)
    assert [(one["status"], one["refunded"]) for one in sale["payments"]] == [
        ("captured", "200.00"),
        ("unknown", "0.00"),
    ]
    assert await rice_left(box, rice) == "10"
    assert [kind for kind, _, _ in await entries(box)] == ["payment", "refund"]
    late = await confirm(box, order["payments"][1]["id"])
    assert (late.status_code, late.json()["code"]) == (409, "not-awaited")
    assert (await a_sale(box, {rice: "1"})).number == FIRST_SALE


async def test_a_person_gives_up_a_waiting_sale_by_voiding_it_on_any_day(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    box.clock.pass_by(days=2)
    path = f"{SALES}/{order['id']}/void"
    assert (await box.client("cashier").post(path, {"reason": "gone"})).status_code == 403
    void = await box.client("manager").post(path, {"reason": "customer cancelled"})
    assert (void.status_code, void.json()["status"], void.json()["payments"][0]["status"]) == (
        200,
        "voided",
        "cancelled",
    )
    assert await rice_left(box, rice) == "10"
    assert await entries(box) == []
    again = await box.client("manager").post(path, {"reason": "twice"})
    assert (again.status_code, again.json()["code"]) == (409, "not-voidable")


async def test_a_waiting_sale_is_paid_another_way(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    path = f"{SALES}/{order['id']}/payments"
    cashier = box.client("cashier")
    short = await cashier.post(path, {"payments": [{"method": "cash", "amount": "400.00"}]})
    assert (short.status_code, short.json()["code"]) == (422, "payment-short")
    paid = await cashier.post(path, {"payments": [{"method": "cash", "amount": "500.00", "tendered": "600.00"}]})
    assert (paid.status_code, paid.json()["status"], paid.json()["number"]) == (200, "completed", FIRST_SALE), paid.text
    assert (paid.json()["paid"], paid.json()["change"]) == ("500.00", "100.00")
    assert [one["status"] for one in paid.json()["payments"]] == ["cancelled", "captured"]
    assert [(kind, amount) for kind, _, amount in await entries(box)] == [("payment", "500.00"), ("sale", "500.00")]
    again = await cashier.post(path, {"payments": [{"method": "cash", "amount": "500.00"}]})
    assert (again.status_code, again.json()["code"]) == (409, "not-waiting")


async def test_a_waiting_sale_may_wait_again_for_other_money_and_longer(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    box.clock.pass_by(days=2)
    said = [{"method": "other", "amount": "300.00", "awaited": True}, {"method": "cash", "amount": "200.00"}]
    again = await box.client("cashier").post(f"{SALES}/{order['id']}/payments", {"payments": said})
    assert (again.status_code, again.json()["status"], again.json()["balance_due"]) == (202, "pending", "300.00")
    box.clock.pass_by(days=1, seconds=1)
    await run_jobs(box)
    assert (await box.client("owner").get(f"{SALES}/{order['id']}")).json()["status"] == "pending"
    awaited = next(one for one in again.json()["payments"] if one["status"] == "pending")
    assert (await confirm(box, awaited["id"])).status_code == 200
    assert (await box.client("owner").get(f"{SALES}/{order['id']}")).json()["status"] == "completed"


@pytest.mark.parametrize(
    ("payment", "pointer"),
    [
        ({"method": "cash", "amount": "500.00", "awaited": True}, "/payments/0/awaited"),
        ({"method": "card", "amount": "500.00", "awaited": True}, "/payments/0/awaited"),
        ({"method": "bank_transfer", "amount": "500.00", "awaited": "yes"}, "/payments/0/awaited"),
    ],
)
async def test_money_that_cannot_be_awaited_is_refused(box: Box, payment: dict[str, Any], pointer: str) -> None:
    answer = await ask_for(box, await given_rice(box), payment)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_sale_of_the_past_waits_for_no_money(box: Box) -> None:
    lines = [{"product_id": str(await given_rice(box)), "quantity": "5"}]
    paid = [{"method": "bank_transfer", "amount": "500.00", "awaited": True}]
    body = {
        "location_id": str(await box.location()),
        "lines": lines,
        "payments": paid,
        "sold_at": "2026-11-01T10:00:00Z",
    }
    answer = await box.client("manager").post(SALES, body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/sold_at")


async def test_only_who_may_says_that_money_has_come(box: Box) -> None:
    order = await given_order(box, await given_rice(box))
    path = f"{PAYMENTS}/{order['payments'][0]['id']}/confirm"
    assert (await box.client("cashier").post(path, {})).status_code == 403
    assert (await box.client("manager").post(f"{PAYMENTS}/{uuid.uuid4()}/confirm", {})).status_code == 404
    assert (await box.client("manager", "sharma-kirana").post(path, {})).status_code == 404
    assert (await box.client("manager").post(path, {})).status_code == 200


async def test_a_payment_that_was_there_at_once_is_not_confirmed(box: Box) -> None:
    rice = await given_rice(box)
    sale = await a_sale(box, {rice: "1"})
    answer = await confirm(box, str(sale.payments[0].id))
    assert (answer.status_code, answer.json()["code"]) == (409, "not-awaited")


async def balance_after_two_halves_at_once(box: Box, product: uuid.UUID) -> tuple[str, str]:
    """Ring up one of a product, paid by two awaited halves that come at the same time: its status and what is due."""
    halves = [{"method": "bank_transfer", "amount": "50.00", "awaited": True} for _ in range(2)]
    body = {"location_id": str(await box.location()), "lines": [{"product_id": str(product)}], "payments": halves}
    order = (await box.client("cashier").post(SALES, body)).json()
    came = await asyncio.gather(*(confirm(box, one["id"]) for one in order["payments"]))
    assert [one.status_code for one in came] == [200, 200]
    sale = (await box.client("owner").get(f"{SALES}/{order['id']}")).json()
    return sale["status"], sale["balance_due"]


async def test_of_two_payments_that_come_at_once_the_later_completes_the_sale(box: Box) -> None:
    rice = await given_rice(box)
    for _ in range(3):
        assert await balance_after_two_halves_at_once(box, rice) == ("completed", "0.00")


async def test_a_twin_that_reads_and_then_writes_what_is_paid_loses_money(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not box.deployment.database.is_postgres:
        pytest.skip("SQLite has one writer at a time: nothing to lose")

    both = asyncio.Barrier(2)

    async def careless(work: Work, sale_id: uuid.UUID, amount: int) -> None:
        row = await sale_row(work, sale_id)
        await asyncio.wait_for(both.wait(), 60)
        where = sa.and_(Sale.business_id == work.business_id, Sale.id == row.id)
        await work.execute(sa.update(Sale).where(where).values(paid=row.paid + amount))

    monkeypatch.setattr(listeners, "money_came", careless)
    assert await balance_after_two_halves_at_once(box, await given_rice(box)) == ("pending", "50.00")


async def test_money_and_void_at_once_leave_one_of_both(box: Box) -> None:
    rice = await given_rice(box)
    for _ in range(4):
        awaited = [{"method": "bank_transfer", "amount": "100.00", "awaited": True}]
        body = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}], "payments": awaited}
        order = (await box.client("cashier").post(SALES, body)).json()
        path = f"{SALES}/{order['id']}/void"
        came, void = await asyncio.gather(
            confirm(box, order["payments"][0]["id"]), box.client("manager").post(path, {"reason": "gone"})
        )
        sale = (await box.client("owner").get(f"{SALES}/{order['id']}")).json()
        if came.status_code == 200:
            # The void may still have come second, and then took a completed sale back.
            assert (sale["status"], void.status_code) in {("completed", 409), ("voided", 200)}
        else:
            assert (came.json()["code"], void.status_code, sale["status"]) == ("not-awaited", 200, "voided")


async def test_a_plugin_that_was_switched_off_still_gives_back_what_it_kept(box: Box) -> None:
    rice = await given_rice(box)
    order = await given_order(box, rice)
    owner = box.client("owner")
    assert (await owner.post("/api/v1/plugins/inventory/disable")).status_code == 200
    assert (await owner.post(f"{SALES}/{order['id']}/void", {"reason": "x"})).status_code == 200
    assert (await owner.post("/api/v1/plugins/inventory/enable")).status_code == 200
    assert await rice_left(box, rice) == "10"


async def test_the_same_order_asked_for_twice_is_one(box: Box) -> None:
    rice = await given_rice(box)
    body = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice)}],
        "payments": [{"method": "bank_transfer", "amount": "100.00", "awaited": True}],
    }
    cashier = box.client("cashier")
    first = await cashier.post(SALES, body, key="order-1")
    second = await cashier.post(SALES, body, key="order-1")
    assert (first.status_code, first.content) == (second.status_code, second.content) == (202, first.content)
    assert first.json()["number"] == FIRST_ORDER
