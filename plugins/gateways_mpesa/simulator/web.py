"""The simulator as an ASGI app: Daraja's paths, and those by which it is steered and watched."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from plugins.gateways_mpesa.simulator import control, paying, prompts, refunding
from plugins.gateways_mpesa.simulator.checks import Shop, Wrong
from plugins.gateways_mpesa.simulator.scenarios import On, Scenario
from plugins.gateways_mpesa.simulator.state import TOKEN_S, State
from plugins.payments.testing.simulator.both import ServedSimulator
from plugins.payments.testing.simulator.web import Answer, Reply, as_json, instead

TOKEN: Final = "/oauth/v1/generate"  # noqa: S105 - a path
PROMPT: Final = "/mpesa/stkpush/v1/processrequest"
USED_LATER: Final = frozenset({"prompt", "reversal", "payout", "status", "balance"})
"""Calls that use up a scenario by themselves, if they are made at all."""
PULL: Final = "/pulltransactions/v1/query"


class Deed(Struct, frozen=True):
    """What a path does: on which calls scenarios bear, and what answers it."""

    on: On
    does: Callable[[State, Shop, Any], Any]


DEEDS: Final[Mapping[str, Deed]] = {
    PROMPT: Deed("prompt", lambda state, shop, body: prompts.push(state, shop, body)[1]),
    "/mpesa/stkpushquery/v1/query": Deed("query", prompts.query),
    "/mpesa/c2b/v1/registerurl": Deed("register", paying.register),
    "/mpesa/c2b/v2/registerurl": Deed("register", paying.register),
    "/mpesa/c2b/v1/simulate": Deed("register", paying.simulate),
    "/mpesa/c2b/v2/simulate": Deed("register", paying.simulate),
    "/mpesa/transactionstatus/v1/query": Deed("status", refunding.ask),
    "/mpesa/reversal/v1/request": Deed("reversal", refunding.reverse),
    "/mpesa/b2c/v3/paymentrequest": Deed("payout", refunding.pay_out),
    "/mpesa/accountbalance/v1/query": Deed("balance", refunding.balance),
    "/mpesa/qrcode/v1/generate": Deed("picture", paying.picture),
    "/pulltransactions/v1/register": Deed("register", paying.sign_up),
    PULL: Deed("pull", paying.pull),
}


class Served(ServedSimulator):
    """Daraja's paths over what it knows, `state`."""

    state: State

    async def steered(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        """Answer a path of the control API, or the page."""
        return await control.answer(self.state, method, path, headers, body)

    async def answered(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call of Daraja's."""
        try:
            return await self._daraja(method, path, headers, query, body)
        except Wrong as wrong:
            return self._refusal(wrong)

    async def _daraja(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        if path == TOKEN:
            return await self._token(method, headers, query)
        deed = DEEDS.get(path)
        if deed is None:
            raise Wrong(404, "404.001.01", "Resource not found")
        if method != "POST" and not (method == "GET" and path == PULL):
            raise Wrong(405, "405.001", "Method Not Allowed")
        shop = self.state.shop_of(headers.get("authorization", ""))
        answer, scenario = self._told_to(deed.on, body)
        if answer is not None and not answer.does:
            return await _answer(answer)
        said = deed.does(self.state, shop, {**query, **body} if method == "GET" and isinstance(body, dict) else body)
        if inspect.isawaitable(said):
            said = await said
        if scenario is not None and scenario.answers_last:
            await self.state.clock.run_due()
        return as_json(200, said) if answer is None else await _answer(answer)

    async def _token(self, method: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Reply:
        if method != "GET":
            raise Wrong(405, "405.001", "Method Not Allowed")
        answer, _ = self._told_to("token", None)
        if answer is not None and not answer.does:
            return await _answer(answer)
        if query.get("grant_type") != "client_credentials":
            raise Wrong(400, "400.008.02", "Invalid grant type passed")
        try:
            kind, _, said = headers.get("authorization", "").partition(" ")
            key, _, secret = base64.b64decode(said, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            kind, key, secret = "", "", ""
        shop = self.state.shops.get(key)
        if kind != "Basic" or shop is None or shop.secret != secret:
            raise Wrong(400, "400.008.01", "Invalid Authentication passed")
        token = self.state.new_token(shop)
        return (
            as_json(200, {"access_token": token, "expires_in": str(TOKEN_S)})
            if answer is None
            else await _answer(answer)
        )

    def _told_to(self, on: On, body: Any) -> tuple[Answer | None, Scenario | None]:
        """The answer that a scenario gives instead, if one does."""
        said = body if isinstance(body, dict) else {}
        amount = said.get("Amount")
        payer = str(said.get("PhoneNumber", said.get("PartyB", "")))
        reference = str(said.get("AccountReference", ""))
        whole = (
            int(amount) if isinstance(amount, int | str) and str(amount).isdigit() and len(str(amount)) < 10 else None
        )
        scenario = self.state.foreseen(on, payer, whole, reference)
        if (
            scenario is not None
            and scenario.answer
            and scenario.times
            and not (on in USED_LATER and scenario.answer.does)
        ):
            scenario.times -= 1
        return (scenario.answer if scenario else None), scenario

    def _refusal(self, wrong: Wrong) -> Reply:
        said = {"requestId": f"sim-{self.state.count()}", "errorCode": wrong.code, "errorMessage": wrong.message}
        return as_json(wrong.status, said)


async def _answer(answer: Answer) -> Reply:
    """What a scenario has answered."""
    said = {
        "requestId": "sim",
        "errorCode": answer.code or "500.003.1001",
        "errorMessage": answer.message or "Internal Server Error",
    }
    return await instead(answer, said)
