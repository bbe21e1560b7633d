"""What promotions decide by themselves: their states, which of them act on a line or a document, in which order.

Figures are as in `schemas`: percentages, prices and quantities scaled by MICRO, amounts in minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal
from uuid import UUID

from kernel.money import (
    MICRO,
    WHOLE_DIGITS,
    BadDecimal,
    format_amount,
    format_micro,
    format_price,
    parse_amount,
    parse_micro,
    round_ratio,
)
from plugins.discounts.schemas import Kind, Offer, Offers, State

Action = Literal["activate", "end"]

TRANSITIONS: Final[Mapping[tuple[State, Action], State]] = {
    ("draft", "activate"): "active",
    ("draft", "end"): "ended",
    ("active", "end"): "ended",
}
"""State and step → the state after it. Nothing leads back: what sales refer to stays what it was."""


class BadValue(ValueError):
    """A promotion's value does not fit its kind; the message says why."""


def after(state: str, action: Action) -> State | None:
    """The state after a step; None where it cannot be taken."""
    return next((then for (now, step), then in TRANSITIONS.items() if (now, step) == (state, action)), None)


def parse_value(kind: Kind, text: str, exponent: int) -> int:
    """Read a value in the unit of its kind. Raises `BadValue`."""
    try:
        value = parse_amount(text, exponent) if kind == "amount_off" else parse_micro(text)
    except BadDecimal as fault:
        raise BadValue(f"The currency has {exponent} decimals") from fault
    if kind == "percent" and value > 100 * MICRO:
        raise BadValue("At most 100 percent")
    if kind != "set_price" and not value:
        raise BadValue("It must take something off")
    return value


def format_value(kind: str, value: int, exponent: int) -> str:
    """Write a value as it stands on the wire."""
    if kind == "amount_off":
        return format_amount(value, exponent)
    return format_price(value, exponent) if kind == "set_price" else format_micro(value)


def reason(offer: Offer, exponent: int, currency: str) -> str:
    """What an offer does, in words for a receipt."""
    value = format_value(offer.kind, offer.value, exponent)
    if offer.kind == "percent":
        return f"{value} % off"
    return f"{currency} {value} off each" if offer.kind == "amount_off" else f"{currency} {value} each"


def chosen(offers: Offers, product_id: UUID, category_ids: Iterable[UUID], list_price: int) -> list[Offer]:
    """The offers that act on a line, in the order they act: higher priority first, then the older id.

    An exclusive one that comes first acts alone; one that comes later does not act, since it would join others. A set
    price is the price of the product's own unit, so it passes by lines sold in packs.
    """
    found = {offer.id: offer for offer in offers.by_product.get(product_id, ())}
    for category_id in category_ids:
        found |= {offer.id: offer for offer in offers.by_category.get(category_id, ())}
    own = list_price in offers.own_prices.get(product_id, ())
    fitting = [offer for offer in found.values() if offer.kind != "set_price" or own]
    return in_turn(fitting)


def in_turn(offers: Iterable[Offer]) -> list[Offer]:
    """Offers in the order they act, those that join no others left out or alone."""
    ordered = sorted(offers, key=lambda offer: (-offer.priority, offer.id))
    if ordered and ordered[0].exclusive:
        return ordered[:1]
    return [offer for offer in ordered if not offer.exclusive]


def amount_off(value: int, quantity: int, exponent: int) -> int:
    """Minor units off a line for an amount off each unit, rounded once; never beyond what any line can cost."""
    most: int = 10 ** (WHOLE_DIGITS + exponent)
    return min(round_ratio(value * quantity, MICRO), most)
