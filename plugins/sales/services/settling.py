"""The money of a sale: what was asked for against what is due; and the numbers that sales and orders are given."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from msgspec.structs import replace

from kernel.errors import Invalid
from kernel.money import format_amount, show_amount
from kernel.work import Number, Work
from plugins.payments.api import Coin, Taken, Wanted, coins, step_of
from plugins.sales import rules
from plugins.sales.errors import Overpaid, PaymentShort
from plugins.sales.rules.numbering import number_prefix, order_prefix
from plugins.sales.schemas.settings import Settings
from plugins.sales.schemas.values import Settlement, Tender


async def rounding_of(work: Work, total: int, location_id: UUID) -> int:
    """What the rounding of totals at a location adds to one, in minor units. Reads configuration only."""
    said = (await work.settings(Settings, location_id)).total_rounding
    return 0 if said is None else rules.round_total(total, step_of(said.step, work.shop.exponent), said.mode)


async def settle_sale(work: Work, total: int, wanted: list[Wanted], location_id: UUID) -> Settlement:
    """Match payments with a sale's total, which may be rounded first. Raises as `settle_payments`."""
    rounding = await rounding_of(work, total, location_id)
    settled = await settle_payments(work, total + rounding, wanted, location_id)
    return replace(settled, rounding=settled.rounding + rounding)


async def settle_payments(work: Work, due: int, wanted: list[Wanted], location_id: UUID) -> Settlement:
    """Match payments with what is due in minor units, each rounded as is said of its method at a location.

    Raises PaymentShort, Overpaid, Invalid for what a method does not take.
    """
    found, shop = await coins(work, location_id), work.shop
    try:
        settled = rules.settle(due, [_tender(said, found.of(said.method)) for said in wanted])
    except rules.Overpaid as fault:
        place = next(n for n, said in enumerate(wanted) if said.method.code == fault.method)
        raise Overpaid.at(f"/payments/{place}/amount", str(fault), code="overpaid") from fault
    except rules.OffStep as fault:
        place = next(n for n, said in enumerate(wanted) if said.method.code == fault.method)
        step = show_amount(fault.step, shop.currency, shop.region)
        raise Invalid.at(f"/payments/{place}/amount", f"This method pays in multiples of {step}") from fault
    except rules.BadTender as fault:
        raise Invalid.at("/payments", str(fault)) from fault
    if settled.balance_due > 0:
        words = show_amount(settled.balance_due, shop.currency, shop.region)
        left = format_amount(settled.balance_due, shop.exponent)
        raise PaymentShort.at("/payments", f"{words} is still due", code="payment-short", due=left)
    return settled


def _tender(said: Wanted, coin: Coin) -> Tender:
    method = said.method
    return Tender(method.code, said.amount, said.tendered, method.is_cash, coin.step, coin.mode)


def taken_of(wanted: list[Wanted], settled: Settlement) -> list[Taken]:
    """The payments as they were settled; those that come to nothing are left out."""
    return [
        Taken(
            said.method,
            tender.amount,
            tender.tendered,
            tender.change,
            said.reference,
            said.awaited,
            said.phone,
            said.claims,
        )
        for said, tender in zip(wanted, settled.tenders, strict=True)
        if tender.amount
    ]


def wait_until(taken: list[Taken], now: dt.datetime) -> dt.datetime | None:
    """When to give up the wait for the money that is still to come; None if all of it is there."""
    waits = [one.method.wait_minutes for one in taken if one.awaited]
    return now + dt.timedelta(minutes=max(waits)) if waits else None


def sale_number(work: Work, register_code: str, day: dt.date) -> Number:
    """The next number of a sale."""
    prefix = number_prefix(register_code, work.shop.region, day)
    return work.number(f"sale:{prefix}", prefix)


def order_number(work: Work, register_code: str, day: dt.date) -> Number:
    """The next number of an order, a sale that waits for its money."""
    prefix = order_prefix(register_code, work.shop.region, day)
    return work.number(f"order:{prefix}", prefix)
