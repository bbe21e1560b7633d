"""Coupons: made, changed, withdrawn; and looked at when a customer hands them over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, Struct, structs

from kernel.auth import may_guess, wrong_guess
from kernel.db import Prepared, among, new_id
from kernel.errors import AlreadyExists, Fault, Invalid, NotFound
from kernel.work import Work
from plugins.customers.api import known_customers
from plugins.discounts import PLUGIN
from plugins.discounts.errors import (
    CouponExpired,
    CouponLimitFixed,
    CouponNotApplicable,
    CouponNotForCustomer,
    CouponUnknown,
    CouponUsedUp,
    NotByCoupon,
)
from plugins.discounts.models import LEFT, Coupon, Left, Promotion
from plugins.discounts.rules.codes import code_key, made_up
from plugins.discounts.schemas.coupons import (
    BatchChanged,
    CouponOut,
    CouponPatch,
    CouponsIn,
    CouponsOfCart,
    CouponsOut,
)
from plugins.discounts.services.coupon_lists import find_coupon
from plugins.sales.api import Cart

MOST_GUESSES: Final = 20
"""Wrong codes that one person may hand in within a quarter of an hour."""
POINTER: Final = "/ext/discounts/coupon_codes"
SHOWN: Final = 100
_C, _P, _L = Coupon.__table__.c, Promotion.__table__.c, Left.__table__.c
_business = sa.bindparam("business_id", type_=sa.Uuid())
_KEYED = Prepared(
    sa.select(
        *(_C.id, _C.promotion_id, _C.code, _C.key, _C.customer_id, _C.uses, _C.per_customer, _C.per_day),
        *(_C.expires_at, _C.is_active, _P.name, _P.state, _P.starts_at, _P.ends_at),
    )
    .join(Promotion, sa.and_(_P.business_id == _C.business_id, _P.id == _C.promotion_id))
    .where(_C.business_id == _business, among(_C.key, "keys"))
)
_LEFT = Prepared(
    sa.select(_L.subject_id, _L.holder_id, _L.remaining).where(
        _L.business_id == _business, among(_L.subject_id, "subjects"), among(_L.holder_id, "holders")
    )
)


_HOLDERS = Prepared(
    sa.select(_L.holder_id).where(
        _L.business_id == _business, _L.subject_id == sa.bindparam("subject", type_=sa.Uuid())
    )
)
LIMITS: Final = ("uses", "per_customer", "per_day")
"""What a coupon may be limited by: in all, of a customer, on a day."""


class _Running(Protocol):
    """A promotion as `services.running` knows it."""

    @property
    def by_coupon(self) -> bool: ...
    @property
    def offer(self) -> Any: ...


class Handed(Struct, frozen=True):
    """A coupon that came with a cart, and may be used."""

    id: UUID
    promotion_id: UUID
    code: str
    uses: int | None
    per_customer: int | None
    per_day: int | None

    def is_for(self, running: _Running) -> bool:
        """Whether it asks for this promotion."""
        return running.by_coupon and running.offer.id == self.promotion_id

    def holders(self, customer_id: UUID | None, day: dt.date) -> list[tuple[UUID, int]]:
        """(holder, most) of each limit it has: in all, of the customer, of the day."""
        found = [(self.id, self.uses), (day_holder(day), self.per_day)]
        if customer_id is not None:
            found.append((customer_id, self.per_customer))
        return [(holder, most) for holder, most in found if most is not None]


def day_holder(day: dt.date) -> UUID:
    """The holder that stands for a day."""
    return UUID(int=day.toordinal() << 32)


def is_day(holder: UUID) -> bool:
    """Whether a holder stands for a day."""
    return not holder.int % 2**32 and holder.int >> 32 <= dt.date.max.toordinal()


async def make_coupons(work: Work, data: CouponsIn) -> CouponsOut:
    """Make coupons. Raises NotFound, Invalid, AlreadyExists for a code, NotByCoupon."""
    promotion = await work.session.get(Promotion, (work.business_id, data.promotion_id))
    if promotion is None:
        raise NotFound.at("/promotion_id", "There is no such promotion")
    if not promotion.by_coupon or promotion.state == "ended":
        raise NotByCoupon(f"{promotion.name} is not asked for by coupon, or has ended")
    if data.code is not None and (data.count != 1 or data.prefix):
        raise Invalid.at("/code", "One coupon has a code of its own; many are made up")
    if data.customer_id is not None and not await known_customers(work, [data.customer_id]):
        raise NotFound.at("/customer_id", "There is no such customer")
    codes = [data.code] if data.code is not None else sorted({made_up(data.prefix) for _ in range(data.count)})
    if data.code is not None and await work.fetch(_KEYED, keys=[code_key(data.code)]):
        raise AlreadyExists(f"There is a coupon {data.code}", faults=[Fault("/code", "already-exists")])
    batch = new_id()
    uses = data.uses if data.uses is not None or data.code is not None else 1
    for code in codes:
        _make(work, data, batch, code, uses)
    work.audit(subject=f"promotion:{promotion.id}", coupons=len(codes), batch=str(batch))
    return CouponsOut(batch, promotion.id, len(codes), codes[:SHOWN])


def _make(work: Work, data: CouponsIn, batch: UUID, code: str, uses: int | None) -> None:
    id_ = new_id()
    row = {"id": id_, "batch_id": batch, "code": code, "key": code_key(code), "uses": uses, "is_active": True}
    taken = {name: getattr(data, name) for name in ("promotion_id", "customer_id", "per_customer", "per_day")}
    made = {"expires_at": data.expires_at, "created_at": work.now, "created_by": work.actor.id, "version": 1}
    work.insert(Coupon, row | taken | made)
    if uses is not None:
        work.insert(Left, {"subject_id": id_, "holder_id": id_, "remaining": uses})


async def change_coupon(work: Work, coupon_id: UUID, data: CouponPatch) -> tuple[CouponOut, int]:
    """Withdraw a coupon, take it back in, move its end, change how often it is good; returns it with its version.

    Raises NotFound, PreconditionFailed, CouponLimitFixed.
    """
    row = await work.get(Coupon, coupon_id, to_change=True)
    work.check_version(row.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    more = await _change_limits(work, row, given)
    for name, value in given.items():
        setattr(row, name, value)
    row.version += 1
    await work.session.flush()
    return await find_coupon(work, coupon_id, more)


async def set_batch(work: Work, batch_id: UUID, *, is_active: bool) -> BatchChanged:
    """Withdraw all coupons that were made together, or let all be good again. Raises NotFound."""
    here = sa.and_(_C.business_id == work.business_id, _C.batch_id == batch_id)
    held = await work.execute(sa.select(_C.id, _C.is_active).where(here).order_by(_C.id).with_for_update())
    rows = held.all()
    if not rows:
        raise NotFound
    changed = sum(row.is_active != is_active for row in rows)
    others = sa.and_(here, _C.is_active.is_not(is_active))
    await work.execute(sa.update(Coupon).where(others).values(is_active=is_active, version=_C.version + 1))
    work.audit(subject=f"coupon_batch:{batch_id}", changed=changed, is_active=is_active)
    return BatchChanged(batch_id, changed, len(rows) - changed)


async def _change_limits(work: Work, row: Coupon, given: Mapping[str, int | None]) -> int:
    """Give every holder that is laid out as much more, or less, as a limit changes; returns how much more there is.

    The coupon's row is held, and who lays out a new holder shares it, so none is missed.
    """
    changed = [name for name in LIMITS if name in given and given[name] != getattr(row, name)]
    if not changed:
        return 0
    holders = [one.holder_id for one in await work.fetch(_HOLDERS, subject=row.id)]
    kinds = {"uses": [row.id], "per_day": [one for one in holders if is_day(one)]}
    kinds["per_customer"] = [one for one in holders if one != row.id and not is_day(one)]
    moved = 0
    for name in changed:
        was, limit = getattr(row, name), given[name]
        if was is None:
            raise _limit_fixed(name, "It was made without this limit: make another")
        for holder in kinds[name] if limit is not None else []:
            _move(work, row, name, holder, limit - was)
        moved += limit - was if name == "uses" and limit is not None else 0
    return moved


def _move(work: Work, row: Coupon, name: str, holder: UUID, more: int) -> None:
    if more > 0:
        work.increment(LEFT, (row.id, holder), more)
        return
    refusal = _limit_fixed(name, "More of it is used already")
    work.decrement(LEFT, (row.id, holder), -more, lambda _left: refusal)


def _limit_fixed(name: str, words: str) -> CouponLimitFixed:
    return CouponLimitFixed(words, faults=[Fault(f"/{name}", "coupon-limit")])


# Handed over with a cart


async def handed_over(work: Work, cart: Cart) -> list[Handed]:
    """The coupons of a cart, if each may be used.

    Raises CouponUnknown, CouponExpired, CouponUsedUp, CouponNotForCustomer, CouponNotApplicable for two of one
    promotion, RateLimited where somebody guesses. A cart of the past had its share: nothing is counted again.
    """
    said = cart.ext.get(PLUGIN.name)
    codes = said.coupon_codes if isinstance(said, CouponsOfCart) else []
    if not codes:
        return []
    is_past = cart.at < work.now
    guesser = f"coupon:{work.business_id}:{work.actor.id}"
    await may_guess(work, guesser, MOST_GUESSES)
    rows = await coupon_rows(work, codes)
    for place, code in enumerate(codes):
        if code_key(code) not in rows:
            if not is_past:
                await wrong_guess(work, guesser, MOST_GUESSES)
            raise CouponUnknown.at(f"{POINTER}/{place}", f"{code} is no coupon of this shop", code="coupon-unknown")
    handed = [_checked(cart, rows[code_key(code)], f"{POINTER}/{place}") for place, code in enumerate(codes)]
    if len({one.promotion_id for one in handed}) != len(handed):
        raise CouponNotApplicable.at(POINTER, "One coupon of a promotion for a sale", code="coupon-not-applicable")
    if not is_past:
        await _refuse_used_up(work, cart, handed)
    return handed


async def coupon_rows(work: Work, codes: Sequence[str]) -> dict[str, Any]:
    """Key → the coupon and its promotion; those that do not exist are left out."""
    return {row.key: row for row in await work.fetch(_KEYED, keys=sorted({code_key(code) for code in codes}))}


def handed_of(row: Any) -> Handed:
    """A coupon's row, as it was handed over."""
    return Handed(row.id, row.promotion_id, row.code, row.uses, row.per_customer, row.per_day)


