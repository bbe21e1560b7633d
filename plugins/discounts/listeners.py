"""What discounts answers: prices of carts, sales placed and taken back, and the kernel's own hooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import convert

from kernel.app.recording import Recording
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.discounts.errors import CouponNotApplicable
from plugins.discounts.rules.evaluating import Outcome, Taken, evaluate
from plugins.discounts.rules.words import Words
from plugins.discounts.schemas.coupons import CouponsIn
from plugins.discounts.schemas.promotions import PromotionIn
from plugins.discounts.schemas.terms import AmountOff as AmountOfTerms
from plugins.discounts.schemas.terms import Offers
from plugins.discounts.schemas.terms import PercentOff as PercentOfTerms
from plugins.discounts.services.coupons import POINTER, make_coupons
from plugins.discounts.services.promotions import add_promotion, move_promotion
from plugins.discounts.services.recording import record_promotions
from plugins.discounts.services.running import running_offers
from plugins.discounts.services.uses import give_back_uses, note_uses
from plugins.sales.api import (
    AmountOff,
    Answer,
    CancelledSale,
    Cart,
    LinesOff,
    Missed,
    PercentOff,
    PlacedSale,
    VoidedSale,
)
from plugins.sales.hooks import Facts

DEMO: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "KE": (
        {"name": "Rice month", "effect": {"kind": "set_price", "price": "369.00"}, "goods": ["RICE-2KG"]},
        {"name": "Two oils, five percent", "effect": {"kind": "tiers", "tiers": [{"least": "2", "percent": "5"}]},
         "goods": ["OIL-1L"]},
        {"name": "Wash day", "effect": {"kind": "any_for", "count": 3, "amount": "870.00"}, "goods": ["DETER-1KG"]},
        {"name": "Karibu", "effect": {"kind": "percent", "percent": "5"}, "by_coupon": True, "code": "KARIBU"},
    ),
    "IN": (
        {"name": "Dal month", "effect": {"kind": "set_price", "price": "155.00"}, "goods": ["TOOR-1KG"]},
        {"name": "Ghee 4 % off", "effect": {"kind": "percent", "percent": "4"}, "goods": ["GHEE-1L"]},
        {"name": "Wash day", "effect": {"kind": "buy_get", "buy": 5, "get": 1, "percent": "50"},
         "goods": ["DETPOW-1KG"]},
        {"name": "Swagat", "effect": {"kind": "percent", "percent": "5"}, "by_coupon": True, "code": "SWAGAT"},
    ),
}  # fmt: skip
"""Region of a demo business → its promotions, with the SKUs of their goods and the code of their coupon."""
DEMO_RUNS: Final = dt.timedelta(days=30)
MOST_MISSED: Final = 20
"""Offers that a quote names as missed."""

_INVARIANTS = (
    Rule(
        "what a promotion took off a line is never below zero",
        "SELECT business_id, sale_id, line, promotion_id FROM discounts_use"
        " GROUP BY business_id, sale_id, line, promotion_id HAVING SUM(amount) < 0",
    ),
    Rule(
        "a voided sale gives back all that promotions took off each line",
        "SELECT business_id, sale_id, line FROM discounts_use GROUP BY business_id, sale_id, line"
        " HAVING MIN(amount) < 0 AND SUM(amount) <> 0",
    ),
    Rule(
        "only a promotion that was activated took anything off",
        "SELECT u.business_id, u.sale_id, u.promotion_id FROM discounts_use u JOIN discounts_promotion p"
        " ON p.business_id = u.business_id AND p.id = u.promotion_id WHERE p.activated_at IS NULL",
    ),
    Rule(
        "what is left of a coupon and what sales took of it make what there was",
        "SELECT c.business_id, c.id FROM discounts_coupon c JOIN discounts_left l ON l.business_id = c.business_id"
        " AND l.subject_id = c.id AND l.holder_id = c.id LEFT JOIN discounts_claim k ON k.business_id = c.business_id"
        " AND k.subject_id = c.id AND k.holder_id = c.id GROUP BY c.business_id, c.id, c.uses, l.remaining"
        " HAVING l.remaining + coalesce(SUM(k.amount), 0) <> c.uses",
    ),
)


@answers
async def price_facts(work: Work, cart: Cart) -> Offers | None:
    """What runs on the cart's goods at its instant."""
    return await running_offers(work, cart)


