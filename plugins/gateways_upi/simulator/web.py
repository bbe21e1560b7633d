"""Razorpay's paths over what the simulator knows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from plugins.gateways_upi.simulator import codes, control, refunding, settling
from plugins.gateways_upi.simulator.checks import Shop, Wrong
from plugins.gateways_upi.simulator.scenarios import On
from plugins.gateways_upi.simulator.state import State
from plugins.payments.testing.simulator.both import ServedSimulator
from plugins.payments.testing.simulator.web import Answer, Reply, as_json, instead

CODES: Final = "/v1/payments/qr_codes"
KEY: Final = "x-refund-idempotency"


class Asked(Struct, frozen=True):
    """A call: whose, about which id, with which query and body, under which key."""

    shop: Shop
    id: str
    query: Mapping[str, str]
    body: Any
    key: str | None


class Deed(Struct, frozen=True):
    """What a path does: on which calls scenarios bear, and what answers it."""

    method: str
    path: re.Pattern[str]
    on: On
    does: Callable[[State, Asked], Any]


def _at(method: str, path: str, on: On, does: Callable[[State, Asked], Any]) -> Deed:
    return Deed(method, re.compile(path.replace("{}", r"([A-Za-z0-9_]{3,60})") + r"\Z", re.ASCII), on, does)


DEEDS: Final = (
    _at("POST", CODES, "code", lambda state, one: codes.make(state, one.shop, one.body)),
    _at("GET", CODES, "read", lambda state, one: codes.listed(state, one.shop, one.query)),
    _at("POST", f"{CODES}/{{}}/close", "close", lambda state, one: codes.close(state, one.shop, one.id)),
    _at("GET", f"{CODES}/{{}}/payments", "read", lambda s, one: codes.payments_of(s, one.shop, one.id, one.query)),
    _at("GET", f"{CODES}/{{}}", "read", lambda state, one: codes.show(state, one.shop, one.id)),
    _at("GET", "/v1/payments", "read", lambda state, one: codes.payments(state, one.shop, one.query)),
    _at("GET", "/v1/payments/{}", "read", lambda state, one: codes.payment(state, one.shop, one.id)),
    _at(
        "POST",
        "/v1/payments/{}/refund",
        "refund",
        lambda state, one: refunding.give_back(state, one.shop, one.id, one.body, one.key),
    ),
    _at("GET", "/v1/payments/{}/refunds", "read", lambda state, one: refunding.listed(state, one.shop, one.id)),
    _at("GET", "/v1/refunds/{}", "read", lambda state, one: refunding.show(state, one.shop, one.id)),
    _at("GET", "/v1/settlements", "recon", lambda state, one: settling.listed(state, one.shop, one.query)),
    _at(
        "GET", "/v1/settlements/recon/combined", "recon", lambda state, one: settling.recon(state, one.shop, one.query)
    ),
)


class Served(ServedSimulator):
    """Razorpay's paths over `state`."""

    state: State

    async def steered(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        """Answer a path of the control API, or the page."""
        return await control.answer(self.state, method, path, headers, body)

    async def answered(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call of Razorpay's."""
        try:
            return await self._razorpay(method, path, headers, query, body)
        except Wrong as wrong:
            return as_json(wrong.status, wrong.body())

    async def _razorpay(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        shop = self.state.shop_of(headers.get("authorization", ""))
        for deed in DEEDS:
            if deed.method == method and (found := deed.path.match(path)):
                one = Asked(shop, found[1] if found.groups() else "", query, body, headers.get(KEY))
                return await self._do(deed, one)
        raise Wrong("The requested URL was not found on the server.")

    async def _do(self, deed: Deed, one: Asked) -> Reply:
        answer = self._foreseen(deed.on, one.body)
        if answer is not None and not answer.does:
            return await _answer(answer)
        said = deed.does(self.state, one)
        if inspect.isawaitable(said):
            said = await said
        return as_json(200, said) if answer is None else await _answer(answer)

    def _foreseen(self, on: On, body: Any) -> Answer | None:
        """The answer that a scenario gives instead. One that is done as well is used up by what is done."""
        said = body if isinstance(body, dict) else {}
        amount = said.get("payment_amount", said.get("amount"))
        notes = said.get("notes")
        reference = str(notes.get("reference", "")) if isinstance(notes, dict) else ""
        whole = amount if isinstance(amount, int) else None
        does_use_up = on in ("code", "refund")
        found = self.state.foreseen(on, whole, reference)
        if found is None or found.answer is None:
            return None
        if found.times is not None and not (does_use_up and found.answer.does):
            found.times -= 1
        return found.answer


async def _answer(answer: Answer) -> Reply:
    code = answer.code or ("SERVER_ERROR" if answer.status >= 500 else "BAD_REQUEST_ERROR")
    words = answer.message or "We are facing some trouble completing your request at the moment."
    return await instead(answer, Wrong(words, status=answer.status, code=code).body())
