"""What discounts answers: prices of carts, sales placed and taken back, and the kernel's own hooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.app.recording import Recording, Thing
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.money import format_amount
from kernel.work import Work
from plugins.discounts import rules
from plugins.discounts.schemas import Kind, Offer, Offers, PromotionIn
from plugins.discounts.services import (
    add_promotion,
    give_back_uses,
    move_promotion,
    note_uses,
    running_offers,
    used_in,
)
from plugins.sales.api import AmountOff, Answer, CancelledSale, Cart, Line, PercentOff, PlacedSale, SetPrice, VoidedSale
from plugins.sales.hooks import Facts

DEMO: Final[Mapping[str, Sequence[tuple[str, Kind, str, str]]]] = {
    "KE": (
        ("Rice month", "set_price", "369.00", "RICE-2KG"),
        ("Cooking oil 5 % off", "percent", "5", "OIL-1L"),
        ("Wash day", "amount_off", "20.00", "DETER-1KG"),
    ),
    "IN": (
        ("Dal month", "set_price", "155.00", "TOOR-1KG"),
        ("Ghee 4 % off", "percent", "4", "GHEE-1L"),
        ("Wash day", "amount_off", "8.00", "DETPOW-1KG"),
    ),
}
"""Region of a demo business → name, kind, value and SKU of its promotions."""
DEMO_RUNS: Final = dt.timedelta(days=30)

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
)


@answers
async def price_facts(work: Work, cart: Cart) -> Offers | None:
    """What runs on the cart's goods at its instant."""
    return await running_offers(work, cart)


@answers
def price_line(cart: Cart, line: Line, facts: Facts) -> Sequence[Answer] | None:
    """The promotions that act on a line, in their order; each named by its rule, with what it does as the reason."""
    offers = facts.of(Offers)
    if offers is None:
        return None
    acting = rules.chosen(offers, line.product_id, line.category_ids, line.list_price)
    return [_answer(offer, line, cart) for offer in acting] or None


@answers
def price_cart(cart: Cart, facts: Facts) -> Sequence[Answer] | None:
    """The promotions that act on the document as a whole, in their order."""
    offers = facts.of(Offers)
    if offers is None:
        return None
    return [_on_document(offer, cart) for offer in rules.in_turn(offers.on_document)] or None


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
    """The promotions that took something off."""
    for row in await used_in(work, recording.document_id):
        recording.make(
            Thing("promotion", row.id),
            row.name,
            "plugins.discounts.testing:a_promotion",
            row.name,
            rules.format_value(row.kind, row.value, work.shop.exponent),
            kind=row.kind,
            product_id=recording.want("product", row.product_id) if row.product_id else None,
            category_id=recording.want("category", row.category_id) if row.category_id else None,
            priority=row.priority or None,
            exclusive=row.exclusive or None,
        )


@answers
def invariants() -> Sequence[Invariant] | None:
    """What must hold of the uses of promotions."""
    return _INVARIANTS


@answers
async def seed_demo(demo: Any) -> None:
    """Three promotions that begin today, after the month of sales at full price: a price, a percentage, an amount."""
    ids = {one["sku"]: one["id"] for one in demo.notes["products"]}
    yesterday = dt.datetime.combine(demo.days[-1], dt.time(), demo.shop.tz)
    opening = (yesterday + dt.timedelta(days=1)).astimezone(dt.UTC)
    closing = opening + DEMO_RUNS

    async def announce(work: Work) -> None:
        for name, kind, value, sku in DEMO[demo.region]:
            data = PromotionIn(
                name=name, kind=kind, value=value, product_id=ids[sku], starts_at=opening, ends_at=closing, priority=10
            )
            made = await add_promotion(work, data)
            await move_promotion(work, made.id, "activate")

    await demo.act(announce, role="manager")


def _answer(offer: Offer, line: Line, cart: Cart) -> Answer:
    said = rules.reason(offer, cart.exponent, cart.currency)
    if offer.kind == "percent":
        return PercentOff(phase="promotion", rule=offer.name, reason=said, percent=offer.value)
    if offer.kind == "set_price":
        return SetPrice(phase="promotion", rule=offer.name, reason=said, unit_price=offer.value)
    off = rules.amount_off(offer.value, line.quantity, cart.exponent)
    return AmountOff(phase="promotion", rule=offer.name, reason=said, amount=off)


def _on_document(offer: Offer, cart: Cart) -> Answer:
    if offer.kind == "percent":
        said = rules.reason(offer, cart.exponent, cart.currency)
        return PercentOff(phase="promotion", rule=offer.name, reason=said, percent=offer.value)
    said = f"{cart.currency} {format_amount(offer.value, cart.exponent)} off"
    return AmountOff(phase="promotion", rule=offer.name, reason=said, amount=offer.value)
