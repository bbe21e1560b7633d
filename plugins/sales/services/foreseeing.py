"""What past sales would have come to with another set of plugins: the carts of the last week, priced twice."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.errors import DukaError
from kernel.money import format_amount, parse_micro
from kernel.plugin import Changed, Consequence, Obligation
from kernel.work import Work
from plugins.catalog.api import Sellable, sellables
from plugins.sales.models import Held, Sale, SaleLine
from plugins.sales.schemas.values import Cart, Line
from plugins.sales.services.checkout import price_cart_of
from plugins.sales.services.ground import Ground, Place
from plugins.taxes.api import policy_of, treatments

PRICE_HOOKS: Final = frozenset({"price_facts", "price_line", "price_cart"})
LOOKED_BACK: Final = dt.timedelta(days=7)
MOST: Final = 300
"""The newest of the week; a plan is answered while somebody waits."""

_S, _L = Sale.__table__.c, SaleLine.__table__.c


async def foresee(work: Work, after: Work) -> Consequence | None:
    """Price the sales of the last week with what is on now and with what would be on; None where there are none.

    Both prices are of today's rules and without discounts by hand, so that only the plugins differ.
    """
    rows, of = await _sales(work)
    if not rows:
        return None
    lines = await _lines(work, [row.id for row in rows])
    goods = (await sellables(work, list({line.product_id for some in lines.values() for line in some}), [])).by_id
    examined, sums, changed = 0, [0, 0], list[Changed]()
    for row in rows:
        sold = lines.get(row.id, ())
        if any(line.product_id not in goods for line in sold):
            continue
        try:
            ground = await _ground(work, row, sold, goods)
        except DukaError:  # a tax class that has no rate any more: it cannot be priced as it was
            continue
        was, then, words = await _both(work, after, ground)
        examined += 1
        sums = [sums[0] + was, sums[1] + then]
        if was != then or words:
            exponent, said = work.shop.exponent, f"{row.number} of {row.business_date}{words}"
            changed.append(Changed(str(row.id), said, format_amount(was, exponent), format_amount(then, exponent)))
    before, later = (format_amount(one, work.shop.exponent) for one in sums)
    return Consequence("Sales of the last 7 days", examined, of, before, later, tuple(changed))


async def what_is_open(work: Work) -> list[Obligation]:
    """Sales that wait for money, and carts set aside."""
    pending = sa.select(sa.func.count()).where(_S.business_id == work.business_id, _S.status == "pending")
    held = sa.select(sa.func.count()).where(Held.business_id == work.business_id)
    waiting = (await work.execute(pending)).scalar_one()
    aside = (await work.execute(held)).scalar_one()
    return [
        Obligation("pending", "Sales that wait for money", waiting, "Confirm their payments, or let them expire"),
        Obligation("held", "Carts that are set aside", aside, "Sell them, or throw them away"),
    ]


async def _sales(work: Work) -> tuple[Sequence[Any], int]:
    """The newest completed sales of the week, and how many there are."""
    week = sa.and_(
        _S.business_id == work.business_id,
        _S.status == "completed",
        _S.business_date >= (work.now - LOOKED_BACK).date(),
        _S.sold_at >= work.now - LOOKED_BACK,
    )
    columns = (_S.id, _S.number, _S.business_date, _S.sold_at, _S.location_id, _S.register_id, _S.customer_id)
    newest = sa.select(*columns, _S.channel).where(week).order_by(_S.sold_at.desc(), _S.id.desc()).limit(MOST)
    of = (await work.execute(sa.select(sa.func.count()).where(week))).scalar_one()
    return (await work.execute(newest)).all(), of


async def _lines(work: Work, sale_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[Any]]:
    columns = (_L.sale_id, _L.line, _L.product_id, _L.name, _L.sku, _L.quantity, _L.steps)
    found = await work.execute(
        sa.select(*columns)
        .where(_L.business_id == work.business_id, _L.sale_id.in_(sale_ids))
        .order_by(_L.sale_id, _L.line)
    )
    lines: dict[uuid.UUID, list[Any]] = {}
    for row in found.all():
        lines.setdefault(row.sale_id, []).append(row)
    return lines


async def _ground(work: Work, row: Any, sold: Sequence[Any], goods: Mapping[uuid.UUID, Sellable]) -> Ground:
    own = [goods[line.product_id] for line in sold]
    taxed = await treatments(work, {one.tax_class_id for one in own}, row.business_date)
    cart = Cart(
        lines=tuple(_line(line, good, taxed) for line, good in zip(sold, own, strict=True)),
        customer_id=row.customer_id,
        channel=row.channel,
        currency=work.shop.currency,
        exponent=work.shop.exponent,
        policy=policy_of(work),
        hand=None,
        at=row.sold_at,
        location_id=row.location_id,
    )
    place = Place(row.location_id, "", row.register_id, "", row.business_date)  # prices do not look at names
    return Ground(place, cart, tuple(own))


def _line(stored: Any, good: Sellable, taxed: Mapping[uuid.UUID | None, Any]) -> Line:
    """A stored line as it was asked for: at the list price of its first step."""
    listed = stored.steps[0]
    return Line(
        line=stored.line,
        product_id=stored.product_id,
        name=stored.name,
        sku=stored.sku,
        quantity=stored.quantity,
        list_price=parse_micro(listed["after"]),
        price_rule=listed["rule"],
        category_ids=good.category_ids,
        brand_id=good.brand_id,
        treatment=taxed[good.tax_class_id],
        mrp=good.mrp,
    )


async def _both(work: Work, after: Work, ground: Ground) -> tuple[int, int, str]:
    """The totals now and then, in minor units; words where the sale would be refused, then at the price of now."""
    try:
        was = (await price_cart_of(work, ground)).total
    except DukaError:
        was = 0
    try:
        return was, (await price_cart_of(after, ground)).total, ""
    except DukaError as refusal:
        return was, was, f": would be refused ({refusal.title})"
