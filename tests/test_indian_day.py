"""A day at the Indian shop, over the API alone: UPI by the shop's own address; in the evening the books agree."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from kernel.invariants import broken
from kernel.testing.box import Box
from plugins.gateways_upi.testing import PAYMENTS, SHOP, UpiShop, an_upi_shop
from plugins.payments.testing import state_money


@pytest_asyncio.fixture
async def shop(box: Box) -> AsyncIterator[UpiShop]:
    """The shop is open: UPI switched on in India, an account, rice on the shelf."""
    yield await an_upi_shop(box)
    assert await broken(box.deployment) == []


@pytest.mark.parametrize("database", [pytest.param("sqlite", marks=pytest.mark.prove), "postgresql"])
async def test_a_day_of_codes_and_sound_boxes_ends_with_books_that_agree(shop: UpiShop) -> None:
    cashier, manager = shop.as_("cashier"), shop.as_("manager")
    notes = await shop.sell({"method": "cash", "amount": "250.00", "tendered": "500.00"})
    assert (notes.status_code, notes.json()["change"]) == (201, "250.00")

    scanned = await shop.ask()
    assert scanned["show"]["text"].startswith("upi://pay?pa=sharmakirana@okhdfcbank&pn=Sharma%20Kirana")
    assert (await shop.seen(scanned, "426300000001")).status_code == 200
    assert (await shop.sale(scanned))["status"] == "completed"

    sound_box = await shop.noted("426300000002", words="at the counter")
    claimed = await shop.sell({"method": "upi", "amount": "250.00", "claims": sound_box.json()["id"]})
    assert (claimed.status_code, claimed.json()["status"]) == (201, "completed")

    used = await shop.ask()
    assert (await shop.seen(used, "426300000001")).json()["code"] == "already-claimed"
    assert (await cashier.post(f"{PAYMENTS}/payments/{used['id']}/cancel")).json()["status"] == "cancelled"
    again = (await cashier.post(f"{PAYMENTS}/payments/{used['id']}/resend", {})).json()
    await shop.box.run_jobs()
    assert (await shop.seen(again, "426300000003")).status_code == 200

    twice = await shop.ask()
    assert (await shop.seen(twice, "426300000004")).status_code == 200
    assert (await shop.seen(twice, "426300000005", again=True)).status_code == 200

    late = await shop.ask()
    shop.box.clock.pass_by(minutes=20)
    await shop.box.run_jobs()
    assert (await shop.sale(late))["status"] == "expired"
    assert (await shop.seen(late, "426300000006")).status_code == 200
    questions = {one["kind"]: one for one in await shop.questions()}
    assert questions.keys() == {"paid_twice", "late"}
    for kind, number in (("paid_twice", "426300000091"), ("late", "426300000092")):
        assert (await shop.decide(questions[kind], "refund_by_hand", reference=number)).status_code == 200

    account, numbers = uuid.UUID(shop.account), [f"42630000000{n}" for n in range(1, 7)]
    bank = [(number, 25_000) for number in numbers] + [("426300000007", 40_000)]
    await state_money(shop.box, account, *bank, shop=SHOP)
    [unasked] = (await cashier.get(f"{PAYMENTS}/incoming")).json()["items"]
    assert (unasked["number"], unasked["amount"], unasked["unverified"]) == ("426300000007", "400.00", False)
    split = await shop.sell({"method": "upi", "amount": "250.00", "claims": unasked["id"]})
    [over] = await shop.questions()
    assert (split.status_code, over["kind"], over["amount"]) == (201, "overpaid", "150.00")
    assert (await shop.decide(over, "refund_by_hand", reference="426300000093")).status_code == 200

    paid = await _upi(manager)
    assert sum(Decimal(one["captured"]) for one in paid) == Decimal(sum(amount for _, amount in bank)) / 100
    assert sum(Decimal(one["refunded"]) for one in paid) == Decimal("650.00")
    assert [one["flags"] for one in paid if "unverified" in one["flags"]] == []
    sales = (await manager.get("/api/v1/sales/sales", params={"limit": "200"})).json()["items"]
    assert sorted(one["status"] for one in sales) == ["completed"] * 6 + ["expired"]
    assert await shop.questions() == []


async def _upi(manager: Any) -> list[dict[str, Any]]:
    listed = await manager.get(f"{PAYMENTS}/payments", params={"limit": "200", "method": "upi"})
    found: list[dict[str, Any]] = listed.json()["items"]
    return found
