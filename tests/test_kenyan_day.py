"""A day at the Kenyan shop: over the API alone, with M-PESA's simulator as a server; in the evening the books agree."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio

from kernel.invariants import broken
from kernel.settings import Settings
from kernel.testing import served
from kernel.testing.box import Box
from kernel.testing.served import free_port, running, serving
from tests.proving import ON_POSTGRES

T = TypeVar("T")
PAID, DECLINED, UNREACHABLE = "0", "1032", "1037"
PATIENCE_S = 60.0


@dataclass
class Day:
    """The shop's API as its cashier and owner see it, and the customers' phones."""

    cashier: httpx.AsyncClient
    owner: httpx.AsyncClient
    phones: httpx.AsyncClient
    place: str
    product: str

    async def sell(self, *payments: dict[str, Any]) -> httpx.Response:
        """One packet of tea at 100.00, paid as said."""
        cart = {"location_id": self.place, "lines": [{"product_id": self.product}], "payments": list(payments)}
        return await self.cashier.post("sales/sales", json=cart, headers={"Idempotency-Key": uuid.uuid4().hex})

    async def ask(self, *payments: dict[str, Any]) -> dict[str, Any]:
        """A sale that waits for a phone."""
        made = await self.sell(*payments)
        assert made.status_code == 202, made.text
        sale: dict[str, Any] = made.json()
        return sale

    async def answer(self, phone: str, code: str) -> None:
        """What the customer does with the prompt on their phone."""
        prompt = await self.prompt(phone)
        done = await self.phones.post(f"/_sim/phones/{prompt['checkout']}", json={"code": code})
        assert done.status_code == 200, done.text

    async def prompt(self, phone: str) -> dict[str, Any]:
        """The prompt on a phone, once it is there."""
        return await self.until(lambda: self._prompt(phone))

    async def sale(self, sale: dict[str, Any], status: str) -> dict[str, Any]:
        """The sale, once it has come to a state."""

        async def look() -> dict[str, Any] | None:
            found = (await self.cashier.get(f"sales/sales/{sale['id']}")).json()
            return found if found["status"] == status else None

        return await self.until(look)

    async def payment(self, sale: dict[str, Any], status: str, place: int = -1) -> dict[str, Any]:
        """A payment of a sale, once it has come to a state."""
        id_ = sale["payments"][place]["id"]

        async def look() -> dict[str, Any] | None:
            found = (await self.owner.get(f"payments/payments/{id_}")).json()
            return found if found["status"] == status else None

        return await self.until(look)

    async def receipted(self, sale: dict[str, Any]) -> dict[str, Any]:
        """A payment of a sale, once its receipt is known: it may be paid before."""
        id_ = sale["payments"][-1]["id"]

        async def look() -> dict[str, Any] | None:
            found = (await self.owner.get(f"payments/payments/{id_}")).json()
            return found if found["reference"] else None

        return await self.until(look)

    async def pay_cash(self, sale: dict[str, Any]) -> None:
        """Pay a sale that waits with notes instead."""
        cash = {"payments": [{"method": "cash", "amount": "100.00"}]}
        path = f"sales/sales/{sale['id']}/payments"
        paid = await self.cashier.post(path, json=cash, headers={"Idempotency-Key": uuid.uuid4().hex})
        assert paid.json()["status"] == "completed", paid.text

    async def give_back(self, payment_id: str, amount: str | None = None) -> str:
        """Give money back by the way it came; returns the refund's id."""
        said = {"payment_id": payment_id, "reason": "spoilt", **({"amount": amount} if amount else {})}
        made = await self.owner.post("payments/refunds", json=said, headers={"Idempotency-Key": uuid.uuid4().hex})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def _prompt(self, phone: str) -> dict[str, Any] | None:
        shown = (await self.phones.get("/_sim/phones")).json()["prompts"]
        waiting = [one for one in shown if one["payer"].endswith(phone[-9:]) and one["code"] is None]
        return waiting[0] if waiting else None

    async def until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """What a look finds, as soon as it finds something."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if (found := await look()) is not None:
                    return found
                await asyncio.sleep(0.1)


def by_phone(number: str, amount: str = "100.00") -> dict[str, Any]:
    return {"method": "mpesa", "amount": amount, "phone": number}


@pytest_asyncio.fixture
async def day(box: Box, box_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Day]:
    """The shop is open: M-PESA switched on in Kenya, an account at the simulator, tea on the shelf."""
    port = free_port()
    with running(["plugins.gateways_mpesa.simulator:make_app"], {}) as [simulator]:
        monkeypatch.setattr(served, "free_port", lambda: port)
        with serving(box_settings, 1, {"DUKA_PUBLIC_URL": f"http://127.0.0.1:{port}"}) as [server]:
            async with (
                _signed_in(box, server.url, "cashier") as cashier,
                _signed_in(box, server.url, "owner") as owner,
                _signed_in(box, server.url, "operator") as operator,
                httpx.AsyncClient(base_url=simulator.url, timeout=120) as phones,
            ):
                switched = await operator.put(
                    "operating/payments/regions/KE/mpesa/test", json={"is_on": True}, headers={"If-Match": '"0"'}
                )
                assert switched.status_code == 200, switched.text
                product = await _made(owner, "catalog/products", {"sku": "TEA", "name": "Tea", "price": "100.00"})
                place = str(await box.location())
                received = {"location_id": place, "lines": [{"product_id": product["id"], "quantity": "50"}]}
                await _made(owner, "inventory/receipts", received)
                certificate = (await phones.get("/_sim/certificate")).text
                account = await _made(owner, "payments/accounts", _account(simulator.url, certificate))
                for step in ("check", "enrol"):
                    told = await owner.post(f"payments/accounts/{account['id']}/{step}", headers=_key())
                    assert told.status_code == 200, told.text
                yield Day(cashier, owner, phones, place, product["id"])
    assert await broken(box.deployment) == []


def _account(url: str, certificate: str) -> dict[str, Any]:
    config = {
        "consumer_key": "simulated-key",
        "consumer_secret": "simulated-secret",
        "shortcode": "174379",
        "passkey": "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919",
        "initiator": "simop",
        "initiator_password": "Simulated-1",
        "certificate": certificate,
        "sources": ["127.0.0.1"],
        "test_address": url,
    }
    return {"gateway": "mpesa", "label": "PayBill", "mode": "test", "config": config}


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def _signed_in(box: Box, url: str, role: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {box.client(role).token}"}
    return httpx.AsyncClient(base_url=f"{url}/api/v1/", headers=headers, timeout=120)


async def _made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    made = await client.post(path, json=body, headers=_key())
    assert made.status_code == 201, made.text
    return made.json()


@ON_POSTGRES
async def test_a_day_of_cash_and_phones_ends_with_books_that_agree(day: Day) -> None:
    notes = await day.sell({"method": "cash", "amount": "100.00", "tendered": "200.00"})
    assert (notes.status_code, notes.json()["change"]) == (201, "100.00")

    paid = await day.ask(by_phone("0712345601"))
    await day.answer("0712345601", PAID)
    assert (await day.sale(paid, "completed"))["number"] != paid["number"]
    first = await day.receipted(paid)
    assert first["reference"].startswith("SIM")

    declined = await day.ask(by_phone("0712345602"))
    await day.answer("0712345602", DECLINED)
    told = await day.payment(declined, "cancelled")
    assert told["fault"]["kind"] == "payer_declined"
    await day.pay_cash(declined)

    silent = await day.ask(by_phone("0712345603"))
    await day.answer("0712345603", UNREACHABLE)
    away = await day.payment(silent, "expired")
    again = await day.cashier.post(f"payments/payments/{away['id']}/resend", json={}, headers=_key())
    assert again.status_code in (200, 201, 202), again.text
    await day.answer("0712345603", PAID)
    await day.sale(silent, "completed")

    late = await day.ask(by_phone("0712345604"))
    await day.prompt("0712345604")
    await day.pay_cash(late)
    await day.answer("0712345604", PAID)
    overdue = await day.receipted(late)
    [question] = [
        one
        for one in (await day.owner.get("payments/reviews", params={"state": "open"})).json()["items"]
        if one["payment_id"] == overdue["id"]
    ]
    assert question["kind"] == "late"
    decided = await day.owner.post(
        f"payments/reviews/{question['id']}/resolve", json={"action": "refund", "note": "paid twice"}, headers=_key()
    )
    assert decided.status_code == 200, decided.text

    split = await day.ask({"method": "cash", "amount": "40.00"}, by_phone("0712345605", "60.00"))
    await day.answer("0712345605", PAID)
    await day.sale(split, "completed")

    unasked = await day.phones.post("/_sim/pay", json={"amount": 100, "payer": "254712345606", "reference": "TEA"})
    assert unasked.status_code == 200, unasked.text

    async def tray() -> Any:
        found = (await day.cashier.get("payments/incoming")).json()["items"]
        return found[0] if found else None

    money = await day.until(tray)
    claimed = await day.sell({"method": "mpesa", "amount": "100.00", "claims": money["id"]})
    assert claimed.status_code == 201, claimed.text

    refund = await day.give_back(first["id"])

    async def given_back() -> Any:
        found = (await day.owner.get("payments/refunds")).json()["items"]
        open_ = [one for one in found if one["status"] != "done"]
        return found if not open_ and len(found) >= 2 else None

    assert refund in {one["id"] for one in await day.until(given_back)}

    book = (await day.phones.get("/_sim/ledger")).json()
    entries = book["entries"]
    came = sum(one["amount"] for one in entries if one["kind"] in ("prompt", "c2b"))
    went = sum(one["amount"] for one in entries if one["kind"] in ("reversal", "payout"))
    payments = (await day.owner.get("payments/payments", params={"limit": 200})).json()["items"]
    phones = [one for one in payments if one["method"] == "mpesa"]
    assert sum(Decimal(one["captured"]) for one in phones) == came == 460
    assert sum(Decimal(one["refunded"]) for one in phones) == went == 200
    sales = (await day.owner.get("sales/sales", params={"limit": 200})).json()["items"]
    assert [one["status"] for one in sales] == ["completed"] * 7
    open_ = (await day.owner.get("payments/reviews", params={"state": "open"})).json()["items"]
    assert open_ == []
