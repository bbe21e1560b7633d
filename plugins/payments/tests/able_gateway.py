"""A gateway to a provider that can do whatever a gateway can say: what the kit tries, it tries on this one."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
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

KINDS: Final[dict[str, Any]] = {
    **{"waiting": "pending", "held": "authorised", "released": "released", "paid": "captured"},
    **{"declined": "cancelled", "lapsed": "expired", "failed": "failed"},
    **{"on its way": "refund_pending", "sent back": "refund_done", "not sent back": "refund_failed"},
}
FAULTS: Final[dict[str, FaultKind]] = {
    **{"declined": "payer_declined", "lapsed": "payer_unreachable", "failed": "insufficient_funds"},
    **{"not sent back": "payer_declined", "key": "authentication", "busy": "rate_limited"},
}
TOLERANCE_S: Final = 300


class Account(Struct, frozen=True):
    """What a business brings. secret: notices are signed with it; former_secret: or still with this one."""

    key: Annotated[str, secret()]
    secret: Annotated[str, secret()]
    former_secret: Annotated[str | None, secret()] = None
    host: str = "able.example"


class Able(Gateway, Statemented):
    """Signed notices that bear time and mode, refunds in parts, money that is held first, tokens, a former secret."""

    name = "able"
    title = "Able money"
    config = Account
    methods = (Method("able", "Able money", "other", "able", takes_phone=True, waits="always", wait_minutes=30),)
    capabilities = Capabilities(
        regions=("KE", "IN"),
        spans=tuple(Span(currency, 500, 15_000_000, 50) for currency in ("KES", "INR")),
        notices="signed",
        refunds="parts",
        cancels=True,
        finds_by_reference=True,
        retry_is_safe=True,
        holds=True,
        notices_tell_mode=True,
        notices_hold_s=TOLERANCE_S,
    )
    statements = Statements(kinds=("payment",), zone="UTC", reaches_back=dt.timedelta(days=30), tells_fees=True)
    simulator = "plugins.payments.tests.able_simulator:AbleSimulator"

    def hosts(self, config: Account, mode: Mode) -> Sequence[str]:
        """The one host."""
        return (config.host,)

    async def ask(self, line: Line, asked: Asked) -> Started:
        """Ask for a payment; one that the provider has already is looked up."""
        body = {"reference": asked.reference, "amount": asked.amount, "currency": asked.currency}
        more = {"phone": asked.phone, "notify": asked.notify, "words": asked.words}
        try:
            said = await self.call(line, "POST", "/payments", body | more)
        except GatewayFailed as failed:
            if failed.fault.code != "duplicate":
                raise
            said = await self.call(line, "GET", f"/payments/{asked.reference}")
        return Started({"payment": str(said["id"])}, Show("prompt", "Confirm on your phone"), facts=facts_of(said))

    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """Ask by our reference."""
        return facts_of(await self.call(line, "GET", f"/payments/{known.reference}"))

    async def call_back(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        """Call an unpaid request back."""
        return facts_of(await self.call(line, "POST", f"/payments/{known.reference}/cancel", {}))

    async def give_back(self, line: Line, back: Back) -> Started:
        """Send a part or all of it back."""
        body = {"id": back.id, "reference": back.payment.reference, "amount": back.amount}
        return Started(facts=facts_of(await self.call(line, "POST", "/refunds", body)))

    async def find_refund(self, line: Line, back: Back) -> Sequence[GatewayFact]:
        """Ask by our id."""
        return facts_of(await self.call(line, "GET", f"/refunds/{back.id}"))

    async def fetch_statement(self, line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
        """Payments, two to a page."""
        asked = {"since": window.since.isoformat(), "until": window.until.isoformat(), "skip": cursor or "0"}
        said = await self.call(line, "GET", f"/statement?{urlencode(asked)}")
        lines = [
            StatementLine(
                line_key=one["receipt"],
                kind="payment",
                gross=one["amount"],
                fee=one["fee"],
                net=one["amount"] - one["fee"],
                currency=one["currency"],
                occurred_at=dt.datetime.fromisoformat(one["at"]),
                money_key=one["receipt"],
                merchant_ref=one["reference"],
            )
            for one in said["lines"]
        ]
        return Page(lines, said["next"])

    def judge(self, config: Account, notice: Notice) -> Verdict:
        """By the signature over time and raw bytes, by either secret; then by its time and its mode."""
        found = re.fullmatch(r"t=(\d{1,12}),v=([0-9a-f]{64})", notice.headers.get("x-signature", ""), re.ASCII)
        if found is None:
            return Verdict("refused", "it is not signed")
        at, said = int(found[1]), found[2]
        secrets = [one for one in (config.secret, config.former_secret) if one]
        if not any(hmac.compare_digest(signature(one, at, notice.body), said) for one in secrets):
            return Verdict("refused", "its signature is wrong")
        if abs(notice.at.timestamp() - at) > TOLERANCE_S:
            return Verdict("refused", "it was not signed just now")
        body = notice.json()
        mode = body.get("mode") if isinstance(body, dict) else None
        return Verdict("trusted") if mode == notice.mode else Verdict("refused", "it is of another mode")

    def read(self, config: Account, notice: Notice) -> Sequence[GatewayFact]:
        """What is said of a payment or a refund."""
        body = notice.json()
        return facts_of(body.get("about")) if isinstance(body, dict) else ()

    def phone(self, said: str, region: str) -> str:
        """`0712 345 678` as 254712345678."""
        found = re.fullmatch(r"(?:\+?254|0)([17]\d{8})", re.sub(r"[ ().-]", "", said), re.ASCII)
        if found is None:
            raise ValueError("This is no mobile number of Kenya")
        return f"254{found[1]}"

    async def call(self, line: Line, method: str, path: str, body: Any = None) -> Any:
        """One call; what is not found reads as no news. A token that is refused is fetched anew, once."""
        token = await line.token(lambda: self.fetch(line))
        heard = await self._send(line, token, method, path, body)
        if heard.status == 401:
            await line.forget_token(token)
            heard = await self._send(line, await line.token(lambda: self.fetch(line)), method, path, body)
        said = heard.json()
        if heard.status == 429:
            seconds = heard.headers.get("retry-after")
            busy = Fault("rate_limited", "The provider is busy", "busy", again=True)
            raise GatewayFailed(busy, after_s=float(seconds) if seconds else None)
        if not isinstance(said, dict) or heard.status >= 500 or heard.status == 307:
            fault = Fault("provider_down", "The provider does not answer as it should", str(heard.status), again=True)
            raise GatewayFailed(fault, is_unsure=True)
        if (code := said.get("error")) is not None and heard.status != 404:
            raise GatewayFailed(Fault(FAULTS.get(code, "validation"), f"The provider refused: {code}", code))
        return said

    async def _send(self, line: Line, token: str, method: str, path: str, body: Any) -> Heard:
        headers = {"authorization": f"Bearer {token}"}
        return await line.send(method, f"https://{line.config.host}{path}", json=body, headers=headers)

    async def fetch(self, line: Line) -> Token:
        """An access token."""
        heard = await line.send("POST", f"https://{line.config.host}/token", json={"key": line.config.key})
        said = heard.json()
        if heard.status != 200 or not isinstance(said, dict):
            kind: FaultKind = "authentication" if heard.status == 403 else "provider_down"
            raise GatewayFailed(Fault(kind, "The provider gives no access", str(heard.status), again=True))
        return Token(said["token"], 3600)


def facts_of(said: Any) -> tuple[GatewayFact, ...]:
    """What is said of a payment or a refund; nothing where it says none of what we know."""
    match said:
        case {"reference": str(reference), "state": str(state), "id": str(id_)}:
            receipt, refund, currency = (_text(said.get(name)) for name in ("receipt", "refund", "currency"))
            amount, kind = amount_of(said.get("amount")), KINDS.get(state, "unknown")
            if kind == "captured" and None in (amount, receipt, currency):
                kind = "unknown"
            fact = GatewayFact(
                kind=kind,
                key=f"{id_}:{receipt or ''}:{refund or ''}:{state}",
                money_key=receipt,
                amount=amount,
                currency=currency,
                refund_id=refund,
                reference=reference,
                ids={"refund": refund} if refund else {"payment": id_},
                fault=FAULTS.get(state),
                code=state,
                words=f"The provider says: {state}",
            )
            return (fact,)
    return ()


def amount_of(said: Any) -> int | None:
    """Minor units, written as an integer, a whole float or a text; None for what is no such amount."""
    if isinstance(said, str) and re.fullmatch(r"\d{1,15}(?:\.0{1,2})?", said, re.ASCII):
        return int(said.partition(".")[0])
    if isinstance(said, float) and said.is_integer() and said < 1e15:
        return int(said)
    return said if type(said) is int else None


def signature(key: str, at: int, body: bytes) -> str:
    """What a notice is signed with, at a time in seconds since 1970."""
    return hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _text(said: Any) -> str | None:
    return said if isinstance(said, str) else None
