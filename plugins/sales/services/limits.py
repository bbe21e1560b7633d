"""What a cashier may give away by hand: a discount, a price, as far as their role reaches or somebody approves."""

from __future__ import annotations

from kernel.money import format_micro, format_price
from kernel.work import Work, need_approval
from plugins.sales.rules.by_hand import discount_by_hand, distance
from plugins.sales.schemas.values import PricedCart
from plugins.sales.services.ground import Ground

DISCOUNT, OVERRIDE = "sales.discount_percent", "sales.price_override_percent"


async def check_limits(work: Work, ground: Ground, priced: PricedCart) -> None:
    """Raise ApprovalRequired where discounts or prices by hand go beyond the cashier's limits.

    A line's discount counts against the line as it stood; a discount on the document counts together with those of the
    lines, against the whole. A price by hand counts by its distance from the list price, below or above.
    """
    place, cart = ground.place, ground.cart
    if cart.hand is not None or any(line.hand is not None for line in cart.lines):
        percent = discount_by_hand(cart, priced)
        words = f"{format_micro(percent)} % off by hand at {place.location_name}"
        await need_approval(
            work, DISCOUNT, percent, words=words, location_id=place.location_id, register_id=place.register_id
        )
    for line in cart.lines:
        if line.override is not None:
            percent = distance(line.list_price, line.override.unit_price)
            shown, by_hand = (format_price(one, cart.exponent) for one in (line.list_price, line.override.unit_price))
            words = f"{line.name} for {by_hand} instead of {shown} at {place.location_name}"
            await need_approval(
                work, OVERRIDE, percent, words=words, location_id=place.location_id, register_id=place.register_id
            )
