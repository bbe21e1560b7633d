"""What a payer's page shows, as everything stands now."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from kernel.auth import Location
from kernel.money import exponent, parse_amount
from kernel.work import Work
from plugins.payment_links.rules import ENDED, fault_of, fingerprint, state_of
from plugins.payment_links.schemas.screens import Came, Screen, Waiting, Way
from plugins.payment_links.schemas.settings import Settings
from plugins.payment_links.services.addresses import Place
from plugins.payment_links.services.finding import Found, find
from plugins.payment_links.services.making import OWN, payable
from plugins.payments.api import Method, PaymentOut, asked_methods, methods, offered, payments_of, under_way

UNKNOWN = "unknown"
"""The fault of a try of which not even its provider knows the end."""
UNKNOWN = "unknown"
"""The fault of a try of which not even its provider knows the end."""
UNKNOWN = "unknown"
"""The fault of a try of which not even its provider knows the end."""
UNKNOWN = "unknown"
"""The fault of a try of which not even its provider knows the end."""
UNKNOWN = "unknown"
"""The fault of a try of which not even its provider knows the end."""
UNKNOWN = "unknown"
"""The fault of a try of which not even its provider knows the end."""
CLOSED = Screen(face="closed", state="closed")
"""The page of every address that is worth nothing, whatever the reason."""


async def screen_of(work: Work, place: Place) -> Screen:
    """The page at an address. One that is unknown, over or cancelled shows the same nothing."""
    found = await find(work, place)
    return CLOSED if found is None else await show(work, found)


async def show(work: Work, found: Found) -> Screen:
    """The page of a link or of a turn at it."""
    link, subject = found.link, found.subject
    shop = work.shop
    base = Screen(
        face="closed",
        shop=shop.name,
        region=shop.region,
        currency=link.currency,
        number=link.number,
        words=link.words,
    )
    paid = () if subject is None else (await payments_of(work, subject.kind, [subject.id]))[subject.id]
    digits = exponent(link.currency)
    came = tuple(
        Came(parse_amount(one.captured, digits), one.reference, parse_amount(one.refunded, digits))
        for one in paid
        if parse_amount(one.captured, digits)
    )
    due = await _due(work, found)
    is_paid = found.turn is not None and due is not None and due <= 0
    living = None if subject is None or is_paid else await under_way(work, subject)
    if living is not None:
        return _waits(work, next(one for one in paid if one.id == living), base)
    is_open = state_of(link.state, link.expires_at, work.now) == "open"
    if came and (is_paid or not is_open):
        return await _receipt(work, found, came, base, is_late=link.state == "cancelled" or not is_paid)
    if is_paid or not is_open:
        return CLOSED
    return await _chooses(work, found, due, paid, came, base)


async def _receipt(work: Work, found: Found, came: tuple[Came, ...], base: Screen, *, is_late: bool) -> Screen:
    link, total = found.link, sum(one.amount for one in came)
    asked = found.turn.amount if found.turn is not None else None
    return structs.replace(
        base,
        face="paid",
        amount=asked,
        came=came,
        paid=total,
        paid_at=found.turn.paid_at if found.turn is not None else None,
        zone=(await work.get(Location, link.location_id)).zone,
        is_late=is_late,
        is_over=not is_late and asked is not None and total - sum(one.given_back for one in came) > asked,
        thanks=(await work.settings(Settings, link.location_id)).thanks,
        state=fingerprint("paid", [one.given_back for one in came], total),
    )


def _waits(work: Work, payment: PaymentOut, base: Screen) -> Screen:
    method = methods(work).get(payment.method)
    waiting = Waiting(
        payment.id,
        method.title if method else payment.method,
        payment.status,
        payment.show.kind if payment.show else "wait",
        payment.show.text if payment.show else "",
        payment.expires_at,
        payment.status == "created" or _calls_back(work, method),
    )
    amount = parse_amount(payment.amount, exponent(base.currency))
    sure = fingerprint("wait", payment.id, payment.status, waiting.show, waiting.text)
    return structs.replace(base, face="wait", amount=amount, waiting=waiting, state=sure)


def _calls_back(work: Work, method: Method | None) -> bool:
    gateway = offered(work).get(method.gateway or "") if method else None
    return gateway is not None and gateway.capabilities.cancels


async def _chooses(
    work: Work, found: Found, due: int | None, paid: Sequence[PaymentOut], came: tuple[Came, ...], base: Screen
) -> Screen:
    link = found.link
    wanted = set(link.methods)
    ways = tuple(
        Way(one.code, one.title, one.takes_phone)
        for one in await asked_methods(work, due, link.location_id)
        if not wanted or one.code in wanted
    )
    last = next((one for one in reversed(paid) if one.status in (*ENDED, "unknown")), None)
    fault = "" if last is None else UNKNOWN if last.status == "unknown" else _fault(last)
    return structs.replace(
        base,
        face="choose",
        amount=due,
        least=link.least,
        most=link.most,
        paid=sum(one.amount for one in came),
        ways=ways,
        fault=fault,
        state=fingerprint("choose", due, last.id if last else "", fault),
    )


def _fault(payment: PaymentOut) -> str:
    if payment.fault is not None:
        return fault_of(payment.fault.kind)
    return fault_of({"cancelled": "payer_declined", "expired": "timeout"}.get(payment.status, ""))


async def _due(work: Work, found: Found) -> int | None:
    """What is still to be paid, in minor units; None where the payer says how much."""
    link, turn = found.link, found.turn
    if not link.is_many and link.subject_kind != OWN:
        document = await payable(work, link.subject_kind, link.subject_id)
        return 0 if document is None or document.due is None else document.due
    if turn is None:
        amount: int | None = link.amount
        return amount
    if link.amount is None and not turn.paid:
        return None  # what was said before may be said anew
    due: int = turn.amount - turn.paid
    return due
