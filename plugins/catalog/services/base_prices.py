"""Products' own prices over time: what they were, what they are, what is planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among, new_id
from kernel.errors import Invalid, NotFound
from kernel.money import format_price, parse_micro
from kernel.web import page
from kernel.wire import ListQuery, Page
from kernel.work import Work
from plugins.catalog.errors import PriceOver
from plugins.catalog.models import BasePrice, Product
from plugins.catalog.rules.spans import Span, amended, at_of, ended_at, repriced, resumed_from
from plugins.catalog.schemas.prices import BasePriceIn, BasePriceOut
from plugins.catalog.services.common import locked
from plugins.catalog.services.price_rows import end_of, instant_of
from plugins.catalog.services.spans import Spans, span_of, state_of

COLUMNS = {"retail": "price", "wholesale": "wholesale_price"}
"""Channel → the column of a product that holds the price last set by hand."""
_SPANS = Prepared(
    sa.select(
        BasePrice.id,
        BasePrice.product_id,
        BasePrice.channel,
        BasePrice.price,
        BasePrice.starts_at,
        BasePrice.ends_at,
        BasePrice.mark,
    )
    .where(
        BasePrice.business_id == sa.bindparam("business_id", type_=sa.Uuid()),
        among(BasePrice.product_id, "product_ids"),
        sa.or_(BasePrice.ends_at.is_(None), BasePrice.ends_at > sa.bindparam("now", type_=BasePrice.starts_at.type)),
    )
    .order_by(BasePrice.starts_at)
)


class OwnChange(NamedTuple):
    """A product's own price that is to be another. was: what its row says; since: when the product was added."""

    product_id: UUID
    channel: str
    was: int | None
    since: dt.datetime
    price: int | None
    until: dt.datetime | None = None


class OwnResumed(NamedTuple):
    """A product's own price that is to be again as it was, or was planned. was, since: as `OwnChange` has them."""

    product_id: UUID
    channel: str
    was: int | None
    since: dt.datetime
    spans: Sequence[Span]


Known = dict[tuple[UUID, str], list[Span]]


async def own_spans(work: Work, product_ids: Iterable[UUID]) -> Known:
    """The prices of products that run or are planned, by product and channel; none where they have never changed."""
    rows = await work.fetch(_SPANS, product_ids=list(set(product_ids)), now=work.now)
    found: Known = {}
    for row in rows:
        found.setdefault((row.product_id, row.channel), []).append(span_of(row))
    return found


def now_costs(spans: Sequence[Span], was: int | None, now: dt.datetime) -> int | None:
    """What a product costs by itself now. was: what its row says."""
    running = at_of(spans, now)
    return was if running is None or running.price is None else running.price


async def change_own(work: Work, changes: Sequence[OwnChange], at: dt.datetime) -> int:
    """Let products have other prices from an instant on; returns how many really change.

    Their rows must be held. What acts at once is written to them by the caller, too.
    """
    if not changes:
        return 0
    known, writing, done = await own_spans(work, (one.product_id for one in changes)), Spans(work, BasePrice), 0
    for one in changes:
        before = known.get((one.product_id, one.channel), [])
        if (
            not before and one.since >= at and one.until is None
        ):  # the product is as old as the change: its row says all
            done += one.was != one.price
            continue
        spans = before or [Span(new_id(), one.was, one.since, None)]
        amendment = repriced(spans, at, one.until, one.price, work.now)
        if amendment.changes:
            key = {"product_id": one.product_id, "channel": one.channel}
            writing.replace(key, before, amended(spans, amendment, new_id))
            done += 1
    await writing.write()
    return done


async def resume_own(work: Work, resumed: Sequence[OwnResumed]) -> None:
    """Let products' own prices go on from now as they once were planned; what they cost until now stays.

    Their rows must be held, and are written by the caller, too.
    """
    if not resumed:
        return
    known, writing = await own_spans(work, (one.product_id for one in resumed)), Spans(work, BasePrice)
    for one in resumed:
        before = known.get((one.product_id, one.channel), [])
        if not before and one.since >= work.now:  # the product is as old as the change: its row says all
            continue
        spans = before or [Span(new_id(), one.was, one.since, None)]
        after = amended(spans, resumed_from(spans, one.spans, work.now), new_id)
        writing.replace({"product_id": one.product_id, "channel": one.channel}, before, after)
    await writing.write()


async def plan_price(work: Work, product_id: UUID, data: BasePriceIn) -> BasePriceOut:
    """Plan another price of a product, from a time to come on or for a while. Raises NotFound, Invalid."""
    row = await locked(work, Product, product_id)
    at = instant_of(work, data.starts_at, "/starts_at")
    until = end_of(data.until, at, "/until")
    if at == work.now and until is None:
        raise Invalid.at("/starts_at", "Change the product itself for a price that acts at once")
    column = COLUMNS[data.channel]
    price, was = parse_micro(data.price), getattr(row, column)
    await change_own(work, [OwnChange(product_id, data.channel, was, row.created_at, price, until)], at)
    row.version += 1
    row.updated_at = work.now
    await work.session.flush()
    span: dict[str, Any] = {"starts_at": at.isoformat()} | ({"until": until.isoformat()} if until else {})
    work.audit(subject=f"product:{product_id}", channel=data.channel, price=data.price, **span)
    spans = (await own_spans(work, [product_id]))[product_id, data.channel]
    planned = at_of(spans, at)
    assert planned is not None  # noqa: S101 - just written
    found = await work.session.get(BasePrice, (work.business_id, planned.id))
    return _out(work, found)


async def drop_planned(work: Work, product_id: UUID, price_id: UUID) -> None:
    """Give up a planned price: what was before it goes on. Raises NotFound; PriceOver for one that has begun."""
    row = await locked(work, Product, product_id)
    found = await work.session.get(BasePrice, (work.business_id, price_id))
    if found is None or found.product_id != product_id:
        raise NotFound
    if found.starts_at <= work.now:
        raise PriceOver("It has begun: set another price")
    spans = (await own_spans(work, [product_id]))[product_id, found.channel]
    work.changed(BasePrice, price_id, {"price": found.price, "starts_at": found.starts_at}, None)
    writing = Spans(work, BasePrice)
    key = {"product_id": product_id, "channel": found.channel}
    writing.replace(key, spans, amended(spans, ended_at(span_of(found), work.now, spans), new_id))
    await writing.write()
    row.version += 1
    row.updated_at = work.now
    await work.session.flush()
    work.audit(subject=f"product:{product_id}", channel=found.channel)


async def list_own(work: Work, product_id: UUID, query: ListQuery) -> Page[BasePriceOut]:
    """A product's own prices, retail and wholesale, from the first to the last that is planned. Raises NotFound."""
    await work.get(Product, product_id)
    statement = sa.select(*BasePrice.__table__.c).where(
        BasePrice.business_id == work.business_id, BasePrice.product_id == product_id
    )
    order = [BasePrice.channel, BasePrice.starts_at]
    return await page(work, statement, query, order=order, make=lambda row: _out(work, row))


def _out(work: Work, row: Any) -> BasePriceOut:
    return BasePriceOut(
        id=row.id,
        channel=row.channel,
        price=None if row.price is None else format_price(row.price, work.shop.exponent),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=state_of(row.starts_at, row.ends_at, work.now),
        created_at=row.created_at,
        created_by=row.created_by,
    )
