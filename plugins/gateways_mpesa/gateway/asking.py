"""Asking for money: a prompt on the payer's phone, or a picture to scan; and asking what became of it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plugins.gateways_mpesa.gateway.calls import call, refused, why
from plugins.gateways_mpesa.gateway.listing import since_two_days
from plugins.gateways_mpesa.rules import codes
from plugins.gateways_mpesa.rules.credentials import prompt_password, timestamp
from plugins.gateways_mpesa.rules.facts import CHECKOUT, prompt_fact
from plugins.gateways_mpesa.rules.values import CURRENCY, code, id_, shillings, text
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.payments.api import Asked, Fault, GatewayFact, GatewayFailed, Known, Line, Show, Started

LEAST: Final = 100
MOST: Final = 25_000_000
LIVES_S: Final = 120
_REFERENCE: Final = re.compile(r"[A-Za-z0-9]{1,12}\Z", re.ASCII)
_LOST: Final = "M-PESA did not answer. The request may be on the phone all the same"


def whole(amount: int, currency: str, least: int = LEAST, most: int = MOST) -> int:
    """An amount in whole shillings. Raises GatewayFailed where M-PESA does not move it."""
    if currency != CURRENCY:
        raise refused("validation", "M-PESA moves Kenyan shillings only")
    if not least <= amount <= most:
        raise refused("limit", f"M-PESA moves from KES {least // 100} to KES {most // 100:,} at once")
    try:
        return shillings(amount)
    except ValueError as fault:
        raise refused("validation", str(fault)) from fault


async def prompt(line: Line, asked: Asked) -> Started:
    """Have the payer's phone ask for the PIN (STK push). Nothing is paid by its being taken on."""
    config: MpesaConfig = line.config
    amount = whole(asked.amount, asked.currency)
    body = {
        **_signed(line),
        "TransactionType": "CustomerBuyGoodsOnline" if config.kind == "till" else "CustomerPayBillOnline",
        "Amount": amount,
        "PartyA": asked.phone,
        "PartyB": config.till if config.kind == "till" else config.shortcode,
        "PhoneNumber": asked.phone,
        "CallBackURL": asked.notify,
        "AccountReference": _reference(asked.reference),
        "TransactionDesc": _plain(asked.words, 13) or "Payment",
    }
    said = await call(line, "/mpesa/stkpush/v1/processrequest", body, moves=True)
    number, checkout = code(said.get("ResponseCode")), id_(said.get("CheckoutRequestID"))
    if number not in ("", "0"):
        known = codes.meaning(number)
        raise refused(known.fault or "unknown", known.said, number, said.get("ResponseDescription"))
    if checkout is None or not number:
        raise GatewayFailed(Fault("timeout", _LOST), is_unsure=True)
    ids = {CHECKOUT: checkout} | _named("merchant", said.get("MerchantRequestID"))
    accepted = GatewayFact(kind="accepted", key=f"stk:{checkout}:accepted", ids=ids, code="0")
    shown = Show("prompt", "Enter your M-PESA PIN on your phone")
    return Started(ids, shown, line.now + dt.timedelta(seconds=LIVES_S), (accepted,))


async def picture(line: Line, asked: Asked) -> Started:
    """Make a picture to scan with the M-PESA app (dynamic QR). The money comes unasked, by its reference."""
    config: MpesaConfig = line.config
    body = {
        "MerchantName": _plain(config.name, 26) or "Shop",
        "RefNo": _reference(asked.reference),
        "Amount": whole(asked.amount, asked.currency),
        "TrxCode": "BG" if config.kind == "till" else "PB",
        "CPI": config.till if config.kind == "till" else config.shortcode,
        "Size": "300",
    }
    said = await call(line, "/mpesa/qrcode/v1/generate", body)
    drawn = text(said.get("QRCode"))
    if drawn is None or not re.fullmatch(r"[A-Za-z0-9+/=\s]+", drawn):
        raise refused("provider_down", "M-PESA sent no picture", code(said.get("ResponseCode")))
    shown = Show("picture", "Scan with the M-PESA app", f"data:image/png;base64,{''.join(drawn.split())}")
    return Started(_named("picture", said.get("RequestID")), shown, asked.expires_at)


async def ask_about(line: Line, known: Known) -> Sequence[GatewayFact]:
    """What M-PESA says of a prompt; of one whose number was lost, and of pictures, what it lists by our reference."""
    checkout = known.ids.get(CHECKOUT)
    if checkout is None:
        return await _listed(line, known)
    try:
        said = await call(line, "/mpesa/stkpushquery/v1/query", {**_signed(line), "CheckoutRequestID": checkout})
    except GatewayFailed as failed:
        found = why(failed)
        if found.is_pending:
            return (_pending(checkout, failed.fault.code, failed.fault.raw),)
        if failed.fault.code == "500.001.1001" and not found.is_known:
            return (_unknown(checkout, failed.fault.code, failed.fault.raw),)
        raise
    number = code(said.get("ResultCode"))
    if not number:
        return (_unknown(checkout, code(said.get("ResponseCode")) or "200", said.get("ResponseDescription")),)
    fact = prompt_fact(checkout, number, said.get("ResultDesc"))
    return (fact, *(await _listed(line, known) if fact.kind == "captured" and not known.money_keys else ()))


async def _listed(line: Line, known: Known) -> Sequence[GatewayFact]:
    """The payments with our reference that Pull Transactions lists since we asked; nothing where it is off.

    One that fails tells nothing: what was asked before it stands.
    """
    config: MpesaConfig = line.config
    if not config.pulls or line.now - known.asked_at > dt.timedelta(days=2):
        return ()
    try:
        found = await since_two_days(line, known.asked_at - dt.timedelta(minutes=1), line.now)
    except GatewayFailed:
        if CHECKOUT in known.ids:
            return ()
        raise
    return [one for one in found if (one.reference or "").upper() == known.reference.upper()]


def _named(name: str, said: Any) -> dict[str, str]:
    found = id_(said)
    return {name: found} if found else {}


def _signed(line: Line) -> Mapping[str, Any]:
    config: MpesaConfig = line.config
    stamp = timestamp(line.now)
    return {
        "BusinessShortCode": config.shortcode,
        "Password": prompt_password(config.shortcode, config.passkey, stamp),
        "Timestamp": stamp,
    }


def _pending(checkout: str, number: str, words: Any) -> GatewayFact:
    return GatewayFact(
        kind="pending", key=f"stk:{checkout}:pending", ids={CHECKOUT: checkout}, code=number, words=text(words) or ""
    )


def _unknown(checkout: str, number: str, words: Any) -> GatewayFact:
    return GatewayFact(
        kind="unknown",
        key=f"stk:{checkout}:{number}",
        ids={CHECKOUT: checkout},
        fault="unknown",
        code=number,
        words=(text(words) or "")[:500],
        said=codes.UNKNOWN.said,
        tells=codes.UNKNOWN.tells,
    )


def _reference(said: str) -> str:
    """Our reference, which Safaricom says may have twelve characters, though its test system takes more."""
    if not _REFERENCE.match(said):
        raise refused("validation", "M-PESA takes references of at most 12 letters and figures")
    return said


def _plain(words: str, most: int) -> str:
    """Words in letters that every phone shows, cut to a length."""
    bare = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.,-]+", " ", bare).strip()[:most].strip()
