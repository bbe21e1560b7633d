"""The prices on a list: set many at once, now or for later; taken away; listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among, new_id
from kernel.errors import Invalid, NotFound
from kernel.money import format_micro, format_price, parse_micro
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.errors import PriceOver
from plugins.catalog.models import Pack, Price, PriceList, Product
from plugins.catalog.rules.goods import fits_unit
from plugins.catalog.rules.spans import Span, amended, ended_at, repriced
from plugins.catalog.schemas.prices import PriceIn, PriceListIn, PriceOut, PriceQuery, PricesIn, PricesSet
from plugins.catalog.services.finding import surely_fits
from plugins.catalog.services.price_lists import add_list
from plugins.catalog.services.spans import Spans, span_of, state_of

_business = sa.bindparam("business_id", type_=sa.Uuid())
_GOODS = Prepared(
    sa.select(Product.id, Product.unit, Pack.id.label("pack_id"))
    .outerjoin(Pack, sa.and_(Pack.business_id == Product.business_id, Pack.product_id == Product.id))
    .where(Product.business_id == _business, among(Product.id, "product_ids"))
)
_SPANS = Prepared(
    sa.select(
        *(Price.id, Price.product_id, Price.pack_id, Price.min_quantity),
        *(Price.price, Price.starts_at, Price.ends_at, Price.mark),
    )
    .where(
        Price.business_id == _business,
        Price.list_id == sa.bindparam("list_id", type_=sa.Uuid()),
        among(Price.product_id, "product_ids"),
        sa.or_(Price.ends_at.is_(None), Price.ends_at > sa.bindparam("now", type_=Price.starts_at.type)),
    )
    .order_by(Price.starts_at)
)
LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


class Key(NamedTuple):
    """What a list has at most one price for at an instant."""

    product_id: UUID
    pack_id: UUID | None
    min_quantity: int


class Wanted(NamedTuple):
    """A price that is to hold from an instant on."""

    key: Key
    price: int
    starts_at: dt.datetime
    until: dt.datetime | None = None


async def put_prices(work: Work, list_id: UUID, data: PricesIn) -> tuple[PricesSet, int]:
    """Set prices on a list; returns what came of it, and the list's version.

    Raises NotFound for a list, product or pack, Invalid for what makes no sense or stands twice, and for a version
    that is not the list's.
    """
    row = await work.get(PriceList, list_id, to_change=True)
    work.check_version(row.version)
    wanted = [_wanted(work, one, f"/prices/{place}") for place, one in enumerate(data.prices)]
    await _check_goods(work, data.prices)
    seen: set[tuple[Key, dt.datetime]] = set()
    for place, one in enumerate(wanted):
        if (one.key, one.starts_at) in seen:
            raise Invalid.at(f"/prices/{place}", "This stands twice in the request", code="duplicate")
        seen.add((one.key, one.starts_at))
    done = await set_prices(work, row, wanted)
    work.audit(subject=f"price_list:{list_id}", set=done, of=len(wanted))
    return PricesSet(done, len(wanted) - done), row.version


async def set_prices(work: Work, row: PriceList, wanted: Sequence[Wanted]) -> int:
    """Set prices on a list that is held; returns how many were not so already."""
    before = await known_spans(work, row.id, {one.key.product_id for one in wanted})
    after: dict[Key, list[Span]] = {}
    done = 0
    for one in sorted(wanted, key=lambda each: each.starts_at):
        known = after.get(one.key, before.get(one.key, []))
        amendment = repriced(known, one.starts_at, one.until, one.price, work.now)
        if amendment.changes:
            after[one.key] = amended(known, amendment, new_id)
            done += 1
    writing = Spans(work, Price)
    for key, spans in after.items():
        writing.replace({"list_id": row.id, **key._asdict()}, before.get(key, []), spans)
    await writing.write()
    if done:
        row.version += 1
        await work.session.flush()
    return done


async def add_price_list(work: Work, data: PriceListIn, prices: Mapping[UUID, str], min_quantity: str = "0") -> UUID:
    """Add a price list with prices of units; returns its id. Raises as `add_list` does.

    prices: product → what one unit costs, from min_quantity on, as on the wire; the products must be there.
    """
    row = await add_list(work, data)
    least = parse_micro(min_quantity)
    wanted = [Wanted(Key(id_, None, least), parse_micro(price), work.now) for id_, price in prices.items()]
    await set_prices(work, row, wanted)
    return row.id


async def remove_price(work: Work, list_id: UUID, price_id: UUID) -> None:
    """Take a price off a list from now on; one that is planned never comes. Raises NotFound, PriceOver."""
    row = await work.get(PriceList, list_id, to_change=True)
    found = await work.session.get(Price, (work.business_id, price_id))
    if found is None or found.list_id != list_id:
        raise NotFound
    if found.ends_at is not None and found.ends_at <= work.now:
        raise PriceOver
    key = Key(found.product_id, found.pack_id, found.min_quantity)
    spans = (await known_spans(work, list_id, {found.product_id}))[key]
    before = {"price": found.price, "starts_at": found.starts_at, "ends_at": found.ends_at}
    work.changed(Price, price_id, before, None if found.starts_at >= work.now else {"ends_at": work.now})
    writing = Spans(work, Price)
    after = amended(spans, ended_at(span_of(found), work.now, spans), new_id)
    writing.replace({"list_id": list_id, **key._asdict()}, spans, after)
    await writing.write()
    row.version += 1
    await work.session.flush()
    work.audit(subject=f"price_list:{list_id}", product=str(found.product_id))


async def list_prices(work: Work, list_id: UUID, query: PriceQuery) -> Page[PriceOut]:
    """A page of a list's prices, in the order they were set. Raises NotFound."""
    await work.get(PriceList, list_id)
    statement = (
        sa.select(*Price.__table__.c, Product.sku, Product.name)
        .join(Product, sa.and_(Product.business_id == Price.business_id, Product.id == Price.product_id))
        .where(Price.business_id == work.business_id, Price.list_id == list_id)
    )
    if not query.past:
        statement = statement.where(sa.or_(Price.ends_at.is_(None), Price.ends_at > work.now))
    if query.product_id is not None:
        statement = statement.where(Price.product_id == query.product_id)
    if query.q is not None and query.q.strip():
        statement = statement.where(surely_fits(query.q, work.business_id, Price.product_id))
    return await page(work, statement, query, order=[Price.id], make=lambda row: _out(work, row))


