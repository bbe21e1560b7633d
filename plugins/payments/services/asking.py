"""What a client asked to pay, read and checked before anything is priced or written."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.money import BadDecimal, format_amount, parse_amount, show_amount
from kernel.work import Work, read_ext
from plugins.payments.errors import PaymentNotWhole, UnknownMethod
from plugins.payments.schemas.gateways import Gateway
from plugins.payments.schemas.requests import PaymentIn
from plugins.payments.schemas.settings import Coins, Settings
from plugins.payments.schemas.told import Wanted
from plugins.payments.schemas.values import EXTENSION, Method
from plugins.payments.services.accounts import gateway_of, known_methods


def methods(work: Work) -> dict[str, Method]:
    """The ways of paying that the enabled plugins offer: code → method; the first to offer a code keeps it."""
    return known_methods(work)


async def coins(work: Work, location_id: UUID | None = None) -> Coins:
    """What tenders are rounded to at a location, without one in the business. Reads configuration only."""
    shop, said = work.shop, await work.settings(Settings, location_id)
    return Coins(said.rounding, shop.currency, shop.region, shop.exponent)


def read_payments(work: Work, said: Sequence[PaymentIn], pointer: str = "/payments") -> list[Wanted]:
    """Payments of a document as they were asked for, in the shop's currency. Raises UnknownMethod, PaymentNotWhole."""
    known = methods(work)
    return [_wanted(work, one, known, f"{pointer}/{place}") for place, one in enumerate(said)]


def amount_at(text: str, digits: int, pointer: str) -> int:
    """An amount of the wire in minor units, above zero. Raises PaymentNotWhole."""
    try:
        amount = parse_amount(text, digits)
    except BadDecimal as fault:
        raise PaymentNotWhole.at(pointer, f"This currency has {digits} decimals") from fault
    if not amount:
        raise PaymentNotWhole.at(pointer, "Must be above zero")
    return amount


def _wanted(work: Work, said: PaymentIn, known: dict[str, Method], pointer: str) -> Wanted:
    method = known.get(said.method)
    if method is None:
        offered = ", ".join(known)
        raise UnknownMethod.at(f"{pointer}/method", f"Pay with one of {offered}", code="unknown-method")
    digits = work.shop.exponent
    amount = amount_at(said.amount, digits, f"{pointer}/amount")
    phone = None
    if said.claims is not None:
        _check_claim(said, method, f"{pointer}/claims")
    else:
        phone = _phone(work, said.phone, method, f"{pointer}/phone")
        if method.gateway is not None:
            check_span(work, gateway_of(work, method), amount, f"{pointer}/amount")
    tendered = None
    if said.tendered is not None:
        if not method.is_cash:
            raise PaymentNotWhole.at(f"{pointer}/tendered", "Only cash is handed over and gives change")
        tendered = amount_at(said.tendered, digits, f"{pointer}/tendered")
        if tendered < amount:
            raise PaymentNotWhole.at(f"{pointer}/tendered", "Less is handed over than it is to settle")
    if said.awaited and method.waits == "never":
        raise PaymentNotWhole.at(f"{pointer}/awaited", f"{method.title} is there at once or not at all")
    ext = read_ext(work, EXTENSION, said.ext, f"{pointer}/ext") if said.ext else {}
    awaited = said.claims is None and (said.awaited or method.waits == "always" or method.gateway is not None)
    if awaited:
        work.begin("payments")
    return Wanted(method, amount, tendered, said.reference, phone, ext, awaited, said.claims)


def _check_claim(said: PaymentIn, method: Method, pointer: str) -> None:
    if method.gateway is None:
        raise PaymentNotWhole.at(pointer, f"{method.title} comes by no provider")
    if said.awaited or said.phone is not None:
        raise PaymentNotWhole.at(pointer, "Money that is there is neither awaited nor asked for")


def check_span(work: Work, gateway: Gateway, amount: int, pointer: str) -> None:
    """Refuse an amount that the provider does not take. Raises PaymentNotWhole, saying what it takes."""
    shop = work.shop
    span = next((one for one in gateway.capabilities.spans if one.currency == shop.currency), None)
    if span is None:
        raise PaymentNotWhole.at(pointer, f"{gateway.title} takes no {shop.currency}", code="currency")

    def shown(minor: int) -> str:
        return show_amount(minor, shop.currency, shop.region)

    if amount < span.least:
        said, limit = f"{gateway.title} takes {shown(span.least)} at least", span.least
    elif span.most is not None and amount > span.most:
        said, limit = f"{gateway.title} takes {shown(span.most)} at most", span.most
    elif amount % span.step:
        said, limit = f"{gateway.title} takes multiples of {shown(span.step)}", span.step
    else:
        return
    raise PaymentNotWhole.at(pointer, said, code="out-of-span", limit=format_amount(limit, shop.exponent))


def read_phone(work: Work, gateway: Gateway, said: str, pointer: str) -> str:
    """A payer's phone as the provider wants it. Raises PaymentNotWhole saying what is wrong."""
    try:
        return gateway.phone(said, work.shop.region)
    except ValueError as fault:
        raise PaymentNotWhole.at(pointer, str(fault) or "This is no phone that can pay", code="phone") from fault


def _phone(work: Work, said: str | None, method: Method, pointer: str) -> str | None:
    if said is None:
        if method.takes_phone and method.gateway is not None:
            raise PaymentNotWhole.at(pointer, f"{method.title} asks whose phone pays", code="phone")
        return None
    if not method.takes_phone:
        raise PaymentNotWhole.at(pointer, f"{method.title} asks for no phone")
    return said if method.gateway is None else read_phone(work, gateway_of(work, method), said, pointer)
