"""What a payer does on their page: pays, has the provider asked, calls a request back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import structs

from kernel.auth import Location, count_try
from kernel.db import new_id
from kernel.errors import DukaError, RateLimited
from kernel.money import BadDecimal, exponent, format_amount, parse_amount
from kernel.sealing import keyed_hashes
from kernel.work import Work, business_date
from plugins.payment_links.models import Turn
from plugins.payment_links.rules import complaint
from plugins.payment_links.schemas.screens import Screen
from plugins.payment_links.services.addresses import Place, token_of
from plugins.payment_links.services.finding import Found, find
from plugins.payment_links.services.making import declare_turn
from plugins.payment_links.services.showing import CLOSED, show
from plugins.payments.api import (
    AccountNotUsable,
    GatewayUnavailable,
    NotAwaited,
    NotCancellable,
    PaymentIn,
    PaymentNotWhole,
    PaymentUnderWay,
    Taken,
    UnknownMethod,
    ask_now,
    cancel_payment,
    read_payments,
    take,
    under_way,
)
from plugins.payments.api import Place as PaidAt
from plugins.payments.hooks import money_wanted

MOST_OF_TURN: Final = 6
"""So often a payer is asked for money by one page within a quarter of an hour;"""
MOST_OF_PHONE: Final = 6
"""so often one phone is, by all pages of a business;"""
MOST_TURNS: Final = 120
"""and so many payers begin at a link that many may pay."""
_PHONE: Final = re.compile(r"[0-9+() .-]{3,32}\Z", re.ASCII)
_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z", re.ASCII)
_NOW: Final = (AccountNotUsable, GatewayUnavailable)


class Outcome(NamedTuple):
    """What became of what a payer sent: the page that shows it now, or the token of the address to go to."""

    screen: Screen | None = None
    token: str = ""


class _Wrong(Exception):
    """What was typed cannot be paid. field, words: of the page."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field, self.words = field, words


async def pay(work: Work, place: Place, sent: Mapping[str, str]) -> Outcome:
    """Ask a payer for money, as their page says; of two at once the second finds the first.

    sent: `method`, and `phone` and `amount` where they are asked for.
    """
    found = await find(work, place, to_change=True)
    if found is None:
        return Outcome(CLOSED)
    now = await show(work, found)
    if now.face != "choose":
        return Outcome(now) if now.face == "closed" else Outcome(token=_token(work, found))
    try:
        turn = await _ask(work, found, now, sent)
    except _Wrong as wrong:
        typed = {name: sent.get(name, "")[:40] for name in ("phone", "amount")}
        return Outcome(structs.replace(now, wrong={wrong.field: wrong.words}, typed=typed))
    return Outcome(token=_token(work, turn))


async def look_again(work: Work, place: Place) -> Outcome:
    """Have the provider of what is under way asked how it stands, unless that was a moment ago."""
    found = await find(work, place)
    if found is None or found.subject is None:
        return Outcome(CLOSED)
    living = await under_way(work, found.subject)
    if living is not None:
        with contextlib.suppress(RateLimited, NotAwaited):  # it was, or there is nothing to learn
            await ask_now(work, living)
    return Outcome(token=_token(work, found))


async def call_off(work: Work, place: Place) -> Outcome:
    """Call back what is under way, so that another way may be chosen; what its provider cannot call back goes on."""
    found = await find(work, place, to_change=True)
    if found is None or found.subject is None:
        return Outcome(CLOSED)
    living = await under_way(work, found.subject)
    if living is not None:
        with contextlib.suppress(NotCancellable):
            await cancel_payment(work, living)
    return Outcome(token=_token(work, found))


