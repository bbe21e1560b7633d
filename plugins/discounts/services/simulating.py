"""Promotions tried on the newest sales before they run: what they would have brought, and cost."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from msgspec.structs import replace

from kernel.errors import NotFound
from kernel.money import format_amount
from kernel.work import Work
from plugins.discounts import PLUGIN
from plugins.discounts.models import Promotion
from plugins.discounts.schemas.coupons import CouponsOfCart, OnTrial
from plugins.discounts.schemas.simulations import SaleChanged, SimulationIn, SimulationOut
from plugins.discounts.schemas.terms import Limits, Offer, read_terms
from plugins.sales.api import Cart, PricedCart, Replayed, replay

_P = Promotion.__table__.c


async def simulate(work: Work, data: SimulationIn) -> SimulationOut:
    """Price the newest sales with and without some promotions. Raises NotFound for one that is not there.

    Their span and their budgets are left aside, their days and hours are not; coupons are taken as handed over.
    """
    offers = await _on_trial(work, data.promotion_ids)

    def with_them(cart: Cart) -> Cart:
        said = cart.ext.get(PLUGIN.name)
        codes = said.coupon_codes if isinstance(said, CouponsOfCart) else []
        return replace(cart, ext={**cart.ext, PLUGIN.name: OnTrial(codes, offers)})

    found, of = await replay(work, data.last, with_them)
    return _summed(work, found, of, frozenset(offer.name for offer in offers))


async def _on_trial(work: Work, ids: Sequence[UUID]) -> tuple[Offer, ...]:
    rows = await work.execute(
        sa.select(_P.id, _P.name, _P.priority, _P.exclusive, _P.terms).where(
            _P.business_id == work.business_id, _P.id.in_(ids)
        )
    )
    found = {row.id: row for row in rows.all()}
    for place, id_ in enumerate(ids):
        if id_ not in found:
            raise NotFound.at(f"/promotion_ids/{place}", "There is no such promotion")
    return tuple(
        Offer(row.id, row.name, row.priority, row.exclusive, replace(read_terms(row.terms), limits=Limits()))
        for row in found.values()
    )


def _summed(work: Work, found: Sequence[Replayed], of: int, names: frozenset[str]) -> SimulationOut:
    exponent = work.shop.exponent
    before, after = (sum(cart.total for cart in carts) for carts in _both(found))
    known = [one for one in found if one.cost is not None]
    costs = sum(one.cost or 0 for one in known)
    margins = [sum(line.net for cart in carts for line in cart.lines) - costs for carts in _both(known)]
    return SimulationOut(
        examined=len(found),
        of=of,
        revenue_before=format_amount(before, exponent),
        revenue_after=format_amount(after, exponent),
        given=format_amount(before - after, exponent),
        margin_before=format_amount(margins[0], exponent),
        margin_after=format_amount(margins[1], exponent),
        unmeasured=len(found) - len(known),
        changed=[_changed(one, names, exponent) for one in found if one.before.total != one.after.total],
    )


def _both(found: Sequence[Replayed]) -> tuple[list[PricedCart], list[PricedCart]]:
    return [one.before for one in found], [one.after for one in found]


def _changed(one: Replayed, names: frozenset[str], exponent: int) -> SaleChanged:
    acted = {rule for line in one.after.lines for plugin, rule, _ in line.taken if plugin == PLUGIN.name}
    before, after = (format_amount(cart.total, exponent) for cart in (one.before, one.after))
    return SaleChanged(one.sale_id, one.number, one.business_date, before, after, sorted(acted & names))
