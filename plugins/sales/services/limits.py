"""What a cashier may do alone: discounts and prices by hand as far as their role reaches, and nothing below cost."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from kernel.money import extend, format_micro, format_price
from kernel.work import Ask, Work, need_approval, reaches
from plugins.sales.rules.by_cost import Costed, below_cost
from plugins.sales.rules.by_hand import discount_by_hand, distance, together
from plugins.sales.schemas.settings import Settings
from plugins.sales.schemas.values import PricedCart
from plugins.sales.services.ground import Ground, base_quantity

DISCOUNT, OVERRIDE, BELOW_COST = "sales.discount_percent", "sales.price_override_percent", "sales.below_cost"
NAMED = 2
"""Goods that are named of those below cost; the others are counted."""


class Asked(Struct, frozen=True):
    """What a sale asks of a person's role, and the lines it is about."""

    ask: Ask
    lines: tuple[int, ...]


async def check_limits(work: Work, ground: Ground, priced: PricedCart) -> None:
    """Raise ApprovalRequired where a sale goes beyond what its person may do alone, see `asked_of`."""
    for one in await asked_of(work, ground, priced):
        ask = one.ask
        await need_approval(
            work,
            ask.action,
            ask.amount,
            words=ask.words,
            location_id=ask.location_id,
            register_id=ask.register_id,
        )


async def needed_approvals(work: Work, ground: Ground, priced: PricedCart) -> list[Asked]:
    """What the person would be asked an approval for if the cart were sold now."""
    asked = await asked_of(work, ground, priced)
    return [one for one in asked if not reaches(work.actor, one.ask.action, one.ask.amount)]


async def asked_of(work: Work, ground: Ground, priced: PricedCart) -> list[Asked]:
    """What a sale asks of whoever sells, each action once, as far as its furthest line goes.

    A line's discount counts against the line as it stood; a discount on the document counts together with those of the
    lines, against the whole. A price by hand counts by its distance from the list price, below or above. Where a line
    has both, what they take together may not be more than what the person may give by the one that reaches further.
    Goods below cost are a permission, not a figure: how far below would tell what they cost.
    """
    both = [
        together(line, cost, ground.cart.exponent) for line, cost in zip(ground.cart.lines, priced.lines, strict=True)
    ]
    by_price = max(both, default=0) > 0 and _reaches_further_by_price(work)
    below = (await work.settings(Settings, ground.place.location_id)).below_cost
    found = [*_discounts(ground, priced, both, by_price), *_overrides(ground, both, by_price)]
    return found if below == "allow" else [*found, *_below_cost(ground, priced, by_hand_only=below == "ask_by_hand")]


def _discounts(ground: Ground, priced: PricedCart, both: list[int], by_price: bool) -> Iterator[Asked]:
    cart = ground.cart
    given = tuple(line.line for line in cart.lines if line.hand is not None or cart.hand is not None)
    if given:
        percent = max(discount_by_hand(cart, priced), 0 if by_price else max(both, default=0))
        yield _asked(ground, DISCOUNT, percent, f"{format_micro(percent)} % off by hand", given)


def _overrides(ground: Ground, both: list[int], by_price: bool) -> Iterator[Asked]:
    set_by_hand = [
        (max(distance(line.list_price, line.override.unit_price), with_discounts if by_price else 0), line)
        for line, with_discounts in zip(ground.cart.lines, both, strict=True)
        if line.override is not None
    ]
    if set_by_hand:
        percent, line = max(set_by_hand, key=lambda one: one[0])
        assert line.override is not None  # noqa: S101 - as chosen
        prices = (line.list_price, line.override.unit_price)
        shown, by_hand = (format_price(one, ground.cart.exponent) for one in prices)
        more = _and_more(len(set_by_hand) - 1)
        lines = tuple(one.line for _, one in set_by_hand)
        yield _asked(ground, OVERRIDE, percent, f"{line.name} for {by_hand} instead of {shown}{more}", lines)


def _below_cost(ground: Ground, priced: PricedCart, *, by_hand_only: bool) -> Iterator[Asked]:
    cart = ground.cart
    costed = [
        Costed(
            line.line,
            line.product_id,
            cost.net,
            None if good.cost_price is None else extend(base_quantity(line, good), good.cost_price, cart.exponent),
            cart.hand is not None or line.hand is not None or line.override is not None,
        )
        for line, cost, good in zip(cart.lines, priced.lines, ground.goods, strict=True)
    ]
    if goods := below_cost(costed, by_hand_only=by_hand_only):
        names = ", ".join(cart.lines[lines[0] - 1].name for lines in goods[:NAMED])
        words = f"{names}{_and_more(len(goods) - NAMED)} below cost"
        yield _asked(ground, BELOW_COST, None, words, tuple(sorted(line for lines in goods for line in lines)))


def _asked(ground: Ground, action: str, amount: int | None, words: str, lines: tuple[int, ...]) -> Asked:
    place = ground.place
    words = f"{words} at {place.location_name}"
    return Asked(Ask(action, amount, words, place.location_id, place.register_id), lines)


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _reaches_further_by_price(work: Work) -> bool:
    """Whether the person may give more by a price of their own than by a discount."""
    discount, override = work.actor.limit(DISCOUNT), work.actor.limit(OVERRIDE)
    return override is None or (discount is not None and override > discount)
