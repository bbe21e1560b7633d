"""What a sale takes of promotions and coupons, and how it is given back: noted, and counted where it is limited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.db import Prepared, among, new_id, upsert
from kernel.errors import DukaError
from kernel.work import Work
from plugins.discounts import PLUGIN
from plugins.discounts.errors import CouponUsedUp, PromotionUsedUp
from plugins.discounts.models import LEFT, MONEY, Claim, Coupon, Left, Promotion, Use
from plugins.discounts.rules.codes import code_key
from plugins.discounts.schemas.terms import Offer, Terms, read_terms
from plugins.discounts.services.coupons import Handed, coupon_rows, handed_of, is_day
from plugins.sales.api import PlacedSale

_business = sa.bindparam("business_id", type_=sa.Uuid())
_NAMED = Prepared(
    sa.select(Promotion.id, Promotion.name, Promotion.terms).where(
        Promotion.business_id == _business, among(Promotion.name, "names")
    )
)
_OF_SALE = Prepared(
    sa.select(Use.promotion_id, Use.line, Use.coupon_id, sa.func.sum(Use.amount).label("amount"))
    .where(Use.business_id == _business, Use.sale_id == sa.bindparam("sale_id", type_=sa.Uuid()))
    .group_by(Use.promotion_id, Use.line, Use.coupon_id)
    .having(sa.func.sum(Use.amount) != 0)
)
_CLAIMED = Prepared(
    sa.select(Claim.subject_id, Claim.holder_id, sa.func.sum(Claim.amount).label("amount"))
    .where(Claim.business_id == _business, Claim.sale_id == sa.bindparam("sale_id", type_=sa.Uuid()))
    .group_by(Claim.subject_id, Claim.holder_id)
    .having(sa.func.sum(Claim.amount) != 0)
)


async def note_uses(work: Work, sale: PlacedSale) -> None:
    """Declare what each promotion took off each line of a sale; sales without any cost nothing.

    What is limited is taken by one guarded change each, so that the last one goes to one sale only. Raises
    CouponUsedUp, PromotionUsedUp where it went to another.
    """
    taken = [(line.line, rule, off) for line in sale.lines for plugin, rule, off in line.taken if plugin == PLUGIN.name]
    taken = [(line, rule, off) for line, rule, off in taken if off > 0]
    if not taken:
        return
    rows = {row.name: row for row in await work.fetch(_NAMED, names=sorted({rule for _, rule, _ in taken}))}
    coupons = await _coupons_of(work, sale)
    for line, rule, off in taken:
        if rule in rows:
            coupon = coupons.get(rows[rule].id)
            _note(work, rows[rule].id, sale.id, line, off, sale.sold_at, coupon.id if coupon else None)
    for name, row in rows.items():
        spent = sum(off for _, rule, off in taken if rule == name)
        await _claim(work, sale, row, spent, coupons.get(row.id))


async def give_back_uses(work: Work, sale_id: UUID) -> None:
    """Declare the reverse of all that a sale took; what was given back already stays so.

    For sales that are taken back whole: voided, given up while they waited, or returned to the last unit.
    """
    for row in await work.fetch(_OF_SALE, sale_id=sale_id):
        _note(work, row.promotion_id, sale_id, row.line, -int(row.amount), work.now, row.coupon_id)
    for row in await work.fetch(_CLAIMED, sale_id=sale_id):
        work.increment(LEFT, (row.subject_id, row.holder_id), int(row.amount))
        _note_claim(work, sale_id, row.subject_id, row.holder_id, -int(row.amount), work.now)


async def used_in(work: Work, sale_id: UUID) -> Sequence[Any]:
    """The promotions that took something off a sale, whether that was given back since or not."""
    uses = sa.select(Use.promotion_id).where(Use.business_id == work.business_id, Use.sale_id == sale_id)
    mine = sa.and_(Promotion.business_id == work.business_id, Promotion.id.in_(uses))
    return (await work.execute(sa.select(*Promotion.__table__.c).where(mine).order_by(Promotion.name))).all()


async def offers_of_sale(work: Work, sale_id: UUID) -> tuple[tuple[Offer, ...], dict[int, int]]:
    """The offers that act on a sale and were not given back, open and without a budget; line → what they took off it.

    For `after_return`. The code of one that was asked for by coupon is the coupon's id.
    """
    rows = await work.fetch(_OF_SALE, sale_id=sale_id)
    coupons = {row.promotion_id: str(row.coupon_id or "") for row in rows}
    offers = [
        Offer(one.id, one.name, one.priority, one.exclusive, read_terms(one.terms), coupons[one.id])
        for one in await used_in(work, sale_id)
        if one.id in coupons
    ]
    off: dict[int, int] = {}
    for row in rows:
        off[row.line] = off.get(row.line, 0) + int(row.amount)
    return tuple(offers), off


async def _coupons_of(work: Work, sale: PlacedSale) -> Mapping[UUID, Handed]:
    """Promotion → the coupon that asked for it."""
    codes = sale.ext.get(PLUGIN.name, {}).get("coupon_codes", [])
    if not codes:
        return {}
    rows = await coupon_rows(work, codes)
    return {row.promotion_id: handed_of(row) for code in codes if (row := rows.get(code_key(code)))}


async def _claim(work: Work, sale: PlacedSale, row: Any, spent: int, coupon: Handed | None) -> None:
    """Take the sale's share of whatever is limited of a promotion and its coupon."""
    terms = read_terms(row.terms)
    shares = _shares(terms, row.id, sale.customer_id, spent)
    refuse = PromotionUsedUp(f"{row.name} is used up; price the cart again")
    of_coupon = coupon.holders(sale.customer_id, sale.business_date) if coupon else []
    await _lay_out(work, [(row.id, holder, most) for holder, most, _ in shares if holder not in (row.id, MONEY)])
    for holder, _ in of_coupon:
        await lay_out_of_coupon(work, coupon.id, holder)  # type: ignore[union-attr]
    for holder, _, amount in shares:
        _take(work, sale, row.id, holder, amount, refuse)
    for holder, _ in of_coupon:
        _take(work, sale, coupon.id, holder, 1, CouponUsedUp(f"{coupon.code} is used up"))  # type: ignore[union-attr]


