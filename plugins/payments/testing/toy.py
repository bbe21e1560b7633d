"""A complete gateway to a provider that lives in memory. How a test puts it into a box: `toy_box`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from kernel.wire import Page, secret
from plugins.payments.schemas.capabilities import Capabilities, Span
from plugins.payments.schemas.gateways import (
    Asked,
    Back,
    Fault,
    FaultKind,
    Gateway,
    GatewayFact,
    GatewayFailed,
    Heard,
    Known,
    Line,
    Mode,
    Notice,
    Show,
    Started,
    Token,
    Verdict,
)
from plugins.payments.schemas.statements import Statemented, StatementLine, Statements, Window
from plugins.payments.schemas.values import Method
from plugins.payments.testing.toy_provider import SIGNATURE, ToyProvider, sign

HOST: Final = "toy.example"
_PHONES: Final = {
    "KE": (re.compile(r"(?:\+?254|0)([17]\d{8})\Z"), "254"),
    "IN": (re.compile(r"(?:\+?91|0)?([6-9]\d{9})\Z"), "91"),
}
_FAULTS: Final[dict[str, FaultKind]] = {
    "declined": "payer_declined",
    "called_back": "payer_declined",
    "no_money": "insufficient_funds",
    "bad_request": "validation",
    "too_much": "validation",
    "not_found": "unknown",
    "token": "authentication",
    "busy": "rate_limited",
}


class ToyConfig(Struct, frozen=True):
    """What a business brings: the key that calls and notices are signed with, and the provider's host."""

    secret: Annotated[str, secret()]
    host: str = HOST


