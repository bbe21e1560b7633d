"""Sales paid by a gateway: paid, failed, split, given up, paid late, voided; on both databases, nothing pretended."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from kernel.registry import Registry
from kernel.settings import Settings
from plugins.catalog.testing import a_product
from plugins.inventory.testing import on_hand, stock
from plugins.payments.api import GatewayFact
from plugins.payments.testing import hear
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox, open_toy_box, with_toy

SALES, REVIEWS = "/api/v1/sales/sales", "/api/v1/payments/reviews"
TOY: dict[str, Any] = {"method": "toy", "amount": "300.00", "phone": "0712345678"}


@pytest.fixture(scope="session")
def toy_shop(registry: Registry) -> Registry:
    return with_toy(registry)


@pytest_asyncio.fixture
async def toy(box_settings: Settings, toy_shop: Registry) -> AsyncIterator[ToyBox]:
    async with open_toy_box(box_settings, toy_shop) as made:
        yield made


async def sell(toy: ToyBox, *payments: dict[str, Any]) -> Any:
    """Ring up three of a product for 300.00, which stands at 7 of 10 then."""
    rice = await a_product(toy.box, f"RICE-{uuid.uuid4().hex[:6]}", "100.00")
    await stock(toy.box, rice, await toy.box.location(), "10")
    lines = [{"product_id": str(rice), "quantity": "3"}]
    body = {"location_id": str(await toy.box.location()), "lines": lines, "payments": list(payments) or [TOY]}
    answer = await toy.box.client("cashier").post(SALES, body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def seen(toy: ToyBox, sale: Any) -> Any:
    return (await toy.box.client("owner").get(f"{SALES}/{sale['id']}")).json()


async def pay(toy: ToyBox, sale: Any, *payments: dict[str, Any]) -> Any:
    return await toy.box.client("cashier").post(f"{SALES}/{sale['id']}/payments", {"payments": list(payments)})


async def money(toy: ToyBox, payment: Any, amount: int = 30_000, number: str = "R900") -> None:
    """The provider says that the money of a payment has come."""
    fact = GatewayFact(kind="captured", key=f"paid:{number}", money_key=number, amount=amount, currency="KES")
    await toy.box.act(lambda work: hear(work, uuid.UUID(payment["id"]), [fact], "provider"))


async def queue(toy: ToyBox) -> list[Any]:
    items: list[Any] = (await toy.box.client("manager").get(REVIEWS, params={"state": "open"})).json()["items"]
    return items


async def decide(toy: ToyBox, action: str, **more: str) -> Any:
    [one] = await queue(toy)
    done = await toy.box.client("manager").post(f"{REVIEWS}/{one['id']}/resolve", {"action": action, **more})
    assert done.status_code == 200, done.text
    return done.json()


async def entries(toy: ToyBox) -> list[tuple[str, str]]:
    listed = (await toy.box.client("owner").get("/api/v1/daybook/entries")).json()["items"]
    return [(one["kind"], one["amount"]) for one in listed]


async def test_a_sale_is_completed_by_the_deed_that_hears_of_its_money_and_its_void_is_there_before_its_refund(
    toy: ToyBox,
) -> None:
    sale = await sell(toy)
    assert await seen(toy, sale) == sale
    await toy.box.run_jobs()
    [payment] = (await seen(toy, sale))["payments"]
    assert (payment["status"], payment["show"]["kind"], payment["given_up"]) == ("pending", "prompt", False)
    await money(toy, payment, number=toy.provider.pay(toy.provider.only()["id"]))
    done = await seen(toy, sale)
    assert (done["status"], done["paid"], done["payments"][0]["captured"]) == ("completed", "300.00", "300.00")
    toy.provider.next("refund", "pending")
    void = await toy.box.client("manager").post(f"{SALES}/{sale['id']}/void", {"reason": "wrong goods"})
    assert (void.json()["status"], void.json()["payments"][0]["refunded"]) == ("voided", "300.00")
    assert await on_hand(toy.box, uuid.UUID(sale["lines"][0]["product_id"]), await toy.box.location()) == "10"
    await toy.box.run_jobs()
    assert "refund" not in dict(await entries(toy)), "it is on its way"
    for refund in toy.provider.refunds.values():
        refund["status"] = "done"
    toy.box.clock.pass_by(hours=1)
    await toy.box.run_jobs()
    assert sorted(await entries(toy)) == [
        ("payment", "300.00"),
        ("refund", "300.00"),
        ("sale", "300.00"),
        ("void", "300.00"),
    ]


async def test_a_payment_that_failed_says_why_and_the_sale_is_paid_in_cash(toy: ToyBox) -> None:
    toy.provider.next("ask", "decline")
    sale = await sell(toy)
    await toy.box.run_jobs()
    waiting = await seen(toy, sale)
    assert (waiting["status"], waiting["payments"][0]["status"]) == ("pending", "failed")
    assert waiting["payments"][0]["fault"]["kind"] == "payer_declined"
    paid = await pay(toy, sale, {"method": "cash", "amount": "300.00"})
    assert (paid.status_code, paid.json()["status"]) == (200, "completed"), paid.text
    assert await queue(toy) == []


async def test_money_that_comes_after_the_sale_was_paid_in_cash_is_surplus_and_goes_back_by_one_click(
    toy: ToyBox,
) -> None:
    sale = await sell(toy)
    await toy.box.run_jobs()
    toy.provider.always("cancel", "html")
    paid = (await pay(toy, sale, {"method": "cash", "amount": "300.00"})).json()
    [by_toy, cash] = paid["payments"]
    assert (paid["status"], by_toy["given_up"], by_toy["status"], cash["captured"]) == (
        "completed",
        True,
        "pending",
        "300.00",
    )
    await toy.box.run_jobs()
    assert toy.provider.count("cancel") == 1
    await money(toy, by_toy, number=toy.provider.pay(toy.provider.only()["id"]))
    late = (await seen(toy, sale))["payments"][0]
    assert (late["status"], late["captured"], late["surplus"]) == ("captured", "300.00", "300.00")
    assert [(one["kind"], one["amount"]) for one in await queue(toy)] == [("late", "300.00")]
    await decide(toy, "refund")
    await toy.box.run_jobs()
    after = await seen(toy, sale)
    assert ([one["refunded"] for one in after["payments"]], after["paid"]) == (["300.00", "0.00"], "300.00")
    assert await queue(toy) == []


async def test_a_request_that_is_called_back_ends_and_one_that_never_left_is_not_sent(toy: ToyBox) -> None:
    unsent = await sell(toy)
    paid = (await pay(toy, unsent, {"method": "cash", "amount": "300.00"})).json()
    assert paid["payments"][0]["status"] == "cancelled"
    await toy.box.run_jobs()
    assert toy.provider.count("ask") == 0
    sent = await sell(toy)
    await toy.box.run_jobs()
    await pay(toy, sent, {"method": "cash", "amount": "300.00"})
    await toy.box.run_jobs()
    assert (await seen(toy, sent))["payments"][0]["status"] == "cancelled"


async def test_a_split_sale_waits_for_its_gateway_and_gives_its_cash_back_when_it_expires(toy: ToyBox) -> None:
    split = ({"method": "cash", "amount": "100.00"}, TOY | {"amount": "200.00"})
    sale, other = await sell(toy, *split), await sell(toy, *split)
    assert (sale["paid"], sale["balance_due"]) == ("100.00", "200.00")
    await toy.box.run_jobs()
    await money(toy, sale["payments"][1], 20_000)
    assert (await seen(toy, sale))["status"] == "completed"
    toy.provider.always("find", "down")
    toy.provider.always("cancel", "down")
    toy.box.clock.pass_by(minutes=31)
    await toy.box.run_jobs()
    expired = await seen(toy, other)
    assert expired["status"] == "expired"
    assert [(one["captured"], one["refunded"], one["given_up"]) for one in expired["payments"]] == [
        ("100.00", "100.00", False),
        ("0.00", "0.00", True),
    ]
    await money(toy, other["payments"][1], 20_000, "R901")
    assert [one["kind"] for one in await queue(toy)] == ["late"]
    third = await sell(toy)
    done = await decide(toy, "apply", subject_id=third["id"], note="the same customer")
    assert (done["resolution"], done["subject_number"]) == ("apply", third["number"])
    onto = await seen(toy, third)
    assert (onto["status"], onto["paid"], onto["balance_due"]) == ("pending", "200.00", "100.00")
    whole = (await pay(toy, third, {"method": "cash", "amount": "100.00"})).json()
    assert (whole["status"], sorted(one["captured"] for one in whole["payments"])) == (
        "completed",
        ["0.00", "100.00", "200.00"],
    )


async def test_where_the_gateway_gives_nothing_back_a_void_waits_for_a_refund_by_hand_and_expiry_for_nobody(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "capabilities", structs.replace(Toy.capabilities, refunds="none"))
    sale = await sell(toy)
    await money(toy, sale["payments"][0])
    path, manager = f"{SALES}/{sale['id']}/void", toy.box.client("manager")
    refused = await manager.post(path, {"reason": "wrong goods"})
    assert (refused.status_code, refused.json()["code"]) == (409, "refund-not-supported")
    back = {"payment_id": sale["payments"][0]["id"], "reason": "wrong goods", "method": "cash"}
    assert (await manager.post("/api/v1/payments/refunds", back)).status_code == 201
    assert (await manager.post(path, {"reason": "wrong goods"})).json()["status"] == "voided"
    two = ({**TOY, "amount": "200.00"}, {"method": "bank_transfer", "amount": "100.00", "awaited": True})
    waits = await sell(toy, *two)
    await money(toy, waits["payments"][0], 20_000, "R902")
    assert (await manager.post(f"{SALES}/{waits['id']}/void", {"reason": "gone"})).json()["status"] == "voided"
    [one] = await queue(toy)
    assert (one["kind"], one["amount"], one["actions"]) == (
        "refund_failed",
        "200.00",
        ["refund_by_hand", "accept"],
    )
    await decide(toy, "refund_by_hand", reference="RV-1")
    assert (await seen(toy, waits))["payments"][0]["refunded"] == "200.00"
