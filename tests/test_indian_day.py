"""A day at the Indian shop, over the API alone: UPI by its own address and by Razorpay; at its end the books agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio

from kernel.invariants import broken
from kernel.testing.box import Box
from plugins.gateways_upi.simulator import SimulatedRazorpay, make_app
from plugins.gateways_upi.testing import PAYMENTS, SHOP, UpiShop, an_upi_shop
from plugins.payments.services.line import close_lines, lead_over
from plugins.payments.testing import FaultyWay
from tests.proving import ON_POSTGRES


@dataclass(frozen=True)
class Day:
    """The shop, and Razorpay as it stands beside."""

    shop: UpiShop
    razorpay: SimulatedRazorpay

    async def hear(self) -> None:
        """Let Razorpay send its notices, and have them read."""
        await self.razorpay.deliver()
        await self.shop.box.run_jobs()


@pytest_asyncio.fixture
async def day(box: Box) -> AsyncIterator[Day]:
    """The shop is open: UPI and Razorpay switched on in India, an account at each, rice on the shelf."""
    shop, razorpay = await an_upi_shop(box), make_app()
    path = "/api/v1/operating/payments/regions/IN/razorpay/test"
    on = await box.client("operator", SHOP).send("PUT", path, json={"is_on": True}, headers={"If-Match": '"0"'})
    assert on.status_code == 200, on.text
    said = {"gateway": "razorpay", "label": "Razorpay", "mode": "test", "config": razorpay.config()}
    account = await shop.as_("owner").post(f"{PAYMENTS}/accounts", said)
    assert account.status_code == 201, account.text

    async def send(method: str, address: str, headers: Mapping[str, str], body: bytes) -> int:
        answer = await box.http.request(method, urlsplit(address).path, headers=dict(headers), content=body)
        return answer.status_code

    razorpay.clock, razorpay.send, razorpay.notify = box.clock, send, account.json()["notify_url"]
    lead_over(box.deployment, FaultyWay(razorpay))
    yield Day(shop, razorpay)
    await close_lines(box.deployment)
    assert await broken(box.deployment) == []


@ON_POSTGRES
async def test_a_day_of_codes_and_sound_boxes_ends_with_books_that_agree(day: Day) -> None:
    shop = day.shop
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

    day.razorpay.next(payer="pays")
    proved = await shop.ask("razorpay")
    await day.hear()
    assert (await shop.sale(proved))["status"] == "completed"
    assert (await shop.payment(proved["id"]))["flags"] == []
    refused = await shop.seen(proved, "426300000008", again=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-by-hand")
    back = await manager.post(f"{PAYMENTS}/refunds", {"payment_id": proved["id"], "amount": "50.00", "reason": "torn"})
    assert (back.status_code, back.json()["status"]) == (201, "pending")
    await shop.box.run_jobs()
    await day.hear()
    returned = await manager.get(f"{PAYMENTS}/refunds/{back.json()['id']}")
    assert (returned.json()["status"], day.razorpay.holds()) == ("done", 20_000)

    late = await shop.ask()
    shop.box.clock.pass_by(minutes=20)
    await shop.box.run_jobs()
    assert (await shop.sale(late))["status"] == "expired"
    assert (await shop.seen(late, "426300000006")).status_code == 200
    questions = {one["kind"]: one for one in await shop.questions()}
    assert questions.keys() == {"paid_twice", "late"}
    for kind, number in (("paid_twice", "426300000091"), ("late", "426300000092")):
        assert (await shop.decide(questions[kind], "refund_by_hand", reference=number)).status_code == 200

    bank = [(f"42630000000{n}", 25_000) for n in range(1, 7)] + [("426300000007", 40_000)]
    await _take_in_statement(shop, bank)
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
    assert sorted(one["status"] for one in sales) == ["completed"] * 7 + ["expired"]
    assert await shop.questions() == []


async def _upi(manager: Any) -> list[dict[str, Any]]:
    listed = await manager.get(f"{PAYMENTS}/payments", params={"limit": "200", "method": "upi"})
    found: list[dict[str, Any]] = listed.json()["items"]
    return found


async def _take_in_statement(shop: UpiShop, credits: Sequence[tuple[str, int]]) -> None:
    """The bank's file, as the owner downloads it in the evening: UPI by the number in the narration."""
    owner, here = shop.as_("owner"), "/api/v1/reconciliation"
    shop.box.clock.pass_by(hours=9)
    await shop.box.run_jobs()
    sources = (await owner.get(f"{here}/sources")).json()["items"]
    source = next(one for one in sources if one["account_id"] == shop.account)
    rows = [f"21/11/2026,UPI/{number}/PAYMENT FROM PHONE,,{amount / 100:.2f}" for number, amount in credits]
    file = "\n".join(["Date,Narration,Debit,Credit", *rows, ""]).encode()
    sent = {"content": file, "headers": {"Content-Type": "text/csv"}}
    checked = await owner.send("POST", f"{here}/sources/{source['id']}/imports", **sent)
    assert (checked.status_code, checked.json()["errors"]) == (201, []), checked.text
    applied = await owner.post(f"{here}/imports/{checked.json()['id']}/apply")
    assert applied.status_code == 202, applied.text
    await shop.box.run_jobs()
