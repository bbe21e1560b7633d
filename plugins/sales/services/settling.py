"""The money of a sale: what was asked for against what is due; and the numbers that sales and orders are given."""

from __future__ import annotations

import datetime as dt

from kernel.errors import Invalid
from kernel.money import format_amount
from kernel.work import Number, Shop, Work
from plugins.payments.api import Taken, Wanted
from plugins.sales import rules
from plugins.sales.errors import Overpaid, PaymentShort
from plugins.sales.rules.numbering import number_prefix, order_prefix
from plugins.sales.schemas.values import Settlement, Tender


def settle_payments(due: int, wanted: list[Wanted], shop: Shop) -> Settlement:
    """Match payments with what is due in minor units.

    Raises PaymentShort, Overpaid, Invalid for what a method does not take.
    """
    tenders = [
        Tender(said.method.code, said.amount, said.tendered, said.method.is_cash, said.method.step(shop.currency))
        for said in wanted
    ]
    try:
        settled = rules.settle(due, tenders)
    except rules.Overpaid as fault:
        place = next(n for n, said in enumerate(wanted) if said.method.code == fault.method)
        raise Overpaid.at(f"/payments/{place}/amount", str(fault), code="overpaid") from fault
    except rules.BadTender as fault:
        raise Invalid.at("/payments", str(fault)) from fault
    if settled.balance_due > 0:
        left = format_amount(settled.balance_due, shop.exponent)
        raise PaymentShort.at("/payments", f"{left} {shop.currency} is still due", code="payment-short", due=left)
    return settled


def taken_of(wanted: list[Wanted], settled: Settlement) -> list[Taken]:
    """The payments as they were settled; those that come to nothing are left out."""
    return [
        Taken(said.method, tender.amount, tender.tendered, tender.change, said.reference, said.awaited)
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