def _checked(cart: Cart, row: Any, pointer: str) -> Handed:
    is_over = row.expires_at is not None and row.expires_at <= cart.at
    ended = row.ends_at is not None and row.ends_at <= cart.at
    if not row.is_active or is_over or ended or row.state != "active" or row.starts_at > cart.at:
        raise CouponExpired.at(pointer, f"{row.code} is not valid now", code="coupon-expired")
    is_anothers = row.customer_id is not None and row.customer_id != cart.customer_id
    if is_anothers or (row.per_customer is not None and cart.customer_id is None):
        words = "is for another customer" if is_anothers else "is for customers who are named"
        raise CouponNotForCustomer.at(pointer, f"{row.code} {words}", code="coupon-not-for-customer")
    return handed_of(row)


async def _refuse_used_up(work: Work, cart: Cart, handed: Sequence[Handed]) -> None:
    """Refuse early what the checkout would refuse; what counts is its own conditional statement."""
    day = cart.at.astimezone(work.shop.tz).date()
    holders = {holder for one in handed for holder, _ in one.holders(cart.customer_id, day)}
    if not holders:
        return
    rows = await work.fetch(_LEFT, subjects=[one.id for one in handed], holders=list(holders))
    empty = {row.subject_id for row in rows if row.remaining < 1}
    for place, one in enumerate(handed):
        if one.id in empty:
            raise CouponUsedUp(f"{one.code} is used up", faults=[Fault(f"{POINTER}/{place}", "coupon-used-up")])
