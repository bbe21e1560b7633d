"""Price lists: added, changed, thrown away while nothing of them has been in force."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import UnsetType

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import InUse, Invalid, NotFound
from kernel.money import MICRO, format_micro, format_price, parse_micro
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.errors import TooManyLists
from plugins.catalog.hooks import Buyer, find_buyer
from plugins.catalog.models import Import, ImportPart, Price, PriceList
from plugins.catalog.schemas.prices import PriceListIn, PriceListOut, PriceListPatch, PriceListQuery
from plugins.catalog.services.common import given_in
from plugins.taxes.api import policy_of

MOST_LISTS = 1000
"""Kept in memory by every process; who has more wants groups of customers."""
DEEPEST = 5
"""Lists that stand on each other, the first included."""
_YEARS = range(2000, 2200)
_SCOPED = ("location_id", "group_id", "customer_id")


async def add_list(work: Work, data: PriceListIn) -> PriceList:
    """Add a list. Raises NotFound for whom it is for, Invalid for another currency or way of tax, TooManyLists."""
    scope = await _scope_of(work, data)
    _check_money(work, data)
    await _check_based(work, data)
    counted = sa.select(sa.func.count()).where(PriceList.business_id == work.business_id)
    if (await work.execute(counted)).scalar_one() >= MOST_LISTS:
        raise TooManyLists(f"A business has at most {MOST_LISTS}")
    row = PriceList(
        id=data.id or new_id(),
        name=data.name,
        scope=scope,
        location_id=data.location_id,
        group_id=data.group_id,
        customer_id=data.customer_id,
        channel=data.channel,
        currency=work.shop.currency,
        prices_include_tax=policy_of(work).prices_include_tax,
        based_on=data.based_on,
        based_on_id=data.based_on_id,
        percent=None if data.percent is None else parse_micro(data.percent),
        round_to=None if data.round_to is None else parse_micro(data.round_to),
        starts_at=_begin_of(work, data.valid_from, "/valid_from"),
        ends_at=_end_of(work, data.valid_until),
        is_active=data.is_active,
        created_at=work.now,
        version=1,
    )
    _check_span(row)
    work.session.add(row)
    await work.session.flush()
    work.audit(subject=f"price_list:{row.id}")
    return row


async def change_list(work: Work, id_: UUID, patch: PriceListPatch) -> PriceList:
    """Change a list. Raises NotFound, Invalid, AlreadyExists, and for a version that is not the row's."""
    row = await work.get(PriceList, id_, to_change=True)
    work.check_version(row.version)
    for name, value in given_in(patch).items():
        if name not in ("valid_from", "valid_until"):
            setattr(row, name, value)
    if not isinstance(patch.valid_from, UnsetType):
        row.starts_at = _begin_of(work, patch.valid_from, "/valid_from")
    if not isinstance(patch.valid_until, UnsetType):
        row.ends_at = _end_of(work, patch.valid_until)
    _check_span(row)
    row.version += 1
    await work.session.flush()
    work.audit(subject=f"price_list:{id_}")
    return row


async def remove_list(work: Work, id_: UUID) -> None:
    """Throw a list away with what is planned on it.

    Raises NotFound; InUse once a price of it has been in force, and while another list is based on it.
    """
    row = await work.get(PriceList, id_, to_change=True)
    above = sa.select(PriceList.name).where(PriceList.business_id == work.business_id, PriceList.based_on_id == id_)
    if (other := (await work.execute(above.limit(1))).scalar_one_or_none()) is not None:
        raise InUse(f"{other} is based on it")
    if row.percent is not None and row.is_active and (row.starts_at is None or row.starts_at <= work.now):
        raise InUse("It is in force: switch it off")
    here = sa.and_(Price.business_id == work.business_id, Price.list_id == id_)
    begun = await work.execute(sa.select(Price.id).where(here, Price.starts_at <= work.now).limit(1))
    if begun.first() is not None:
        raise InUse("Its prices have been in force, and documents name them: switch it off instead")
    tables = sa.select(Import.id).where(Import.business_id == work.business_id, Import.list_id == id_)
    for table, column in ((ImportPart, ImportPart.import_id), (Import, Import.id)):
        await work.execute(sa.delete(table).where(table.business_id == work.business_id, column.in_(tables)))
    await work.execute(sa.delete(Price).where(here))
    await work.session.delete(row)
    await work.session.flush()
    work.audit(subject=f"price_list:{id_}", name=row.name)


async def list_lists(work: Work, query: PriceListQuery) -> Page[PriceListOut]:
    """A page of lists, by name."""
    statement = sa.select(*PriceList.__table__.c).where(PriceList.business_id == work.business_id)
    if query.is_active is not None:
        statement = statement.where(PriceList.is_active.is_(query.is_active))
    order = [PriceList.name, PriceList.id]
    return await page(work, statement, query, order=order, make=lambda row: list_out(work, row))


