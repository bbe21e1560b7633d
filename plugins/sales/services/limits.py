"""What a cashier may give away by hand: a discount, a price, as far as their role reaches or somebody approves."""

from __future__ import annotations

from kernel.money import MICRO, format_micro, format_price, parse_amount
from kernel.work import Work, need_approval
from plugins.sales.schemas.values import PricedCart, PricedLine, Step
from plugins.sales.services.ground import Ground

DISCOUNT, OVERRIDE = "sales.discount_percent", "sales.price_override_percent"
_WHOLE = 100 * MICRO


async def check_limits(work: Work, ground: Ground, priced: PricedCart) -> None:
    """Raise ApprovalRequired where discounts or prices by hand go beyond the cashier's limits.

    A line's discount counts against the line as it stood; a discount on the document counts together with those of the
    lines, against the whole. A price by hand counts by its distance from the list price, below or above.
    """
    place, cart = ground.place, ground.cart
    if cart.hand is not None or any(line.hand is not None for line in cart.lines):
        percent = discount_by_hand(ground, priced)
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


def discount_by_hand(ground: Ground, priced: PricedCart) -> int:
    """The largest percentage given by hand, of a line or of the whole, scaled by MICRO and rounded up."""
    cart = ground.cart
    found = []
    off, base = 0, 0
    for line, cost in zip(cart.lines, priced.lines, strict=True):
        own = _taken(cost, "hand", "discount", cart.exponent)
        shared = _taken(cost, "document", "document discount", cart.exponent)
        before = (own or shared or (cost.gross - cost.discount, 0))[0]
        off += sum(taken for _, taken in filter(None, (own, shared)))
        base += before
        if line.hand is not None and own is not None:
            found.append(line.hand.percent if line.hand.percent is not None else _percent(own[1], own[0]))
    if cart.hand is not None:
        alone = cart.hand.percent is not None and not found
        found.append(cart.hand.percent if alone and cart.hand.percent is not None else _percent(off, base))
    return max(found, default=0)


def distance(listed: int, by_hand: int) -> int:
    """How far a price is from another in percent, scaled by MICRO and rounded up; from nothing, it is the whole."""
    return _percent(abs(listed - by_hand), listed)


def _taken(cost: PricedLine, phase: str, rule: str, exponent: int) -> tuple[int, int] | None:
    """(the line's amount before, minor units taken off) of a step by hand."""
    for step in cost.steps:
        if _is(step, phase, rule) and step.before is not None:
            before = parse_amount(step.before, exponent)
            return before, before - parse_amount(step.after, exponent)
    return None


def _is(step: Step, phase: str, rule: str) -> bool:
    return (step.phase, step.plugin, step.rule) == (phase, "sales", rule)


def _percent(part: int, whole: int) -> int:
    if not part:
        return 0
    return -(-part * _WHOLE // whole) if whole else _WHOLE
