"""What a client asked to pay, read and checked before anything is priced or written."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.money import BadDecimal, parse_amount
from kernel.work import Work, read_ext
from plugins.payments.errors import PaymentNotWhole, UnknownMethod
from plugins.payments.hooks import payment_methods
from plugins.payments.schemas.requests import PaymentIn
from plugins.payments.schemas.settings import Coins, Settings
from plugins.payments.schemas.told import Wanted
from plugins.payments.schemas.values import EXTENSION, Method


def methods(work: Work) -> dict[str, Method]:
    """The ways of paying that the enabled plugins offer: code → method; the first to offer a code keeps it."""
    found: dict[str, Method] = {}
    for answer in work.hooks.offers(payment_methods):
        for method in answer.value:
            found.setdefault(method.code, method)
    return found


async def coins(work: Work) -> Coins:
    """What the tenders of the business are rounded to. Reads configuration only."""
    shop, said = work.shop, await work.settings(Settings)
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
    if said.phone is not None and not method.takes_phone:
        raise PaymentNotWhole.at(f"{pointer}/phone", f"{method.title} asks for no phone")
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
    awaited = said.awaited or method.waits == "always"
    if awaited:
        work.begin("payments")
    return Wanted(method, amount, tendered, said.reference, said.phone, ext, awaited)