def instant_of(work: Work, said: dt.datetime | None, pointer: str) -> dt.datetime:
    """When a price is to begin: now, or later. Raises Invalid for the past and for what nobody will see."""
    if said is None:
        return work.now
    if not work.now <= said < LATEST:
        raise Invalid.at(pointer, "Prices are set from now on, or for a time to come")
    return said.astimezone(dt.UTC)


def end_of(said: dt.datetime | None, at: dt.datetime, pointer: str) -> dt.datetime | None:
    """When a price that begins at an instant is to end; None: not by itself. Raises Invalid for no later than that."""
    if said is None:
        return None
    if not at < said < LATEST:
        raise Invalid.at(pointer, "It ends after it begins, in a time that somebody will see")
    return said.astimezone(dt.UTC)


def _wanted(work: Work, one: PriceIn, pointer: str) -> Wanted:
    key = Key(one.product_id, one.pack_id, parse_micro(one.min_quantity))
    at = instant_of(work, one.starts_at, f"{pointer}/starts_at")
    return Wanted(key, parse_micro(one.price), at, end_of(one.until, at, f"{pointer}/until"))


async def _check_goods(work: Work, prices: Sequence[PriceIn]) -> None:
    rows = await work.fetch(_GOODS, product_ids=list({one.product_id for one in prices}))
    units = {row.id: row.unit for row in rows}
    packs = {(row.id, row.pack_id) for row in rows}
    for place, one in enumerate(prices):
        pointer = f"/prices/{place}"
        if one.product_id not in units:
            raise NotFound.at(f"{pointer}/product_id", "There is no such product")
        if one.pack_id is not None and (one.product_id, one.pack_id) not in packs:
            raise NotFound.at(f"{pointer}/pack_id", "The product has no such pack")
        unit = units[one.product_id] if one.pack_id is None else "pack"
        if not fits_unit(parse_micro(one.min_quantity), unit):
            raise Invalid.at(f"{pointer}/min_quantity", f"Too many decimals for the unit {unit}")


async def known_spans(work: Work, list_id: UUID, product_ids: set[UUID]) -> dict[Key, list[Span]]:
    """The prices of products on a list that run or are planned."""
    rows = await work.fetch(_SPANS, list_id=list_id, product_ids=list(product_ids), now=work.now)
    found: dict[Key, list[Span]] = {}
    for row in rows:
        found.setdefault(Key(row.product_id, row.pack_id, row.min_quantity), []).append(span_of(row))
    return found


def _out(work: Work, row: Any) -> PriceOut:
    return PriceOut(
        id=row.id,
        product_id=row.product_id,
        sku=row.sku,
        name=row.name,
        pack_id=row.pack_id,
        min_quantity=format_micro(row.min_quantity),
        price=format_price(row.price, work.shop.exponent),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=state_of(row.starts_at, row.ends_at, work.now),
        created_at=row.created_at,
        created_by=row.created_by,
    )
