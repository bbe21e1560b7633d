"""How the providers of a storm speak: the toy that tests are built on, and Razorpay, whose notices are signed as well.

A voice says what a provider would, in its own words; what must come of it is the same for all.
"""

from __future__ import annotations

import contextlib
import functools
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from msgspec import Struct

from kernel.auth.businesses.switching import enable
from kernel.db import Phase
from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.work import Work
from plugins.gateways_upi.rules.razorpay.signing import EVENT_ID, SIGNATURE, sign
from plugins.gateways_upi.simulator import make_app
from plugins.payments.schemas.accounts import AccountIn
from plugins.payments.services.line import close_lines, lead_to
from plugins.payments.services.setting_up import open_account
from plugins.payments.testing import toy_provider
from plugins.payments.testing.toy_box import a_toy_account, allow, open_toy_box, with_toy

OTHERS = "the-secret-of-another-account"


class Ground(Struct, frozen=True):
    """A box with an account at the provider in a shop; `elsewhere`: one of another business, where there is one."""

    box: Box
    shop: str
    account: uuid.UUID
    elsewhere: tuple[str, uuid.UUID] | None = None


class Voice(ABC):
    """method: the way of paying. thing: its name for a payment. own_paths: whether each payment has its own path."""

    method: str
    currency: str
    phone: str | None
    thing: str
    secret: str
    own_paths: bool

    def number(self, letter: str, n: int) -> str:
        """A number of money."""
        return f"{letter}{n:06d}"

    @abstractmethod
    def ground(self, settings: Settings, registry: Registry) -> contextlib.AbstractAsyncContextManager[Ground]:
        """Open a box with the gateway on. Afterwards every invariant must hold."""

    @abstractmethod
    def captured(self, thing: str, reference: str, number: str, amount: int, currency: str, whose: str = "") -> Any:
        """Word of a payment. whose: of another account than ours."""

    @abstractmethod
    def unasked(self, number: str, amount: int) -> Any:
        """Word of money that nobody asked for."""

    @abstractmethod
    def headers(self, secret: str, body: bytes) -> dict[str, str]:
        """A notice's headers, signed."""


class ToyVoice(Voice):
    """The toy provider."""

    method, currency, phone, thing = "toy", "KES", "0712345678", "payment"
    secret, own_paths = toy_provider.SECRET, True

    @contextlib.asynccontextmanager
    async def ground(self, settings: Settings, registry: Registry) -> AsyncIterator[Ground]:
        """A box with the toy in both shops."""
        async with open_toy_box(settings, _and_toy(registry)) as toy:
            await a_toy_account(toy.box, label="Other", position=2, secret=OTHERS)
            theirs = ("sharma-kirana", toy.accounts["sharma-kirana"])
            yield Ground(toy.box, "mama-njeri", toy.accounts["mama-njeri"], theirs)

    def captured(self, thing: str, reference: str, number: str, amount: int, currency: str, whose: str = "") -> Any:
        """A payment as it stands."""
        money = [{"number": number, "amount": amount}]
        about = {"id": thing, "reference": reference, "status": "captured", "code": ""}
        return {"payment": {**about, "money": money, "currency": currency}}

    def unasked(self, number: str, amount: int) -> Any:
        """Money by itself."""
        return {"unasked": {"number": number, "amount": amount, "currency": "KES", "reference": "", "phone": "2547"}}

    def headers(self, secret: str, body: bytes) -> dict[str, str]:
        """One signature."""
        return {toy_provider.SIGNATURE: toy_provider.sign(secret, body)}


class RazorpayVoice(Voice):
    """Razorpay, which leaves all word at the account's own path."""

    method, currency, phone, thing = "razorpay", "INR", None, "qr"
    secret, own_paths = "simulated-webhook", False

    @contextlib.asynccontextmanager
    async def ground(self, settings: Settings, registry: Registry) -> AsyncIterator[Ground]:
        """A box with Razorpay in the Indian shop; its simulator has payers who wait."""
        box, shop, simulator = await open_box(settings, registry), "sharma-kirana", make_app()
        await box.act(lambda work: enable(work, "gateways_upi"), phase=Phase.SWITCH, shop=shop)
        simulator.clock, simulator.send = box.clock, _nowhere
        lead_to(box.deployment, simulator)
        ours = await box.act(lambda work: self._open(work, simulator.config()), shop=shop)
        await box.act(lambda work: self._open(work, simulator.config() | {"webhook_secret": OTHERS}), shop=shop)
        await allow(box, "razorpay", "IN")
        simulator.always_waits = True
        try:
            yield Ground(box, shop, ours)
            if faults := await broken(box.deployment):
                raise AssertionError(faults)
        finally:
            await close_lines(box.deployment)
            await box.close()

    async def _open(self, work: Work, config: dict[str, Any]) -> uuid.UUID:
        said = AccountIn(gateway="razorpay", label=config["webhook_secret"], mode="test", config=config)
        return (await open_account(work, said)).id

    def number(self, letter: str, n: int) -> str:
        """A payment's id."""
        return f"pay_{letter}{n:06d}"

    def captured(self, thing: str, reference: str, number: str, amount: int, currency: str, whose: str = "") -> Any:
        """A QR code was paid."""
        code = {"id": thing, "status": "active", "notes": {"reference": reference}, "payments_count_received": 0}
        return self._event("qr_code.credited", whose, payment=_paid(number, amount, currency), qr_code=code)

    def unasked(self, number: str, amount: int) -> Any:
        """A sticker was paid."""
        return self._event("payment.captured", "", payment=_paid(number, amount, "INR"))

    def headers(self, secret: str, body: bytes) -> dict[str, str]:
        """The signature, and an id that every sending has anew."""
        return {SIGNATURE: sign(secret, body), EVENT_ID: uuid.uuid4().hex}

    def _event(self, event: str, whose: str, **entities: Any) -> Any:
        payload = {name: {"entity": entity} for name, entity in entities.items()}
        return {"entity": "event", "account_id": whose or "acc_SimulatedShop01", "event": event, "payload": payload}


def _paid(number: str, amount: int, currency: str) -> dict[str, Any]:
    return {
        **{"id": number, "amount": amount, "currency": currency, "status": "captured", "order_id": None, "notes": []},
        **{"method": "upi", "vpa": "asha.rao@okhdfcbank", "acquirer_data": {"rrn": "063251234567"}},
    }


@functools.cache
def _and_toy(registry: Registry) -> Registry:
    """The registry with the toy gateway, made once for many boxes."""
    return with_toy(registry)


async def _nowhere(*_: Any) -> int:
    return 200


def encode(said: Any, indent: int = 0) -> bytes:
    """A body; the same in other bytes with an indent."""
    body = msgspec.json.encode(said)
    return msgspec.json.format(body, indent=indent) if indent else body


TOY, RAZORPAY = ToyVoice(), RazorpayVoice()
