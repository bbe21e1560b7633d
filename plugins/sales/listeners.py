"""What sales answers: first registers, what must hold of its tables, demo sales; awaited money that has come."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from kernel.app.recording import Recording
from kernel.auth import Location
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import Consequence, Obligation
from kernel.work import Work
from plugins.payments.api import AppliedMoney, CapturedPayment, Subject
from plugins.sales.models import Register
from plugins.sales.services import money_came, still_due, take_on
from plugins.sales.services.demo import Demo, sell_for_a_month
from plugins.sales.services.foreseeing import PRICE_HOOKS, foresee, rehearse, what_is_open
from plugins.sales.services.open_matters import refuse_while_open
from plugins.sales.services.recording import record_sale
from plugins.sales.services.registers import add_office

_INVARIANTS = (
    Rule(
        "a sale's totals are the sums of its lines",
        "SELECT s.id FROM sales_sale s LEFT JOIN (SELECT business_id, sale_id, SUM(gross) AS gross, SUM(discount) AS"
        " discount, SUM(tax) AS tax, SUM(total) AS total FROM sales_line GROUP BY business_id, sale_id) l"
        " ON l.business_id = s.business_id AND l.sale_id = s.id"
        " WHERE l.gross IS NULL OR l.gross <> s.subtotal OR l.discount <> s.discount_total OR l.tax <> s.tax_total"
        " OR l.total <> s.total",
    ),
    Rule(
        "net and tax of every line make its total",
        "SELECT sale_id, line FROM sales_line WHERE net + tax <> total OR discount NOT BETWEEN 0 AND gross",
    ),
    Rule(
        "a sale with a number of its own is paid to the last unit, one that goes by its order number is not",
        "SELECT id FROM sales_sale WHERE (total + rounding <> paid) <> (order_number IS NOT NULL"
        " AND order_number = number)",
    ),
    Rule(
        "what is pending or expired goes by its order number, what is completed by its own",
        "SELECT id FROM sales_sale WHERE status <> 'voided'"
        " AND (status IN ('pending', 'expired')) <> (order_number IS NOT NULL AND order_number = number)",
    ),
    Rule(
        "sale numbers run from 1 without a gap in every series",
        "SELECT k.series, k.last, COUNT(s.id) FROM kernel_series k LEFT JOIN sales_sale s"
        " ON s.business_id = k.business_id AND rtrim(s.number, '0123456789') = substr(k.series, 6)"
        " AND (s.order_number IS NULL OR s.order_number <> s.number)"
        " WHERE k.series LIKE 'sale:%' GROUP BY k.business_id, k.series, k.last HAVING COUNT(s.id) <> k.last",
    ),
    Rule(
        "order numbers run from 1 without a gap in every series",
        "SELECT k.series, k.last, COUNT(s.id) FROM kernel_series k LEFT JOIN sales_sale s"
        " ON s.business_id = k.business_id AND rtrim(s.order_number, '0123456789') = substr(k.series, 7)"
        " WHERE k.series LIKE 'order:%' GROUP BY k.business_id, k.series, k.last HAVING COUNT(s.id) <> k.last",
    ),
)


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of sales."""
    return _INVARIANTS


@answers
async def switched_on(work: Work) -> None:
    """Give every storefront its office register."""
    found = await work.execute(
        sa.select(Location.id)
        .where(Location.business_id == work.business_id, Location.kind == "storefront")
        .order_by(Location.code)
    )
    for location_id in found.scalars().all():
        await add_office(work, location_id)


@answers
async def location_added(work: Work, location_id: uuid.UUID, kind: str) -> None:
    """Give a new storefront its office register."""
    if kind == "storefront":
        await add_office(work, location_id)


@answers
async def payment_captured(work: Work, payment: CapturedPayment) -> None:
    """Complete the sale that waited for this money, once it waits for no more."""
    if payment.awaited and payment.subject.kind == "sale" and payment.surplus < payment.amount:
        await money_came(work, payment.subject.id, payment.amount - payment.surplus)


@answers
async def money_wanted(work: Work, subject: Subject, amount: int) -> int | None:
    """What a sale still waits for."""
    return min(amount, await still_due(work, subject.id)) if subject.kind == "sale" else None


@answers
async def money_applied(work: Work, money: AppliedMoney) -> None:
    """Credit the sale that money was put onto which had come before."""
    if money.subject.kind == "sale":
        await take_on(work, money.subject.id, money.amount)


@answers
async def register_known(work: Work, location_id: uuid.UUID, register_id: uuid.UUID) -> bool | None:
    """Whether a register is an active one of a location."""
    found = await work.execute(
        sa.select(Register.id).where(
            Register.business_id == work.business_id,
            Register.id == register_id,
            Register.location_id == location_id,
            Register.is_active.is_(True),
        )
    )
    return True if found.first() is not None else None


@answers
async def obligations(work: Work) -> Sequence[Obligation]:
    """Sales that wait for money, and carts set aside."""
    return await what_is_open(work)


@answers
async def consequences(work: Work, after: Work, hooks: frozenset[str]) -> Sequence[Consequence] | None:
    """What the last week's sales would have come to, where a plugin with a word on prices comes or goes."""
    found = await foresee(work, after) if hooks & PRICE_HOOKS else None
    return [found] if found else None


@answers
async def rehearsed(work: Work, most: int) -> Sequence[Consequence] | None:
    """The newest sales, as they were and as they are priced now."""
    found = await rehearse(work, most)
    return [found] if found else None


@answers
async def recorded(work: Work, recording: Recording) -> None:
    """A sale: its cart, and what it came to."""
    await record_sale(work, recording)


@answers
async def erasing_person(work: Work, kind: str, person_id: uuid.UUID) -> None:
    """Keep a customer whose sale waits for money or whose cart is set aside."""
    if kind == "customer":
        await refuse_while_open(work, person_id)


@answers(trylast=True)  # after inventory has stocked the shelves, though it stands above sales in plan order
async def seed_demo(demo: Demo) -> None:
    """Ring up a month of sales."""
    await sell_for_a_month(demo)
