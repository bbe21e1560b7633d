"""Prices as they are read: a product's own at an instant, the lists of a business, the rows of lists for a cart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from kernel.db import Configured, Rows, among, gathered
from kernel.work import Work
from plugins.catalog.models import BasePrice, Price, PriceList, Product
from plugins.catalog.rules.prices import Based, Buying, Listed, ListFacts, in_force

AT = sa.bindparam("at", type_=BasePrice.starts_at.type)
"""The instant whose prices a statement reads."""
_LISTS = Configured(
    sa.select(
        PriceList.id,
        PriceList.name,
        PriceList.scope,
        PriceList.location_id,
        PriceList.group_id,
        PriceList.customer_id,
        PriceList.channel,
        PriceList.currency,
        PriceList.prices_include_tax,
        PriceList.starts_at,
        PriceList.ends_at,
        PriceList.is_active,
        PriceList.based_on,
        PriceList.based_on_id,
        PriceList.percent,
        PriceList.round_to,
    )
    .where(PriceList.business_id == sa.bindparam("business_id", type_=sa.Uuid()))
    .order_by(PriceList.name)
)


class Lists(Struct, frozen=True):
    """The lists of a business: all, by id; and by whom they are for, so that a cart looks at few."""

    by_id: Mapping[UUID, ListFacts]
    for_everybody: Sequence[ListFacts]
    by_location: Mapping[UUID | None, Sequence[ListFacts]]
    by_group: Mapping[UUID | None, Sequence[ListFacts]]
    by_customer: Mapping[UUID | None, Sequence[ListFacts]]

    def for_buyer(self, buying: Buying) -> tuple[ListFacts, ...]:
        """Those in force for a buyer."""
        named = (
            *self.for_everybody,
            *self.by_location.get(buying.location_id, ()),
            *self.by_group.get(buying.group_id, ()),
            *self.by_customer.get(buying.customer_id, ()),
        )
        return in_force(named, buying)


class _Row(Struct, array_like=True, frozen=True):
    """A row of a list as it is gathered."""

    id: UUID
    list_id: UUID
    pack_id: UUID | None
    min_quantity: int
    price: int
    starts_at: dt.datetime


_READ = msgspec.json.Decoder(list[_Row])


def running(table: type[Price] | type[BasePrice], at: Any = AT) -> sa.ColumnElement[bool]:
    """Whether a price is in force at an instant."""
    return sa.and_(table.starts_at <= at, sa.or_(table.ends_at.is_(None), table.ends_at > at))


def base_price(channel: str, at: Any = AT, product: Any = Product) -> sa.Label[Any]:
    """The column of a product's own price at an instant, under the name it has in the product's row.

    product: `Product`, or an alias of it.
    """
    column = product.price if channel == "retail" else product.wholesale_price
    planned = (
        sa.select(BasePrice.price)
        .where(
            BasePrice.business_id == product.business_id,
            BasePrice.product_id == product.id,
            BasePrice.channel == sa.literal_column(f"'{channel}'"),
            running(BasePrice, at),
        )
        .order_by(BasePrice.starts_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.func.coalesce(planned, column).label(column.key)


def product_row(at: Any = AT) -> list[Any]:
    """The columns of a product, its prices as they are at an instant."""
    own = {"price": base_price("retail", at), "wholesale_price": base_price("wholesale", at)}
    return [own.get(column.key, column) for column in Product.__table__.c]


LISTED = (
    sa.select(gathered(Price.id, Price.list_id, Price.pack_id, Price.min_quantity, Price.price, Price.starts_at))
    .where(
        Price.business_id == Product.business_id,
        Price.product_id == Product.id,
        among(Price.list_id, "list_ids"),
        running(Price),
    )
    .scalar_subquery()
    .label("listed")
)
"""A product's prices on some lists at an instant, as a text that `listed_in` reads."""


async def read_lists(work: Work) -> Lists:
    """All price lists of the business, kept in the process until one changes."""
    return await work.recall(_LISTS, _lists)


class InForce(Struct, frozen=True):
    """The lists in force for a buyer, and those whose prices they are based on, by id."""

    lists: Mapping[UUID, ListFacts] = {}
    read: Mapping[UUID, ListFacts] = {}
    based: tuple[ListFacts, ...] = ()

    def rows(self, found: Iterable[Listed]) -> tuple[tuple[Listed, ...], tuple[Based, ...]]:
        """Of a product's rows those on the lists in force, and what these lists take from others."""
        rows = tuple(found)
        own = tuple(row for row in rows if row.list.id in self.lists)
        return own, tuple(_based(one, self.read, rows) for one in self.based)


def in_force_of(lists: Iterable[ListFacts], by_id: Mapping[UUID, ListFacts]) -> InForce:
    """Some lists as those in force, with all that they are based on."""
    own = {one.id: one for one in lists}
    read, fresh = dict(own), list(own.values())
    while fresh:
        bases = [by_id[id_] for one in fresh if (id_ := one.based_on_id) is not None and id_ in by_id]
        fresh = [one for one in bases if one.id not in read]
        read |= {one.id: one for one in fresh}
    return InForce(own, read, tuple(one for one in own.values() if one.is_based))


async def lists_for(work: Work, buying: Buying | None) -> InForce:
    """The lists in force for a buyer; none for nobody."""
    if buying is None:
        return InForce()
    known = await read_lists(work)
    return in_force_of(known.for_buyer(buying), known.by_id)


def _based(one: ListFacts, by_id: Mapping[UUID, ListFacts], rows: Sequence[Listed]) -> Based:
    base = None if one.based_on_id is None else by_id.get(one.based_on_id)
    if base is None:
        return Based(one)
    theirs = tuple(row for row in rows if row.list.id == base.id)
    return Based(one, base, theirs, _based(base, by_id, rows) if base.is_based else None)


def listed_in(text: str | None, lists: Mapping[UUID, ListFacts]) -> Iterator[Listed]:
    """The rows of lists that a statement gathered."""
    for one in _READ.decode(text) if text else ():
        since = one.starts_at if one.starts_at.tzinfo else one.starts_at.replace(tzinfo=dt.UTC)
        yield Listed(one.id, lists[one.list_id], one.pack_id, one.min_quantity, one.price, since)


def _lists(rows: Rows) -> Lists:
    facts = [ListFacts(*row) for row in rows]
    return Lists(
        {one.id: one for one in facts},
        [one for one in facts if one.scope == "everybody"],
        _by(facts, "location"),
        _by(facts, "group"),
        _by(facts, "customer"),
    )


def _by(facts: Sequence[ListFacts], scope: str) -> dict[UUID | None, list[ListFacts]]:
    found: dict[UUID | None, list[ListFacts]] = {}
    for one in facts:
        if one.scope == scope:
            found.setdefault(getattr(one, f"{scope}_id"), []).append(one)
    return found
