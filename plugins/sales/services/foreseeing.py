"""What past sales would have come to with another set of plugins: the carts of the last week, priced twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from kernel.errors import DukaError
from kernel.money import extend, format_amount, parse_amount, parse_micro
from kernel.plugin import Changed, Consequence, Obligation
from kernel.work import Work, reread_ext
from plugins.catalog.api import Sellable, sellables
from plugins.sales.models import Held, Sale, SaleLine
from plugins.sales.schemas.values import Cart, HandDiscount, Line, Override, PricedCart
from plugins.sales.services.checkout import price_cart_of
from plugins.sales.services.ground import CART, Ground, Place
from plugins.sales.services.taxed import stored_terms
from plugins.taxes.api import buyer_in, taxing

PRICE_HOOKS: Final = frozenset({"price_facts", "price_line", "price_cart"})
LOOKED_BACK: Final = dt.timedelta(days=7)
MOST: Final = 300
"""The newest of the week; a plan is answered while somebody waits."""

_S, _L = Sale.__table__.c, SaleLine.__table__.c


async def foresee(work: Work, after: Work) -> Consequence | None:
    """Price the sales of the last week with what is on now and with what would be on; None where there are none.

    Both prices are by today's rules, so that only the plugins differ.
    """
    week = sa.and_(_S.sold_at >= work.now - LOOKED_BACK, _S.business_date >= (work.now - LOOKED_BACK).date())

    async def now(_row: Any, ground: Ground) -> int:
        try:
            return (await price_cart_of(work, ground)).total
        except DukaError:
            return 0

    return await _compare(work, after, "Sales of the last 7 days", week, MOST, now)


async def rehearse(work: Work, most: int) -> Consequence | None:
    """Price the newest sales again, beside what they came to; None where there are none."""

    async def then(row: Any, _ground: Ground) -> int:
        total: int = row.total
        return total

    return await _compare(
        work, work, f"The newest {most} sales, as they were and as they are priced here", sa.true(), most, then
    )


async def _compare(
    work: Work,
    after: Work,
    title: str,
    which: sa.ColumnElement[bool],
    most: int,
    was: Callable[[Any, Ground], Awaitable[int]],
) -> Consequence | None:
    rows, of = await _sales(work, which, most)
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
        before = await was(row, ground)
        then, words = await _priced(after, ground, before)
        examined += 1
        sums = [sums[0] + before, sums[1] + then]
        if before != then or words:
            exponent, said = work.shop.exponent, f"{row.number} of {row.business_date}{words}"
            changed.append(Changed(str(row.id), said, format_amount(before, exponent), format_amount(then, exponent)))
    first, second = (format_amount(one, work.shop.exponent) for one in sums)
    return Consequence(title, examined, of, first, second, tuple(changed))


class Replayed(Struct, frozen=True):
    """A past sale, priced by today's rules as it is and with something changed. cost: minor units; None: not known."""

    sale_id: uuid.UUID
    number: str
    business_date: dt.date
    before: PricedCart
    after: PricedCart
    cost: int | None


async def replay(work: Work, most: int, change: Callable[[Cart], Cart]) -> tuple[list[Replayed], int]:
    """Price the newest sales twice, the second time with their carts changed; and how many there are in all.

    Sales whose goods are gone, or that would be refused, are left out.
    """
    rows, of = await _sales(work, sa.true(), most)
    lines = await _lines(work, [row.id for row in rows])
    goods = (await sellables(work, list({line.product_id for some in lines.values() for line in some}), [])).by_id
    found = []
    for row in rows:
        sold = lines.get(row.id, ())
        if any(line.product_id not in goods for line in sold):
            continue
        with contextlib.suppress(DukaError):
            ground = await _ground(work, row, sold, goods)
            before = await price_cart_of(work, ground)
            after = await price_cart_of(work, replace(ground, cart=change(ground.cart)))
            cost = _cost(sold, ground.cart.exponent)
            found.append(Replayed(row.id, row.number, row.business_date, before, after, cost))
    return found, of


