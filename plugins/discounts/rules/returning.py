"""What a return gives back: what the customer's money stood for, less what the goods they keep cost without the rest.

The offers of the sale are worked out again for what is kept: of "buy two, get one free" whoever brings one back has no
free unit any more. Nothing is asked back from the customer, so a return may give nothing; all returns together give
exactly what was paid, in whatever pieces and order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from kernel.money import allocate, percent_of, round_ratio
from plugins.discounts.rules.evaluating import Taken, evaluate
from plugins.discounts.schemas.terms import AmountOff, Offer, PercentOff
from plugins.sales.api import Cart


@dataclass(frozen=True)
class Bought:
    """A sale as it was: its cart, and of each line what was paid and what offers took off it, in minor units.

    offers: those that took something off, open and without a budget. What others took off (a price by hand, a
    discount, another plugin) is in `paid` alone, and each unit bears its share of it.
    """

    cart: Cart
    paid: tuple[int, ...]
    off: tuple[int, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Kept:
    """What a customer still has of each line, scaled by MICRO, and the minor units of their money that stand for it."""

    quantities: tuple[int, ...]
    amounts: tuple[int, ...]

    @property
    def worth(self) -> int:
        """All that was paid and not given back."""
        return sum(self.amounts)


def all_kept(bought: Bought) -> Kept:
    """A sale of which nothing was returned."""
    return Kept(tuple(line.quantity for line in bought.cart.lines), bought.paid)


def after_return(bought: Bought, kept: Kept, returned: Sequence[int]) -> Kept:
    """What is kept once so much of each line was returned; the return gives back by how much `worth` fell.

    By line the difference may be below zero: a line that is kept and lost its offer stands for more from then on, and
    gives that back with its own return. Raises ValueError for more than is kept, or less than nothing.
    """
    quantities = tuple(had - back for had, back in zip(kept.quantities, returned, strict=True))
    if any(back < 0 for back in returned) or any(left < 0 for left in quantities):
        raise ValueError("a return is of what is kept, no more")
    if not any(returned):
        return kept
    return Kept(quantities, tuple(_at_most(kept.worth, _cost(bought, quantities))))


def _cost(bought: Bought, quantities: Sequence[int]) -> list[int]:
    """What each line would have cost had only this been bought."""
    left = [
        _share(paid + off, line.quantity, quantity)
        for line, paid, off, quantity in zip(bought.cart.lines, bought.paid, bought.off, quantities, strict=True)
    ]
    here = [place for place, quantity in enumerate(quantities) if quantity]
    lines = [
        replace(bought.cart.lines[place], line=number, quantity=quantities[place])
        for number, place in enumerate(here, 1)
    ]
    cart = replace(bought.cart, lines=tuple(lines))
    amounts = [left[place] for place in here]
    for taken in evaluate(cart, amounts, bought.offers).taken:
        _take_off(taken, cart, amounts)
    for place, amount in zip(here, amounts, strict=True):
        left[place] = amount
    return left


def _at_most(worth: int, amounts: list[int]) -> list[int]:
    """Goods that lost their offer may cost more than was paid for all: they stand for that, each for its share."""
    return allocate(worth, amounts) if sum(amounts) > worth else amounts


def _share(amount: int, quantity: int, kept: int) -> int:
    """The part of an amount that stands for what is kept; what was returned is rounded, as each return was."""
    return amount - round_ratio(amount * (quantity - kept), quantity)


def _take_off(taken: Taken, cart: Cart, amounts: list[int]) -> None:
    """Take an offer off the amounts, as sales does."""
    for number, off in taken.off:
        amounts[number - 1] -= off
    effect = taken.offer.terms.effect
    if taken.off or not isinstance(effect, PercentOff | AmountOff):
        return
    chosen = [line for line in cart.lines if taken.lines is None or line.line in taken.lines]
    chosen.sort(key=lambda line: (line.product_id.bytes, line.quantity, amounts[line.line - 1], line.line))
    base = sum(amounts[line.line - 1] for line in chosen)
    off = percent_of(base, effect.percent) if isinstance(effect, PercentOff) else min(effect.amount, base)
    for line, share in zip(chosen, allocate(off, [amounts[line.line - 1] for line in chosen]), strict=True):
        amounts[line.line - 1] -= share
