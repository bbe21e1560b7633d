"""A provider that lives in memory, behind an ASGI app: what it does next is scripted, call by call.

provider = ToyProvider()
provider.next("ask", "lose")      # takes the request on, and its answer is lost
provider.always("find", "html")   # from now on every question is answered by a page
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

import httpx
import msgspec

SECRET = "toy-secret-for-tests"  # noqa: S105 - of a provider that is none
SIGNATURE = "x-toy-signature"

Kind = Literal["token", "ask", "find", "cancel", "refund", "find_refund", "list", "check", "statement"]
Mode = Literal[
    "accept",
    "pending",
    "capture",
    "capture_twice",
    "refuse",
    "decline",
    "lose",
    "down",
    "html",
    "junk",
    "delay",
    "not_found",
    "numberless",
    "busy",
]
"""What it does with a call.

accept, pending: takes it on. capture, capture_twice: and the money is there, once or twice. refuse: declines the
request. decline: takes it on, and the payer declines. lose: does it, and the answer is lost. down: no connection.
html: 500 with a page. junk: 200 with what is no JSON. delay: waits for `provider.go`, then does it. not_found: 404.
numberless: answers without the number of the money. busy: 429.
"""


class ToyProvider:
    """The provider. `calls`: every call it got, as (kind, mode, body); `payments`, `refunds`: by its own ids.

    Of its tokens only the newest holds. `arrived` is set by every call, `go` is what `delay` waits for. `clock`: its
    time, which stands in its statement; `page`: how many lines of that it answers at once; `booked`: lines of it that
    are no payment or refund, as it would write them.
    """

    def __init__(self, secret: str = SECRET, token_lasts_s: float = 3600) -> None:
        self.secret, self.token_lasts_s = secret, token_lasts_s
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.unasked: list[dict[str, Any]] = []
        self.booked: list[dict[str, Any]] = []
        self.clock: Callable[[], dt.datetime] = lambda: dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
        self.page = 50
        self.calls: list[tuple[Kind, Mode, Any]] = []
        self.go = asyncio.Event()
        self.arrived = asyncio.Event()
        self.token: str | None = None
        self.tokens = 0
        self._script: dict[Kind, list[Mode]] = defaultdict(list)
        self._always: dict[Kind, Mode] = {}
        self._numbers = itertools.count(1)

    # what a test does

    def next(self, kind: Kind, *modes: Mode) -> None:
        """What the next calls of a kind do, before what it always does."""
        self._script[kind] += modes

    def always(self, kind: Kind, mode: Mode) -> None:
        """What every call of a kind does where nothing else is scripted; `accept` at first."""
        self._always[kind] = mode

    def count(self, kind: Kind) -> int:
        """How many calls of a kind came."""
        return sum(one[0] == kind for one in self.calls)

    def pay(self, payment_id: str, amount: int | None = None, number: str | None = None) -> str:
        """The payer pays, in minor units; returns the number of the money. A second time it is other money."""
        payment = self.payments[payment_id]
        number = number or f"R{next(self._numbers):06d}"
        paid = payment["amount"] if amount is None else amount
        payment["money"].append({"number": number, "amount": paid, "at": self._time()})
        payment["status"] = "captured"
        return number

    def end(self, payment_id: str, status: Literal["failed", "cancelled", "expired"], code: str = "declined") -> None:
        """The request ends without money, unless it is paid."""
        payment = self.payments[payment_id]
        if payment["status"] == "pending":
            payment |= {"status": status, "code": code}

    def receive(self, amount: int, reference: str = "", currency: str = "KES", phone: str = "254712345678") -> str:
        """Somebody pays without being asked; returns the number of the money."""
        number = f"U{next(self._numbers):06d}"
        money = {"number": number, "amount": amount, "currency": currency, "reference": reference, "phone": phone}
        self.unasked.append(money | {"at": self._time()})
        return number

    def only(self) -> dict[str, Any]:
        """The one payment that was asked for."""
        [payment] = self.payments.values()
        return payment

    def notice_of(self, payment_id: str) -> tuple[bytes, dict[str, str]]:
        """What it sends of a payment as it stands: a body and headers, signed."""
        return self.signed({"payment": self._shown(self.payments[payment_id])})

    def notice_of_unasked(self, number: str) -> tuple[bytes, dict[str, str]]:
        """What it sends of money that nobody asked for."""
        return self.signed({"unasked": next(one for one in self.unasked if one["number"] == number)})

    def notice_of_refund(self, refund_id: str) -> tuple[bytes, dict[str, str]]:
        """What it sends of a refund as it stands."""
        return self.signed({"refund": self.refunds[refund_id]})

    def signed(self, said: Any) -> tuple[bytes, dict[str, str]]:
        """A body with its headers."""
        body = msgspec.json.encode(said)
        return body, {"content-type": "application/json", SIGNATURE: sign(self.secret, body)}

    # what it does

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI app."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        status, said = await self._answer(scope["method"], scope["path"], query, headers, body)
        raw = said if isinstance(said, bytes) else msgspec.json.encode(said)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": raw})

    async def _answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any]:
        kind = _kind(method, path)
        said = msgspec.json.decode(body) if body else dict(query)
        mode = self._script[kind].pop(0) if self._script[kind] else self._always.get(kind, "accept")
        self.calls.append((kind, mode, said))
        self.arrived.set()
        if mode == "down":
            raise httpx.ConnectError("nobody is there")
        if mode == "delay":
            await self.go.wait()
        plain: dict[Mode, tuple[int, Any]] = {
            "refuse": (400, {"code": "bad_request", "words": "The request is not valid"}),
            "html": (500, b"<html><body>Service Unavailable</body></html>"),
            "junk": (200, b'{"payment": '),
            "not_found": (404, {"code": "not_found", "words": "There is no such thing"}),
            "busy": (429, {"code": "busy", "words": "Too many requests"}),
        }
        if mode in plain:
            return plain[mode]
        if kind == "token":
            return self._make_token()
        if self.token is None or headers.get("authorization") != f"Bearer {self.token}":
            return 401, {"code": "token", "words": "The token is not valid"}
        answer = self._do(kind, path, said, mode)
        if mode == "lose":
            raise httpx.ReadTimeout("the answer is lost")
        return answer

    def _do(self, kind: Kind, path: str, said: dict[str, Any], mode: Mode) -> tuple[int, Any]:
        if kind == "ask":
            return 200, self._take_on(said, mode)
        if kind == "refund":
            return self._refund(said, mode)
        if kind == "find_refund":
            found = self.refunds.get(path.rpartition("/")[2])
            return (404, {"code": "not_found"}) if found is None else (200, {"refund": found})
        if kind in ("find", "cancel"):
            return self._tell(kind, said if kind == "find" else {"id": path.split("/")[2]}, mode)
        if kind == "statement":
            return 200, self._state(said)
        asked = [self._shown(one) for one in self.payments.values() if one["money"]]
        return 200, {"words": "The account is open", "unasked": self.unasked, "payments": asked}

    def _tell(self, kind: Kind, about: Mapping[str, str], mode: Mode) -> tuple[int, Any]:
        payment = self._find(about)
        if payment is None:
            return 404, {"code": "not_found", "words": "There is no such payment"}
        if kind == "cancel":
            self.end(payment["id"], "cancelled", "called_back")
        return 200, {"payment": self._shown(payment, numberless=mode == "numberless")}

    def _take_on(self, said: dict[str, Any], mode: Mode) -> dict[str, Any]:
        id_ = f"P{next(self._numbers):06d}"
        self.payments[id_] = {"id": id_, "status": "pending", "code": "", "money": [], **_without(said, "id")}
        for _ in range({"capture": 1, "capture_twice": 2}.get(mode, 0)):
            self.pay(id_)
        if mode == "decline":
            self.end(id_, "failed")
        return {"payment": self._shown(self.payments[id_])}

    def _refund(self, said: dict[str, Any], mode: Mode) -> tuple[int, Any]:
        payment = self.payments[said["payment"]]
        back = sum(one["amount"] for one in self.refunds.values() if one["payment"] == payment["id"])
        if back + said["amount"] > sum(one["amount"] for one in payment["money"]):
            return 400, {"code": "too_much", "words": "More than was paid"}
        status = {"pending": "pending", "decline": "failed"}.get(mode, "done")
        self.refunds[said["id"]] = {**said, "status": status, "currency": payment["currency"], "at": self._time()}
        return 200, {"refund": self.refunds[said["id"]]}

    def _state(self, said: Mapping[str, str]) -> dict[str, Any]:
        """The page of the statement that begins at an offset, of what happened between two times."""
        since, until = (dt.datetime.fromisoformat(said[name]) for name in ("since", "until"))
        lines = [one for one in self.lines() if since <= dt.datetime.fromisoformat(one["at"]) < until]
        begin = int(said["offset"])
        end = begin + self.page
        return {"lines": lines[begin:end], "next": end if end < len(lines) else None}

    def lines(self) -> list[dict[str, Any]]:
        """The whole statement: every payment, refund and line that a test has `booked`."""
        paid = [
            {"kind": "payment", "currency": one["currency"], "reference": one["reference"], **money}
            for one in self.payments.values()
            for money in one["money"]
        ]
        asked = [{"kind": "payment", **one} for one in self.unasked]
        back = [
            {**one, "kind": "refund", "number": f"B{one['id']}", "amount": -one["amount"]}
            for one in self.refunds.values()
            if one["status"] == "done"
        ]
        return [*paid, *asked, *back, *self.booked]

    def _time(self) -> str:
        return self.clock().isoformat()

    def _find(self, said: Mapping[str, str]) -> dict[str, Any] | None:
        if "id" in said:
            return self.payments.get(said["id"])
        return next((one for one in self.payments.values() if one["reference"] == said["reference"]), None)

    def _make_token(self) -> tuple[int, Any]:
        self.tokens += 1
        self.token = f"toy-token-{self.tokens}"
        return 200, {"access_token": self.token, "expires_in": self.token_lasts_s}

    def _shown(self, payment: Mapping[str, Any], *, numberless: bool = False) -> dict[str, Any]:
        money = [_without(one, "number") if numberless else one for one in payment["money"]]
        return {**payment, "money": money}


def sign(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of a body, as hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _kind(method: str, path: str) -> Kind:
    kinds: dict[tuple[str, str], Kind] = {
        ("POST", "token"): "token",
        ("POST", "payments"): "ask",
        ("GET", "payments"): "find",
        ("POST", "refunds"): "refund",
        ("GET", "refunds"): "find_refund",
        ("GET", "transactions"): "list",
        ("GET", "account"): "check",
        ("GET", "statement"): "statement",
    }
    return "cancel" if path.endswith("/cancel") else kinds[method, path.split("/")[1]]


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}
