"""How much a cashier gives away by hand: of each line, of the whole, and by prices of their own."""

from __future__ import annotations

from kernel.money import extend, parse_amount
from plugins.sales.schemas.values import HUNDRED_PERCENT, Cart, Line, PricedCart, PricedLine, Step


def discount_by_hand(cart: Cart, priced: PricedCart) -> int:
    """The largest percentage given by hand, of a line or of the whole, scaled by MICRO and rounded up."""
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


def together(line: Line, cost: PricedLine, exponent: int) -> int:
    """What a line loses of its list price by a price by hand and discounts by hand together, in percent.

    Scaled by MICRO and rounded up; 0 for a line without both. A price above the list price makes no room for discounts.
    """
    if line.override is None:
        return 0
    steps = _taken(cost, "hand", "discount", exponent), _taken(cost, "document", "document discount", exponent)
    off = sum(taken for _, taken in filter(None, steps))
    if not off:
        return 0
    listed, by_hand = (extend(line.quantity, one, exponent) for one in (line.list_price, line.override.unit_price))
    return _percent(max(0, listed - by_hand) + off, max(listed, by_hand))


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
    return -(-part * HUNDRED_PERCENT // whole) if whole else HUNDRED_PERCENT
