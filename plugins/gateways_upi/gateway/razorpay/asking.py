"""Asking for money by a QR code for one payment, asking what became of it, and closing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from plugins.gateways_upi.gateway.razorpay.calls import call, refused, why
from plugins.gateways_upi.rules.razorpay.facts import (
    QR,
    REFERENCE,
    items,
    newest,
    payment_facts,
    qr_facts,
)
from plugins.gateways_upi.rules.razorpay.values import CURRENCY, id_, inside, moment, note
from plugins.gateways_upi.schemas.razorpay import RazorpayConfig
from plugins.payments.api import Asked, Fault, GatewayFact, GatewayFailed, Known, Line, Show, Started

CODES: Final = "/payments/qr_codes"
LEAST: Final = 100
MOST: Final = 50_000_000
LIVES_S: Final = 300
SHORTEST_S: Final = 130
LONGEST_S: Final = 7_200
"""Razorpay closes a QR code two minutes to two hours after it was made; ten seconds are for the way."""
PAGE: Final = 100
CLOCKS: Final = dt.timedelta(minutes=15)
"""So far Razorpay's clock may be from ours, with the time that a call takes."""
_LOST: Final = "Razorpay did not answer. The QR code is not shown; nobody can have paid it"
_SCAN: Final = "Scan with any UPI app"


async def show(line: Line, asked: Asked) -> Started:
    """Have a QR code made that takes this amount once. Nothing is paid by its being there."""
    config: RazorpayConfig = line.config
    if asked.currency != CURRENCY:
        raise refused("validation", "UPI moves Indian rupees only")
    if not LEAST <= asked.amount <= MOST:
        raise refused("limit", f"UPI moves from ₹{LEAST // 100} to ₹{MOST // 100:,} at once")
    body = {
        "type": "upi_qr",
        "name": config.name,
        "usage": "single_use",
        "fixed_amount": True,
        "payment_amount": asked.amount,
        "description": asked.words[:200],
        "close_by": closes_at(line.now, asked.expires_at),
        "notes": {REFERENCE: asked.reference, "request": asked.id},
    }
    said = await _make(line, body)
    qr = id_(inside(said, "id"), "qr")
    if qr is None:
        raise GatewayFailed(Fault("timeout", _LOST), is_unsure=True)
    return Started({QR: qr}, shown(said), moment(inside(said, "close_by")), tuple(qr_facts(said)))


async def _make(line: Line, body: dict[str, Any]) -> dict[str, Any]:
    """Make a QR code. Where our clocks differ too much it closes when Razorpay says, two hours on: what was refused for
    its time was not made.
    """
    try:
        return await call(line, "POST", CODES, body, moves=True)
    except GatewayFailed as failed:
        if failed.is_unsure or not why(failed).is_clock:
            raise
    return await call(
        line, "POST", CODES, {name: value for name, value in body.items() if name != "close_by"}, moves=True
    )


def closes_at(now: dt.datetime, expires_at: dt.datetime | None) -> int:
    """When a QR code shall close, in seconds since 1970, within what Razorpay allows."""
    wanted = (expires_at - now).total_seconds() if expires_at else LIVES_S
    return int((now + dt.timedelta(seconds=min(max(wanted, SHORTEST_S), LONGEST_S))).timestamp())


def shown(said: Any) -> Show:
    """What the payer scans. Where the account has no `image_content`, the page that Razorpay has made of it: its
    picture is for whoever opens the page, and is fetched by no screen of ours.
    """
    content, page = inside(said, "image_content"), inside(said, "image_url")
    if isinstance(content, str) and 0 < len(content) <= 2_000:
        return Show("qr", _SCAN, content)
    if isinstance(page, str) and page.startswith("https://") and len(page) <= 500:
        return Show("page", "Open this page: it shows the QR code to scan", page)
    return Show("wait", "Razorpay sent no QR code. Cancel, and take another way of paying")


async def find(line: Line, known: Known) -> Sequence[GatewayFact]:
    """What Razorpay says of a payment: of its QR code, or of the one with our reference where its id was lost."""
    qr = known.ids.get(QR)
    code: dict[str, Any] | None = None
    if qr is None:
        code = await _by_reference(line, known)
        qr = id_(inside(code, "id"), "qr")
    if qr is None:
        return ()
    paid = await _payments(line, qr, known.reference)
    if _is_told(paid):
        return paid
    code = await call(line, "GET", f"{CODES}/{qr}")
    return _standing(code, paid)


async def call_back(line: Line, known: Known) -> Sequence[GatewayFact]:
    """Close the QR code. Money that came meanwhile wins, and what was closed already is as it is."""
    qr = known.ids.get(QR) or id_(inside(await _by_reference(line, known), "id"), "qr")
    if qr is None:
        return ()
    try:
        code = await call(line, "POST", f"{CODES}/{qr}/close")
    except GatewayFailed as failed:
        if not why(failed).is_over:
            raise
        code = await call(line, "GET", f"{CODES}/{qr}")
    paid = await _payments(line, qr, known.reference)
    return paid if _is_told(paid) else _standing(code, paid)


async def incoming(line: Line, since: dt.datetime, until: dt.datetime) -> Sequence[GatewayFact]:
    """The payments that were captured between two instants, whoever asked for them."""
    found: list[GatewayFact] = []
    for skip in range(0, 100 * PAGE, PAGE):
        asked = {"from": int(since.timestamp()), "to": int(until.timestamp()), "count": PAGE, "skip": skip}
        page = items(await call(line, "GET", f"/payments?{urlencode(asked)}"))
        found += [fact for one in page for fact in payment_facts(one) if fact.kind == "captured"]
        if len(page) < PAGE:
            break
    return found


async def _by_reference(line: Line, known: Known) -> dict[str, Any] | None:
    """The QR code that was made for a reference of ours, by the list of those made since it was asked for."""
    since = int((known.asked_at - CLOCKS).timestamp())
    until = int((known.asked_at + CLOCKS).timestamp())
    for skip in range(0, 10 * PAGE, PAGE):
        asked = {"from": since, "to": until, "count": PAGE, "skip": skip}
        page = items(await call(line, "GET", f"{CODES}?{urlencode(asked)}"))
        for one in page:
            if isinstance(one, dict) and note(one, REFERENCE) == known.reference:
                return one
        if len(page) < PAGE:
            break
    return None


async def _payments(line: Line, qr: str, reference: str) -> Sequence[GatewayFact]:
    said = await call(line, "GET", f"{CODES}/{qr}/payments?count={PAGE}")
    return [fact for one in items(said) for fact in payment_facts(one, qr=qr, reference=reference)]


def _is_told(facts: Sequence[GatewayFact]) -> bool:
    """Whether the payments say all, so that the QR code need not be asked about."""
    return any(fact.kind in ("captured", "authorised") for fact in facts)


def _standing(code: Any, paid: Sequence[GatewayFact]) -> Sequence[GatewayFact]:
    """How a QR code stands whose payments brought no money."""
    failed = [fact for fact in paid if fact.kind == "action"]
    return (*paid, *qr_facts(code, newest(failed)))