def _cost(sold: Sequence[Any], exponent: int) -> int | None:
    """What the goods of a sale cost the shop when they were sold."""
    if any(line.cost_price is None for line in sold):
        return None
    return sum(extend(line.base_quantity, line.cost_price, exponent) for line in sold)


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


async def _sales(work: Work, which: sa.ColumnElement[bool], most: int) -> tuple[Sequence[Any], int]:
    """The newest completed sales of some, and how many there are."""
    some = sa.and_(_S.business_id == work.business_id, _S.status == "completed", which)
    columns = (_S.id, _S.number, _S.business_date, _S.sold_at, _S.location_id, _S.register_id, _S.customer_id)
    more = (_S.channel, _S.total, _S.ext, _S.tax_terms)
    newest = sa.select(*columns, *more).where(some).order_by(_S.sold_at.desc(), _S.id.desc())
    of = (await work.execute(sa.select(sa.func.count()).where(some))).scalar_one()
    return (await work.execute(newest.limit(most))).all(), of


async def _lines(work: Work, sale_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[Any]]:
    columns = (_L.sale_id, _L.line, _L.product_id, _L.name, _L.sku, _L.quantity, _L.pack, _L.steps)
    found = await work.execute(
        sa.select(*columns, _L.base_quantity, _L.cost_price)
        .where(_L.business_id == work.business_id, _L.sale_id.in_(sale_ids))
        .order_by(_L.sale_id, _L.line)
    )
    lines: dict[uuid.UUID, list[Any]] = {}
    for row in found.all():
        lines.setdefault(row.sale_id, []).append(row)
    return lines


async def _ground(work: Work, row: Any, sold: Sequence[Any], goods: Mapping[uuid.UUID, Sellable]) -> Ground:
    exponent = work.shop.exponent
    own = [goods[line.product_id] for line in sold]
    classes, terms = {one.tax_class_id for one in own}, stored_terms(row.tax_terms)
    taxed = await taxing(work, classes, row.business_date, buyer_in(terms) if terms else None)
    cart = Cart(
        lines=tuple(_line(line, good, taxed.treatments, exponent) for line, good in zip(sold, own, strict=True)),
        customer_id=row.customer_id,
        channel=row.channel,
        currency=work.shop.currency,
        exponent=exponent,
        policy=taxed.policy,
        hand=_on_document(sold, exponent),
        at=row.sold_at,
        location_id=row.location_id,
        ext=reread_ext(work, CART, row.ext),
        region=work.shop.region,
    )
    place = Place(row.location_id, "", row.register_id, "", row.business_date)  # prices do not look at names
    return Ground(place, cart, tuple(own))


def _line(stored: Any, good: Sellable, taxed: Mapping[uuid.UUID | None, Any], exponent: int) -> Line:
    """A stored line as it was asked for: at the list price of its first step, with what was done by hand."""
    listed = stored.steps[0]
    given, override = (_by_hand(stored.steps, rule) for rule in ("discount", "override"))
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
        hand=HandDiscount(given["reason"], amount=_off(given, exponent)) if given else None,
        override=Override(parse_micro(override["after"]), override["reason"]) if override else None,
        mrp=good.mrp,
        pack=stored.pack,
        tags=good.tags,
    )


def _by_hand(steps: Sequence[Mapping[str, Any]], rule: str) -> Mapping[str, Any] | None:
    return next((one for one in steps if (one["plugin"], one["rule"]) == ("sales", rule)), None)


def _on_document(sold: Sequence[Any], exponent: int) -> HandDiscount | None:
    """The discount on the whole, as the sum of what its lines bear."""
    shares = [share for line in sold if (share := _by_hand(line.steps, "document discount"))]
    if not shares:
        return None
    return HandDiscount(shares[0]["reason"], amount=sum(_off(share, exponent) for share in shares))


def _off(step: Mapping[str, Any], exponent: int) -> int:
    return parse_amount(step["before"], exponent) - parse_amount(step["after"], exponent)


async def _priced(after: Work, ground: Ground, was: int) -> tuple[int, str]:
    """The total, in minor units; what it was, and words, where the sale would be refused."""
    try:
        return (await price_cart_of(after, ground)).total, ""
    except DukaError as refusal:
        return was, f": would be refused ({refusal.title})"