async def _ask(work: Work, found: Found, now: Screen, sent: Mapping[str, str]) -> Found:
    link = found.link
    amount = now.amount if now.amount is not None else _amount(sent, link)
    way = next((one for one in now.ways if one.code == sent.get("method")), None)
    if way is None:
        raise _Wrong("method", "Choose how to pay")
    phone = _phone(sent) if way.takes_phone else None
    said = PaymentIn(method=way.code, amount=_text(amount, link.currency), phone=phone)
    try:
        [wanted] = read_payments(work, [said])
    except (PaymentNotWhole, UnknownMethod) as fault:
        raise _wrong_of(fault) from fault
    await _count(work, found, wanted.phone)
    at = await _turn(work, found, amount)
    subject = at.subject
    assert subject is not None  # noqa: S101 - a turn has one
    due = await work.tell(money_wanted, work=work, subject=subject, amount=amount)
    if due and due[0].value < amount:
        raise _Wrong("method", "This has been paid meanwhile. Open the page again")
    where = await work.get(Location, link.location_id)
    today = business_date(work.now, ZoneInfo(where.zone), where.day_cutoff)
    taken = Taken(wanted.method, amount, awaited=True, phone=wanted.phone)
    try:
        await take(work, subject, [taken], PaidAt(link.location_id, None, today, link.customer_id))
    except _NOW as fault:
        raise _Wrong(
            "method", "This way of paying is not open just now. Choose another one, or try again later"
        ) from fault
    except PaymentUnderWay:
        return at
    return at


async def _count(work: Work, found: Found, phone: str | None) -> None:
    """Let nobody be pestered by this page, nor by all pages of the business."""
    [whose, *_] = keyed_hashes(work.deployment.secrets, "payers", phone or "")
    try:
        if found.turn is not None:
            await count_try(work, f"pay-turn:{found.turn.id}", MOST_OF_TURN)
        else:
            await count_try(work, f"pay-turns:{found.link.id}", MOST_TURNS)
        if phone is not None:
            await count_try(work, f"pay-phone:{work.business_id}:{whose.hex()[:32]}", MOST_OF_PHONE)
    except RateLimited as often:
        raise _Wrong("method", "That was tried too often. Wait a quarter of an hour") from often


async def _turn(work: Work, found: Found, amount: int) -> Found:
    """The payer's turn, with what they are asked for: begun now at a link that many may pay."""
    if found.turn is None:
        id_ = new_id()
        declare_turn(work, id_, found.link.id, amount)
        await work.flush()
        place = Place("turn", work.business_id, id_, found.link.generation)
        return await find(work, place) or found
    if found.link.amount is None and not found.turn.paid:
        here = sa.and_(Turn.business_id == work.business_id, Turn.id == found.turn.id)
        await work.execute(sa.update(Turn).where(here).values(amount=amount))
    return found


def _amount(sent: Mapping[str, str], link: Any) -> int:
    """What the payer said, in minor units. Raises _Wrong."""
    text = sent.get("amount", "").strip().replace(",", "")
    if not _AMOUNT.match(text):
        raise _Wrong("amount", "Write the amount in figures")
    try:
        amount = parse_amount(text, exponent(link.currency))
    except BadDecimal as fault:
        raise _Wrong("amount", "Write the amount in figures") from fault
    wrong = complaint(amount, link.least, link.most)
    if wrong is not None:
        raise _Wrong("amount", {"little": "That is too little", "much": "That is too much"}[wrong])
    return amount


def _phone(sent: Mapping[str, str]) -> str:
    """The phone as typed. Raises _Wrong."""
    text = sent.get("phone", "").strip()
    if not _PHONE.match(text):
        raise _Wrong("phone", "Write the number of the phone that pays")
    return text


def _wrong_of(fault: DukaError) -> _Wrong:
    """What payments says of a payment, as words for the payer."""
    pointer = fault.faults[0].pointer if fault.faults else ""
    if pointer.endswith("/phone"):
        return _Wrong("phone", "This number cannot pay this way. Check it")
    if pointer.endswith("/amount"):
        return _Wrong("amount", "This amount cannot be paid this way")
    return _Wrong("method", "Choose how to pay")


def _text(amount: int, currency: str) -> str:
    return format_amount(amount, exponent(currency))


def _token(work: Work, found: Found) -> str:
    """Where the payer goes on: at their own turn of a link that many may pay, else at the link."""
    link, turn = found.link, found.turn
    place = Place("link", work.business_id, link.id, link.generation)
    if turn is not None and link.is_many:
        place = Place("turn", work.business_id, turn.id, link.generation)
    return token_of(work.deployment, place)
