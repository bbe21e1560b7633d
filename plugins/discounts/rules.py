"""What promotions decide by themselves: their states, which of them act on a line, and what each took off it.

Figures are as in `schemas`: percentages, prices and quantities scaled by MICRO, amounts in minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from kernel.money import (
    MICRO,
    WHOLE_DIGITS,
    BadDecimal,
    extend,
    format_amount,
    format_micro,
    format_price,
    parse_amount,
    parse_micro,
    percent_of,
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


class SoldGoods(Struct, frozen=True):
    """A line as it was sold; `list_price` of one of its units where a set price is to be measured against it."""

    quantity: int
    unit_price: int
    gross: int
    discount: int
    list_price: int | None = None


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
    ordered = sorted(fitting, key=lambda offer: (-offer.priority, offer.id))
    if ordered and ordered[0].exclusive:
        return ordered[:1]
    return [offer for offer in ordered if not offer.exclusive]


def amount_off(value: int, quantity: int, exponent: int) -> int:
    """Minor units off a line for an amount off each unit, rounded once; never beyond what any line can cost."""
    most: int = 10 ** (WHOLE_DIGITS + exponent)
    return min(round_ratio(value * quantity, MICRO), most)


def taken(goods: SoldGoods, offers: Sequence[Offer], exponent: int) -> list[int]:
    """What each of the offers that acted on a line took off it, in minor units; none below zero.

    Percentages and amounts are counted in turn from quantity × unit price, and together never exceed the line's
    discount: what a cashier gave by hand is not the promotion's. A set price took the difference to the list price and
    everything before it took nothing, for it replaced what was off so far.
    """
    parts = [0] * len(offers)
    first = max((place for place, offer in enumerate(offers) if offer.kind == "set_price"), default=0)
    amount, left = goods.gross, goods.discount
    for place, offer in enumerate(offers[first:], first):
        if offer.kind == "set_price":
            parts[place] = _below_list(goods, offer, exponent)
            continue
        percent = offer.kind == "percent"
        off = percent_of(amount, offer.value) if percent else amount_off(offer.value, goods.quantity, exponent)
        parts[place] = min(off, left, amount)
        amount -= parts[place]
        left -= parts[place]
    return parts


def _below_list(goods: SoldGoods, offer: Offer, exponent: int) -> int:
    """What the goods cost less at the set price than at the list price; nothing where another price took its place."""
    if goods.list_price is None or goods.unit_price != offer.value:
        return 0
    return max(0, extend(goods.quantity, goods.list_price, exponent) - goods.gross)