@answers
def price_cart(cart: Cart, amounts: tuple[int, ...], facts: Facts) -> Sequence[Answer] | None:
    """What the offers take off, in their order; each named by its promotion, with what it does as the reason.

    A coupon that takes nothing off refuses the cart, and says what is missing.
    """
    offers = facts.of(Offers)
    if offers is None:
        return None
    outcome, words = _outcome(cart, amounts, offers), Words(cart.currency, cart.region)
    for offer, lack in outcome.missed:
        if offer.code:
            said = f"{offer.code}: {words.lack(offer, lack)}"
            raise CouponNotApplicable.at(POINTER, said, code="coupon-not-applicable")
    return [_answer(taken, words) for taken in outcome.taken] or None


@answers
def missed_offers(cart: Cart, amounts: tuple[int, ...], facts: Facts) -> Sequence[Missed] | None:
    """The offers on goods of the cart that take nothing off it, and what is missing for them."""
    offers = facts.of(Offers)
    if offers is None:
        return None
    words = Words(cart.currency, cart.region)
    missed = [one for one in _outcome(cart, amounts, offers).missed if one[1].why != "goods"]
    missed.sort(key=lambda one: (one[1].number == 0, one[1].number))
    return [Missed(offer.name, words.lack(offer, lack)) for offer, lack in missed[:MOST_MISSED]] or None


@answers
async def sale_placed(work: Work, sale: PlacedSale) -> None:
    """Note what each promotion took off."""
    await note_uses(work, sale)


@answers
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Note that it is given back."""
    await give_back_uses(work, void.sale.id)


@answers
async def sale_cancelled(work: Work, cancel: CancelledSale) -> None:
    """Note that it was not used after all."""
    await give_back_uses(work, cancel.sale.id)


@answers
async def recorded(work: Work, recording: Recording) -> None:
    """The promotions that took something off, with the coupons that asked for them."""
    await record_promotions(work, recording)


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of the uses of promotions."""
    return _INVARIANTS


@answers
async def seed_demo(demo: Any) -> None:
    """Four promotions that begin today, after the month of sales at full price; the last of them by coupon."""
    ids = {one["sku"]: one["id"] for one in demo.notes["products"]}
    yesterday = dt.datetime.combine(demo.days[-1], dt.time(), demo.shop.tz)
    opening = (yesterday + dt.timedelta(days=1)).astimezone(dt.UTC)
    closing = opening + DEMO_RUNS

    async def announce(work: Work) -> None:
        for said in DEMO[demo.region]:
            goods = {"product_ids": [str(ids[sku]) for sku in said["goods"]]} if "goods" in said else None
            fields = {name: said[name] for name in ("name", "effect", "by_coupon") if name in said}
            data = convert(fields | {"goods": goods, "starts_at": opening, "ends_at": closing}, PromotionIn)
            made = await add_promotion(work, data)
            await move_promotion(work, made.id, "activate")
            if "code" in said:
                await make_coupons(work, CouponsIn(promotion_id=made.id, code=said["code"], per_day=50))

    await demo.act(announce, role="manager")


def _outcome(cart: Cart, amounts: tuple[int, ...], offers: Offers) -> Outcome:
    """What the offers do to the one cart that they are the facts of, worked out once for what its lines cost."""
    found: Outcome | None = offers.worked_out.get(amounts)
    if found is None:
        found = offers.worked_out[amounts] = evaluate(cart, amounts, offers.offers)
    return found


def _answer(taken: Taken, words: Words) -> Answer:
    offer, effect = taken.offer, taken.offer.terms.effect
    said: Any = {"phase": "coupon" if offer.code else "promotion", "rule": offer.name, "reason": words.reason(offer)}
    if not offer.terms.is_for_document:
        return LinesOff(amounts=taken.off, **said)
    if isinstance(effect, PercentOfTerms):
        return PercentOff(percent=effect.percent, lines=taken.lines, **said)
    amount = effect.amount if isinstance(effect, AmountOfTerms) else 0
    return AmountOff(amount=amount, lines=taken.lines, **said)
