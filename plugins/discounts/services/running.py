"""The facts of a cart: which offers run on it, for its customer, at its hour, with its coupons, and what is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from kernel.auth import Location
from kernel.db import Configured, Prepared, Rows, among
from kernel.work import Work
from plugins.customers.api import customer
from plugins.discounts import PLUGIN
from plugins.discounts.models import MONEY, Left, Promotion
from plugins.discounts.rules.circumstances import closed_because
from plugins.discounts.schemas.coupons import OnTrial
from plugins.discounts.schemas.terms import Circumstances, Offer, Offers, read_terms
from plugins.discounts.services.coupons import Handed, handed_over
from plugins.sales.api import Cart, has_bought

MOST_OF_DAY = 500
"""Promotions of a day that are kept in the process; where there are more, each cart asks for its own."""
_business = sa.bindparam("business_id", type_=sa.Uuid())
_offer = (
    *(Promotion.id, Promotion.name, Promotion.priority, Promotion.exclusive, Promotion.terms, Promotion.by_coupon),
    *(Promotion.starts_at, Promotion.ends_at, Promotion.ended_at),
)


class Running(Struct, frozen=True):
    """A promotion of a day: as an offer, and from when to when."""

    offer: Offer
    by_coupon: bool
    starts_at: dt.datetime
    ends: tuple[dt.datetime, ...]

    def is_on(self, at: dt.datetime) -> bool:
        """From its first moment up to, not including, its last."""
        return self.starts_at <= at and all(end > at for end in self.ends)


def _moment(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=Promotion.starts_at.type)


def _in_force(since: sa.ColumnElement[dt.datetime]) -> sa.ColumnElement[bool]:
    """Active, or ended by hand only after an instant: past carts are priced as they were."""
    ended_later = sa.and_(Promotion.state == "ended", Promotion.activated_at.is_not(None), Promotion.ended_at > since)
    return sa.or_(Promotion.state == "active", ended_later)


_RUNNING = Prepared(
    sa.select(*_offer).where(
        Promotion.business_id == _business,
        _in_force(_moment("at")),
        Promotion.starts_at <= _moment("at"),
        sa.or_(Promotion.ends_at.is_(None), Promotion.ends_at > _moment("at")),
        sa.or_(
            among(Promotion.product_id, "products"),
            among(Promotion.category_id, "categories"),
            Promotion.target.in_(("document", "goods")),
        ),
    )
)
_OF_DAY = Configured(
    sa.select(*_offer)
    .where(
        Promotion.business_id == _business,
        _in_force(_moment("start")),
        Promotion.starts_at < _moment("end"),
        sa.or_(Promotion.ends_at.is_(None), Promotion.ends_at > _moment("start")),
    )
    .limit(MOST_OF_DAY + 1)
)
_ZONES = Configured(sa.select(Location.id, Location.zone).where(Location.business_id == sa.bindparam("business_id")))
_LEFT = Prepared(
    sa.select(Left.subject_id, Left.holder_id, Left.remaining).where(
        Left.business_id == _business, among(Left.subject_id, "subjects"), among(Left.holder_id, "holders")
    )
)


async def running_offers(work: Work, cart: Cart) -> Offers | None:
    """What runs on a cart at its instant; None where nothing does.

    Raises what a coupon is refused with. Of what is limited only as much is offered as is left now; of a past sale's
    cart all of it, since the sale had its share.
    """
    running = [one for one in await _of_instant(work, cart) if one.is_on(cart.at)]
    handed = await handed_over(work, cart)
    offers = [one.offer for one in running if not one.by_coupon]
    offers += [_with_coupon(one.offer, coupon) for one in running for coupon in handed if coupon.is_for(one)]
    offers = [*offers, *on_trial(cart, offers)]
    if not offers:
        return None
    here = await _circumstances(work, cart, offers)
    left = await _left(work, cart, offers)
    return Offers(tuple(_as_it_stands(offer, here, left) for offer in offers))


def running_of(rows: Rows) -> tuple[Running, ...]:
    """Stored promotions, with their terms read."""
    return tuple(
        Running(
            Offer(row.id, row.name, row.priority, row.exclusive, read_terms(row.terms)),
            row.by_coupon,
            row.starts_at,
            tuple(end for end in (row.ends_at, row.ended_at) if end is not None),
        )
        for row in rows
    )


def on_trial(cart: Cart, running: Iterable[Offer]) -> list[Offer]:
    """The offers that are tried on a cart, less those that run on it anyway."""
    said, known = cart.ext.get(PLUGIN.name), {offer.id for offer in running}
    return [offer for offer in said.offers if offer.id not in known] if isinstance(said, OnTrial) else []


async def _of_instant(work: Work, cart: Cart) -> Sequence[Running]:
    day = cart.at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    kept = await work.recall(_OF_DAY, running_of, start=day, end=day + dt.timedelta(days=1))
    if len(kept) <= MOST_OF_DAY:
        return kept
    products = {line.product_id for line in cart.lines}
    categories = {category for line in cart.lines for category in line.category_ids}
    return running_of(await work.fetch(_RUNNING, at=cart.at, products=list(products), categories=list(categories)))


async def _circumstances(work: Work, cart: Cart, offers: Iterable[Offer]) -> Circumstances:
    """What the offers ask of a cart besides its goods; the customer is looked up only where one of them asks."""
    zone = (await work.recall(_ZONES, _by_id)).get(cart.location_id)
    local = cart.at.astimezone(ZoneInfo(zone) if zone else work.shop.tz)
    group_id, bought = None, False
    if cart.customer_id is not None:
        if any(offer.terms.when.group_ids for offer in offers):
            found = await customer(work, cart.customer_id)
            group_id = found.group_id if found else None
        if any(offer.terms.when.first_purchase for offer in offers):
            bought = await has_bought(work, cart.customer_id)
    return Circumstances(local, cart.channel, cart.location_id, cart.customer_id, group_id, bought)


def _by_id(rows: Rows) -> Mapping[UUID, str]:
    """Location → its zone."""
    return {row.id: row.zone for row in rows}


async def _left(work: Work, cart: Cart, offers: Iterable[Offer]) -> Mapping[tuple[UUID, UUID], int]:
    """(promotion, holder) → what is left of it now."""
    limited = [offer.id for offer in offers if offer.terms.is_limited]
    if not limited or cart.at < work.now:
        return {}
    holders = [*limited, MONEY, *([cart.customer_id] if cart.customer_id else [])]
    rows = await work.fetch(_LEFT, subjects=limited, holders=holders)
    return {(row.subject_id, row.holder_id): row.remaining for row in rows}


def _as_it_stands(offer: Offer, here: Circumstances, left: Mapping[tuple[UUID, UUID], int]) -> Offer:
    closed = closed_because(offer.terms, here)
    if not closed and left.get((offer.id, offer.id), 1) < 1:
        closed = "used up"
    if not closed and here.customer_id is not None and left.get((offer.id, here.customer_id), 1) < 1:
        closed = "used up by this customer"
    return replace(offer, closed=closed, spend_left=left.get((offer.id, MONEY)))


def _with_coupon(offer: Offer, coupon: Handed) -> Offer:
    return replace(offer, code=coupon.code)