def list_out(work: Work, row: Any) -> PriceListOut:
    """A row as it is answered; days as the business's zone counts them."""
    zone = work.shop.tz
    first = None if row.starts_at is None else row.starts_at.astimezone(zone).date()
    last = None if row.ends_at is None else row.ends_at.astimezone(zone).date() - dt.timedelta(days=1)
    return PriceListOut(
        id=row.id,
        name=row.name,
        scope=row.scope,
        location_id=row.location_id,
        group_id=row.group_id,
        customer_id=row.customer_id,
        channel=row.channel,
        currency=row.currency,
        prices_include_tax=row.prices_include_tax,
        based_on=row.based_on,
        based_on_id=row.based_on_id,
        percent=None if row.percent is None else format_micro(row.percent),
        round_to=None if row.round_to is None else format_price(row.round_to, work.shop.exponent),
        valid_from=first,
        valid_until=last,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        is_active=row.is_active,
        created_at=row.created_at,
    )


async def buyer_of(work: Work, customer_id: UUID | None, group_id: UUID | None) -> Buyer:
    """Who buys, as the plugin that keeps customers knows them. Raises NotFound."""
    told = await work.tell(find_buyer, work=work, customer_id=customer_id, group_id=group_id)
    if not told:
        pointer, what = ("/customer_id", "customer") if customer_id else ("/group_id", "group of customers")
        raise NotFound.at(pointer, f"There is no such {what}")
    return told[0].value


async def _scope_of(work: Work, data: PriceListIn) -> str:
    """For whom a list is. Raises Invalid where it names two, NotFound for one that is not there."""
    named = [name for name in _SCOPED if getattr(data, name) is not None]
    if len(named) > 1:
        raise Invalid.at(f"/{named[1]}", "A list is for one location, one group or one customer")
    if data.location_id is not None and await work.session.get(Location, (work.business_id, data.location_id)) is None:
        raise NotFound.at("/location_id", "There is no such location")
    if data.customer_id is not None or data.group_id is not None:
        await buyer_of(work, data.customer_id, data.group_id)
    return named[0].removesuffix("_id") if named else "everybody"


def _check_money(work: Work, data: PriceListIn) -> None:
    if data.currency not in (None, work.shop.currency):
        raise Invalid.at("/currency", f"The business sells in {work.shop.currency}")
    includes = policy_of(work).prices_include_tax
    if data.prices_include_tax not in (None, includes):
        raise Invalid.at("/prices_include_tax", f"The business's prices {'include' if includes else 'are without'} tax")


async def _check_based(work: Work, data: PriceListIn) -> None:
    """What a list is based on is there before it and never changes, so that nothing goes round in circles.

    The list below is held, so that nobody throws it away meanwhile.
    """
    below = None if data.based_on_id is None else await _held(work, data.based_on_id)
    based = data.based_on is not None or below is not None
    if data.based_on is not None and data.based_on_id is not None:
        raise Invalid.at("/based_on_id", "A list is based on the products' own prices, or on one other list")
    if based != (data.percent is not None):
        raise Invalid.at("/percent", "So much more or less, of a list that is based on other prices")
    if not based and data.round_to is not None:
        raise Invalid.at("/round_to", "Only what is taken from other prices is rounded")
    if data.percent is not None and not -100 * MICRO <= parse_micro(data.percent) <= 1000 * MICRO:
        raise Invalid.at("/percent", "From -100 to 1000 percent")
    if data.round_to is not None and not parse_micro(data.round_to):
        raise Invalid.at("/round_to", "Round to something above zero")
    depth = 1
    while below is not None and (depth := depth + 1) <= DEEPEST:
        next_id = below.based_on_id
        below = None if next_id is None else await work.session.get(PriceList, (work.business_id, next_id))
    if below is not None:
        raise Invalid.at("/based_on_id", f"At most {DEEPEST} lists stand on each other")


async def _held(work: Work, id_: UUID) -> PriceList:
    try:
        return await work.get(PriceList, id_, to_change=True)
    except NotFound:
        raise NotFound.at("/based_on_id", "There is no such price list") from None


def _check_span(row: PriceList) -> None:
    if row.starts_at is not None and row.ends_at is not None and row.ends_at <= row.starts_at:
        raise Invalid.at("/valid_until", "It ends before it begins")


def _begin_of(work: Work, day: dt.date | None, pointer: str) -> dt.datetime | None:
    """The first instant of a day in the business's zone."""
    if day is None:
        return None
    if day.year not in _YEARS:
        raise Invalid.at(pointer, "The year is not believable")
    return dt.datetime.combine(day, dt.time(), work.shop.tz).astimezone(dt.UTC)


def _end_of(work: Work, last: dt.date | None) -> dt.datetime | None:
    """The first instant after a day."""
    if last is None or last.year not in _YEARS:
        return _begin_of(work, last, "/valid_until")
    return _begin_of(work, last + dt.timedelta(days=1), "/valid_until")