class Toy(Gateway, Statemented):
    """Signed notices; refunds in parts; a second request with the same reference is a second payment."""

    name = "toy"
    title = "Toy money"
    config = ToyConfig
    capabilities = Capabilities(
        regions=("KE", "IN"),
        spans=tuple(Span(currency, 100, 15_000_000, 100) for currency in ("KES", "INR")),
        notices="signed",
        confirmed_by_hand=True,
        refunds="parts",
        cancels=True,
        takes_unasked=True,
        finds_by_reference=True,
    )
    methods = (Method("toy", "Toy money", "other", "toy", takes_phone=True, waits="always", wait_minutes=30),)
    statements = Statements(
        kinds=("payment", "refund", "fee", "payout", "dispute", "adjustment"),
        zone="UTC",
        reaches_back=dt.timedelta(days=30),
        tells_fees=True,
        tells_settlements=True,
    )
    simulator = "plugins.payments.testing.toy:simulator"

    def hosts(self, config: Any, mode: Mode) -> Sequence[str]:
        """The one host that the account names."""
        return (config.host,)

    async def ask(self, line: Line, asked: Asked) -> Started:
        """Ask for a payment."""
        said = await self._call(
            line,
            "POST",
            "/payments",
            {
                "id": asked.id,
                "reference": asked.reference,
                "amount": asked.amount,
                "currency": asked.currency,
                "phone": asked.phone,
                "words": asked.words,
                "notify": asked.notify,
            },
            does=True,
        )
        payment = said["payment"]
        return Started(
            {"payment": payment["id"]}, Show("prompt", "Confirm on your phone"), asked.expires_at, _facts(payment)
        )

    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """What the provider says of a payment, by its id or our reference."""
        if "payment" in known.ids:
            path = f"/payments?id={known.ids['payment']}"
        else:
            path = f"/payments?reference={known.reference}"
        return await self._found(line, path)

    async def call_back(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """Call an unpaid request back."""
        return _facts((await self._call(line, "POST", f"/payments/{known.ids['payment']}/cancel", {}))["payment"])

    async def give_back(self, line: Line, back: Back) -> Started:
        """Give a part of a payment back."""
        body = {"id": back.id, "payment": back.payment.ids["payment"], "amount": back.amount}
        said = await self._call(line, "POST", "/refunds", body, does=True)
        return Started({"refund": said["refund"]["id"]}, facts=_refund_facts(said["refund"]))

    async def find_refund(self, line: Line, back: Back) -> Sequence[GatewayFact]:
        """What the provider says of a refund."""
        try:
            return _refund_facts((await self._call(line, "GET", f"/refunds/{back.id}"))["refund"])
        except GatewayFailed as failed:
            if failed.fault.code == "not_found":
                return ()
            raise

    async def incoming(self, line: Line, since: dt.datetime, until: dt.datetime) -> Sequence[GatewayFact]:
        """Every payment of the account."""
        said = await self._call(line, "GET", "/transactions")
        paid = [fact for one in said["payments"] for fact in _facts(one)]
        return (*paid, *map(_unasked, said["unasked"]))

    async def fetch_statement(self, line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
        """A page of all that moved."""
        asked = {
            "since": window.since.isoformat(),
            "until": window.until.isoformat(),
            "offset": cursor or "0",
        }
        said = await self._call(line, "GET", f"/statement?{urlencode(asked)}")
        after = said["next"]
        return Page([_line(one) for one in said["lines"]], None if after is None else str(after))

    async def check(self, line: Line) -> str:
        """Whether the account is open."""
        return str((await self._call(line, "GET", "/account"))["words"])

    def judge(self, config: Any, notice: Notice) -> Verdict:
        """By the signature over the raw body."""
        said = notice.headers.get(SIGNATURE)
        if said is None:
            return Verdict("hint", "it is not signed")
        return Verdict("trusted") if said == sign(config.secret, notice.body) else Verdict("refused", "wrong signature")

    def read(self, config: Any, notice: Notice) -> Sequence[GatewayFact]:
        """What is said of a payment, a refund, or money that nobody asked for."""
        said = notice.json()
        try:
            if "payment" in said:
                return _facts(said["payment"])
            return _refund_facts(said["refund"]) if "refund" in said else (_unasked(said["unasked"]),)
        except (KeyError, TypeError, AttributeError):
            return ()

    def phone(self, said: str, region: str) -> str:
        """`0712 345 678` as 254712345678."""
        shape, prefix = _PHONES.get(region, _PHONES["KE"])
        found = shape.match(re.sub(r"[^\d+]", "", said))
        if found is None:
            raise ValueError("This is not a mobile number of the region")
        return prefix + found.group(1)

    async def _found(self, line: Line, path: str) -> Sequence[GatewayFact]:
        try:
            return _facts((await self._call(line, "GET", path))["payment"])
        except GatewayFailed as failed:
            if failed.fault.code == "not_found":
                return ()
            raise

    async def _call(self, line: Line, method: str, path: str, body: Any = None, *, does: bool = False) -> Any:
        """One call, with a fresh token where the provider refused the one we had. does: it moves money."""
        token = await line.token(lambda: self._fetch_token(line))
        heard = await self._with(token, line, method, path, body)
        if heard.status == 401:
            await line.forget_token(token)
            token = await line.token(lambda: self._fetch_token(line))
            heard = await self._with(token, line, method, path, body)
        return _read(heard, does=does)

    async def _with(self, token: str, line: Line, method: str, path: str, body: Any) -> Heard:
        headers = {"authorization": f"Bearer {token}"}
        return await line.send(method, f"https://{line.config.host}{path}", json=body, headers=headers)

    async def _fetch_token(self, line: Line) -> Token:
        said = _read(await line.send("POST", f"https://{line.config.host}/token", json={"secret": line.config.secret}))
        return Token(said["access_token"], said["expires_in"])


def _read(heard: Heard, *, does: bool = False) -> Any:
    """The provider's answer. Raises GatewayFailed; unsure where it may have done it."""
    said = heard.json()
    if heard.status == 200 and isinstance(said, dict):
        return said
    if heard.status == 200 or heard.status >= 500 or not isinstance(said, dict):
        down = Fault("provider_down", "The provider does not answer as it should", str(heard.status), again=True)
        raise GatewayFailed(down, is_unsure=does)
    code, words = str(said.get("code", "")), str(said.get("words", ""))
    raise GatewayFailed(Fault(_FAULTS.get(code, "unknown"), words or "The provider refused", code, words))


def _facts(payment: dict[str, Any]) -> tuple[GatewayFact, ...]:
    id_, status = payment["id"], payment["status"]
    about: dict[str, Any] = {"reference": payment["reference"], "ids": {"payment": id_}}
    if payment["money"]:
        return tuple(
            GatewayFact(
                kind="captured",
                key=f"{id_}:{one.get('number', 'paid')}",
                money_key=one.get("number"),
                amount=one["amount"],
                currency=payment["currency"],
                payer=_masked(payment.get("phone")),
                **about,
            )
            for one in payment["money"]
        )
    code = payment["code"]
    fault = _FAULTS.get(code) if status == "failed" else None
    return (GatewayFact(kind=status, key=f"{id_}:{status}", fault=fault, code=code, words=code, **about),)


def _line(said: dict[str, Any]) -> StatementLine:
    return StatementLine(
        line_key=f"{said['kind']}:{said['number']}",
        kind=said["kind"],
        gross=said["amount"],
        currency=said["currency"],
        occurred_at=dt.datetime.fromisoformat(said["at"]),
        fee=said.get("fee"),
        tax=said.get("tax"),
        net=said.get("net"),
        money_key=said["number"] if said["kind"] == "payment" else said.get("money"),
        merchant_ref=said.get("reference") or None,
        payer=_masked(said.get("phone")),
        refund_id=said.get("id") if said["kind"] == "refund" else None,
        ids={"refund": said["id"]} if said["kind"] == "refund" else {},
        settlement_id=said.get("settlement"),
        settlement_ref=said.get("utr"),
        said_at=said["at"],
    )


def _unasked(money: dict[str, Any]) -> GatewayFact:
    return GatewayFact(
        kind="captured",
        key=money["number"],
        money_key=money["number"],
        amount=money["amount"],
        currency=money["currency"],
        reference=money["reference"] or None,
        payer=_masked(money["phone"]),
    )


def _refund_facts(refund: dict[str, Any]) -> tuple[GatewayFact, ...]:
    kinds: dict[str, Any] = {"pending": "refund_pending", "done": "refund_done", "failed": "refund_failed"}
    return (
        GatewayFact(
            kind=kinds[refund["status"]],
            key=f"{refund['id']}:{refund['status']}",
            amount=refund["amount"],
            currency=refund["currency"],
            refund_id=refund["id"],
            ids={"refund": refund["id"]},
            fault="payer_declined" if refund["status"] == "failed" else None,
        ),
    )


def _masked(phone: str | None) -> str | None:
    return None if phone is None else f"{phone[:5]}***{phone[-3:]}"


def simulator() -> Any:
    """An ASGI app of a provider that takes every request on."""
    return ToyProvider().app
