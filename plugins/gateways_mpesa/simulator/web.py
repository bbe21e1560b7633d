"""The simulator as an ASGI app: Daraja's paths, and those by which it is steered and watched."""

from __future__ import annotations

import asyncio
import base64
import binascii
import inspect
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from plugins.gateways_mpesa.simulator import control, paying, prompts, refunding
from plugins.gateways_mpesa.simulator.checks import Shop, Wrong
from plugins.gateways_mpesa.simulator.scenarios import Answer, On, Scenario
from plugins.gateways_mpesa.simulator.state import TOKEN_S, State

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Tell = Callable[[Message], Awaitable[None]]
LARGEST: Final = 100_000
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


class Reply(Struct, frozen=True):
    """What is answered. breaks: the connection ends before the body does."""

    status: int
    body: bytes
    media_type: str = "application/json"
    breaks: bool = False


class Served:
    """Daraja's paths over what it knows, `state`."""

    state: State

    async def __call__(self, scope: Any, receive: Receive, send: Tell) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        self.woken()
        await self.state.clock.run_due()
        reply = await self._answer(scope, await _read(receive))
        await _write(send, reply)

    def woken(self) -> None:
        """Act on the first of requests, and on every other."""

    async def asked(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Reply:
        """Answer a call of Daraja's."""
        try:
            return await self._daraja(method, path, headers, query, body)
        except Wrong as wrong:
            return self._refusal(wrong)

    async def _answer(self, scope: Any, raw: bytes | None) -> Reply:
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(urllib.parse.parse_qsl(scope["query_string"].decode("latin-1")))
        if raw is None:
            return _json(413, {"errorMessage": "Too large"})
        body = _decoded(raw)
        if path == "/" or path.startswith("/_sim"):
            status, said, media_type = await control.answer(self.state, method, path, headers, body)
            return Reply(status, said, media_type)
        reply = await self.asked(method, path, headers, query, body)
        self.state.keep(method, path, body, reply.status)
        return reply

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
            return await _instead(answer)
        said = deed.does(self.state, shop, {**query, **body} if method == "GET" and isinstance(body, dict) else body)
        if inspect.isawaitable(said):
            said = await said
        if scenario is not None and scenario.answers_last:
            await self.state.clock.run_due()
        return _json(200, said) if answer is None else await _instead(answer)

    async def _token(self, method: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Reply:
        if method != "GET":
            raise Wrong(405, "405.001", "Method Not Allowed")
        answer, _ = self._told_to("token", None)
        if answer is not None and not answer.does:
            return await _instead(answer)
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
            _json(200, {"access_token": token, "expires_in": str(TOKEN_S)})
            if answer is None
            else await _instead(answer)
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
        return _json(wrong.status, said)


def _json(status: int, said: Any) -> Reply:
    return Reply(status, msgspec.json.encode(said))


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def _instead(answer: Answer) -> Reply:
    """What a scenario has answered."""
    match answer.kind:
        case "stalled":
            await asyncio.sleep(answer.stall_s)
            return Reply(504, b"")
        case "html":
            return Reply(answer.status, b"<html><body><h1>Service Unavailable</h1></body></html>", "text/html")
        case "error":
            said = {"requestId": "sim", "errorCode": answer.code, "errorMessage": answer.message}
            return _json(answer.status, said)
        case "garbled":
            return Reply(200, b'{"MerchantRequestID":"12-3')
        case "empty":
            return Reply(200, b"")
    return Reply(200, b"", breaks=True)


async def _read(receive: Receive) -> bytes | None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            return None
    return body


async def _write(send: Tell, reply: Reply) -> None:
    length = len(reply.body) + (100 if reply.breaks else 0)
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", control.POLICY),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.breaks:
        raise ConnectionAbortedError("The answer is lost, as the scenario says")
    await send({"type": "http.response.body", "body": reply.body})


async def _live(receive: Receive, send: Tell) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