def _shares(terms: Terms, id_: UUID, customer_id: UUID | None, spent: int) -> list[tuple[UUID, int, int]]:
    """(holder, most, amount) of each limit of a promotion."""
    found: list[tuple[UUID, int, int]] = []
    if terms.limits.uses is not None:
        found.append((id_, terms.limits.uses, 1))
    if terms.limits.spend is not None:
        found.append((MONEY, terms.limits.spend, spent))
    if terms.per_customer is not None and customer_id is not None:
        found.append((customer_id, terms.per_customer, 1))
    return found


async def _lay_out(work: Work, fresh: Iterable[tuple[UUID, UUID, int]]) -> None:
    """Make the rows of customers and days that come for the first time; of two at once one makes it, both then take."""
    rows = [
        {"business_id": work.business_id, "subject_id": subject, "holder_id": holder, "remaining": most}
        for subject, holder, most in sorted(fresh, key=lambda one: (str(one[0]), str(one[1])))
    ]
    if rows:
        await work.execute(upsert(work.deployment.database, Left).values(rows).on_conflict_do_nothing())


async def lay_out_of_coupon(work: Work, coupon_id: UUID, holder: UUID) -> None:
    """Make the row of a customer or a day, with what the coupon says by now: nobody changes it meanwhile."""
    if holder == coupon_id:
        return
    most = Coupon.per_day if is_day(holder) else Coupon.per_customer
    said = (
        sa.select(Coupon.business_id, Coupon.id, sa.literal(holder, sa.Uuid()), most)
        .where(Coupon.business_id == work.business_id, Coupon.id == coupon_id, most.is_not(None))
        .with_for_update(read=True)
    )
    columns = ["business_id", "subject_id", "holder_id", "remaining"]
    await work.execute(upsert(work.deployment.database, Left).from_select(columns, said).on_conflict_do_nothing())


def _take(work: Work, sale: PlacedSale, subject: UUID, holder: UUID, amount: int, refusal: DukaError) -> None:
    work.decrement(LEFT, (subject, holder), amount, lambda _left: refusal)
    _note_claim(work, sale.id, subject, holder, amount, sale.sold_at)


def _note_claim(work: Work, sale_id: UUID, subject: UUID, holder: UUID, amount: int, at: dt.datetime) -> None:
    row = {"id": new_id(), "sale_id": sale_id, "subject_id": subject, "holder_id": holder, "amount": amount, "at": at}
    work.insert(Claim, row)


def _note(
    work: Work, promotion_id: UUID, sale_id: UUID, line: int, amount: int, at: dt.datetime, coupon_id: UUID | None
) -> None:
    row = {"id": new_id(), "promotion_id": promotion_id, "sale_id": sale_id, "line": line, "amount": amount}
    work.insert(Use, row | {"at": at, "coupon_id": coupon_id})
