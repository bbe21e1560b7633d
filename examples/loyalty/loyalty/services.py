"""Earn, spend, give back and let expire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among, new_id
from kernel.errors import NotFound
from kernel.money import format_amount
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from loyalty import rules
from loyalty.errors import NobodysPoints, too_few
from loyalty.models import POINTS, Balance, Entry
from loyalty.schemas import BalanceOut, EntryOut, EntryQuery, Settings, Spending, Spent, SummaryOut
from plugins.customers.api import customer
from plugins.sales.api import Cart, CompletedSale, PlacedSale

_business = sa.bindparam("business_id", type_=sa.Uuid())
_BALANCE = Prepared(
    sa.select(Balance.points).where(
        Balance.business_id == _business, Balance.customer_id == sa.bindparam("customer_id", type_=sa.Uuid())
    )
)
_BALANCES = Prepared(
    sa.select(Balance.customer_id, Balance.points)
    .where(Balance.business_id == _business, among(Balance.customer_id, "customer_ids"))
    .order_by(Balance.customer_id)
)
_OF_SALE = Prepared(
    sa.select(Entry.customer_id, Entry.kind, sa.func.sum(Entry.points).label("points"))
    .where(Entry.business_id == _business, Entry.sale_id == sa.bindparam("sale_id", type_=sa.Uuid()))
    .group_by(Entry.customer_id, Entry.kind)
    .having(sa.func.sum(Entry.points) != 0)
)
_old = sa.and_(Entry.kind == "earned", Entry.expires_at <= sa.bindparam("now", type_=Entry.at.type))
_EXPIRING = Prepared(
    sa.select(
        Balance.customer_id,
        Balance.points.label("balance"),
        sa.func.coalesce(sa.func.sum(Entry.points).filter(_old), 0).label("earned"),
        sa.func.coalesce(
            -sa.func.sum(Entry.points).filter(sa.or_(Entry.kind == "spent", Entry.kind == "expired")), 0
        ).label("gone"),
    )
    .join(Entry, sa.and_(Entry.business_id == Balance.business_id, Entry.customer_id == Balance.customer_id))
    .where(Balance.business_id == _business, Balance.points > 0)
    .group_by(Balance.customer_id, Balance.points)
    .having(sa.func.count(Entry.id).filter(_old) > 0)
)


async def points_on(work: Work, cart: Cart) -> Spent | None:
    """What the points of a cart take off. Raises NobodysPoints, NotEnoughPoints."""
    spending = cart.ext.get("loyalty")
    if not isinstance(spending, Spending):
        return None
    if cart.customer_id is None:
        raise NobodysPoints
    row = await work.one(_BALANCE, customer_id=cart.customer_id)
    if row is None or row.points < spending.points:
        raise too_few(row.points if row else 0)
    settings = await work.settings(Settings)
    return Spent(spending.points, spending.points * settings.worth_of_a_point)


def spend(work: Work, sale: PlacedSale) -> None:
    """Take the points off the balance, only as far as they are there: two tills may have seen the same balance."""
    spending = sale.ext.get("loyalty")
    if spending and sale.customer_id is not None:
        points = spending["points"]
        work.decrement(POINTS, (sale.customer_id,), points, or_raise=too_few)
        _enter(work, sale.customer_id, "spent", -points, sale.id, sale.sold_at)


async def earn(work: Work, sale: CompletedSale) -> None:
    """Add the points of a sale."""
    if sale.customer_id is None:
        return
    settings = await work.settings(Settings)
    points = rules.earned(sale.total, settings.spent_for_a_point)
    if points:
        work.increment(POINTS, (sale.customer_id,), points)
        expires = sale.sold_at + dt.timedelta(days=settings.days_until_expiry)
        _enter(work, sale.customer_id, "earned", points, sale.id, sale.sold_at, expires)


async def give_back(work: Work, sale: PlacedSale) -> None:
    """Undo what a sale did to its customer's points."""
    for row in await work.fetch(_OF_SALE, sale_id=sale.id):
        work.increment(POINTS, (row.customer_id,), -int(row.points))
        _enter(work, row.customer_id, row.kind, -int(row.points), sale.id, work.now)


async def let_expire(work: Work) -> int:
    """Take away what was earned too long ago and not spent since; returns how many points."""
    await work.write()
    gone = 0
    for row in await work.fetch(_EXPIRING, now=work.now):
        points = rules.expired(int(row.earned), int(row.gone), row.balance)
        if points:
            work.decrement(POINTS, (row.customer_id,), points, or_raise=too_few)
            _enter(work, row.customer_id, "expired", -points, None, work.now)
            gone += points
    return gone


async def find_balance(work: Work, customer_id: UUID) -> BalanceOut:
    """What a customer has. Raises NotFound."""
    if await customer(work, customer_id) is None:
        raise NotFound
    row = await work.one(_BALANCE, customer_id=customer_id)
    return _balance(work, await work.settings(Settings), customer_id, row.points if row else 0)


async def find_balances(work: Work, customer_ids: Sequence[UUID]) -> list[BalanceOut]:
    """What several customers have; who never had any is left out."""
    settings = await work.settings(Settings)
    rows = await work.fetch(_BALANCES, customer_ids=list(customer_ids))
    return [_balance(work, settings, row.customer_id, row.points) for row in rows]


async def sum_up(work: Work) -> SummaryOut:
    """What all customers have together, and what the business has set."""
    mine = sa.and_(Balance.business_id == work.business_id, Balance.points > 0)
    sums = sa.select(sa.func.count().label("customers"), sa.func.sum(Balance.points).label("points")).where(mine)
    row = (await work.execute(sums)).one()
    settings = await work.settings(Settings)
    points = int(row.points or 0)
    return SummaryOut(
        customers=int(row.customers),
        points=points,
        worth=_amount(work, points * settings.worth_of_a_point),
        spent_for_a_point=_amount(work, settings.spent_for_a_point),
        worth_of_a_point=_amount(work, settings.worth_of_a_point),
        days_until_expiry=settings.days_until_expiry,
    )


async def list_entries(work: Work, customer_id: UUID, query: EntryQuery) -> Page[EntryOut]:
    """What changed a customer's points, newest first. Raises NotFound."""
    if await customer(work, customer_id) is None:
        raise NotFound
    columns = (Entry.id, Entry.kind, Entry.points, Entry.sale_id, Entry.at, Entry.expires_at)
    statement = sa.select(*columns).where(Entry.business_id == work.business_id, Entry.customer_id == customer_id)
    return await page(work, statement, query, order=[Entry.id], make=lambda row: EntryOut(*row[:6]), descending=True)


def _balance(work: Work, settings: Settings, customer_id: UUID, points: int) -> BalanceOut:
    return BalanceOut(customer_id, points, _amount(work, max(0, points) * settings.worth_of_a_point))


def _amount(work: Work, minor: int) -> str:
    return format_amount(minor, work.shop.exponent)


def _enter(
    work: Work,
    customer_id: UUID,
    kind: str,
    points: int,
    sale_id: UUID | None,
    at: dt.datetime,
    expires_at: dt.datetime | None = None,
) -> None:
    row = {"id": new_id(), "customer_id": customer_id, "kind": kind, "points": points}
    work.insert(Entry, row | {"sale_id": sale_id, "at": at, "expires_at": expires_at})
