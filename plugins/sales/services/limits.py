"""What a cashier may give away by hand: a discount, a price, as far as their role reaches or somebody approves."""

from __future__ import annotations

from kernel.money import format_micro, format_price
from kernel.work import Work, need_approval
from plugins.sales.rules.by_hand import discount_by_hand, distance, together
from plugins.sales.schemas.values import PricedCart
from plugins.sales.services.ground import Ground

DISCOUNT, OVERRIDE = "sales.discount_percent", "sales.price_override_percent"


async def check_limits(work: Work, ground: Ground, priced: PricedCart) -> None:
    """Raise ApprovalRequired where discounts or prices by hand go beyond the cashier's limits.

    A line's discount counts against the line as it stood; a discount on the document counts together with those of the
    lines, against the whole. A price by hand counts by its distance from the list price, below or above. Where a line
    has both, what they take together may not be more than what the person may give by the one that reaches further.
    """
    place, cart = ground.place, ground.cart
    both = [together(line, cost, cart.exponent) for line, cost in zip(cart.lines, priced.lines, strict=True)]
    by_price = max(both, default=0) > 0 and _reaches_further_by_price(work)
    if cart.hand is not None or any(line.hand is not None for line in cart.lines):
        percent = max(discount_by_hand(cart, priced), 0 if by_price else max(both, default=0))
        words = f"{format_micro(percent)} % off by hand at {place.location_name}"
        await need_approval(
            work, DISCOUNT, percent, words=words, location_id=place.location_id, register_id=place.register_id
        )
    for line, with_discounts in zip(cart.lines, both, strict=True):
        if line.override is not None:
            percent = distance(line.list_price, line.override.unit_price)
            percent = max(percent, with_discounts if by_price else 0)
            shown, by_hand = (format_price(one, cart.exponent) for one in (line.list_price, line.override.unit_price))
            words = f"{line.name} for {by_hand} instead of {shown} at {place.location_name}"
            await need_approval(
                work, OVERRIDE, percent, words=words, location_id=place.location_id, register_id=place.register_id
            )


def _reaches_further_by_price(work: Work) -> bool:
    """Whether the person may give more by a price of their own than by a discount."""
    discount, override = work.actor.limit(DISCOUNT), work.actor.limit(OVERRIDE)
    return override is None or (discount is not None and override > discount)
