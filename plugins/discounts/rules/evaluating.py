"""What offers take off a cart: one pure function of the cart, what its lines cost by now, and the offers that run.

Offers on goods come before those on the document, those that come by themselves before those of coupons; among these
the higher priority first, then the older. Each sees what the ones before it left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.money import MICRO, extend, percent_of, round_ratio
from plugins.discounts.rules.sets import Found, Lack, find_sets
from plugins.discounts.rules.shelf import Place, Shelf, agree, by_product
from plugins.discounts.schemas.terms import (
    HUNDRED,
    AmountOff,
    AnyFor,
    Bundle,
    BuyGet,
    CheapestFree,
    NewPrice,
    Offer,
    PercentOff,
    Tier,
    Tiers,
)
from plugins.sales.api import Cart

Units = dict[Place, int]


@dataclass(frozen=True)
class Taken:
    """What an offer takes: pairs of a line and minor units; on the document, its lines (None: all) and nothing else."""

    offer: Offer
    off: tuple[tuple[int, int], ...] = ()
    lines: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Outcome:
    """What every offer does: takes something off, in order, or lacks something."""

    taken: tuple[Taken, ...]
    missed: tuple[tuple[Offer, Lack], ...]


def in_turn(offers: Iterable[Offer]) -> list[Offer]:
    """Offers in the order in which they act."""
    return sorted(
        offers, key=lambda one: (one.terms.is_for_document, bool(one.code), -one.priority, one.id.bytes, one.code)
    )


def evaluate(cart: Cart, amounts: Sequence[int], offers: Iterable[Offer]) -> Outcome:
    """What offers take off a cart whose lines cost `amounts` by now, in minor units. Nothing falls below zero."""
    shelf, taken, missed = Shelf(cart, amounts), list[Taken](), list[tuple[Offer, Lack]]()
    for offer in in_turn(offers):
        done = _act(offer, shelf, cart.exponent)
        if isinstance(done, Lack):
            missed.append((offer, done))
        else:
            taken.append(done)
    return Outcome(tuple(taken), tuple(missed))


def _act(offer: Offer, shelf: Shelf, exponent: int) -> Taken | Lack:
    if offer.closed:
        return Lack("closed", other=offer.closed)
    if offer.terms.is_for_document:
        return _on_document(offer, shelf)
    places = shelf.of(offer.terms.goods)
    found = _unmet(offer, places) or _find(offer, shelf, places, exponent)
    if not isinstance(found, Lack) and not any(found.off.values()):
        found = Lack("cheaper")
    if isinstance(found, Lack):
        return _in_the_way(offer, places) or found
    if offer.spend_left is not None and sum(found.off.values()) > offer.spend_left:
        return Lack("budget")
    for place in {**found.off, **found.used}:
        place.give(offer, found.off.get(place, 0), found.used.get(place, 0))
    return Taken(offer, tuple(sorted((place.line, amount) for place, amount in found.off.items())))


def _unmet(offer: Offer, places: Sequence[Place]) -> Lack | None:
    """What its conditions still want of these lines."""
    when = offer.terms.when
    if not places:
        return Lack("goods")
    if when.least_quantity and (missing := when.least_quantity - sum(place.quantity for place in places)) > 0:
        return Lack("quantity", missing)
    if when.least_amount and (missing := when.least_amount - sum(place.left for place in places)) > 0:
        return Lack("amount", missing)
    return None


def _in_the_way(offer: Offer, places: Sequence[Place]) -> Lack | None:
    """The offer that does not go together with it, if that is why it takes nothing."""
    others = [other for place in places for other in place.acted if not agree(offer, other)]
    return Lack("together", other=others[0].name) if others else None


def _on_document(offer: Offer, shelf: Shelf) -> Taken | Lack:
    """A percentage or an amount off the lines on which it may act; the budget is checked against the most it takes."""
    if lack := _unmet(offer, shelf.places):
        return lack
    places = [place for place in shelf.places if all(agree(offer, other) for other in place.acted)]
    base = sum(place.left for place in places)
    if not base:
        return _in_the_way(offer, shelf.places) or Lack("cheaper")
    effect = offer.terms.effect
    off = percent_of(base, effect.percent) if isinstance(effect, PercentOff) else min(_amount(effect), base)
    if offer.spend_left is not None and off > offer.spend_left:
        return Lack("budget")
    for place in places:
        place.acted.append(offer)
    is_whole = len(places) == len(shelf.places)
    return Taken(offer, lines=None if is_whole else tuple(sorted(place.line for place in places)))


def _amount(effect: object) -> int:
    return effect.amount if isinstance(effect, AmountOff) else 0


def _find(offer: Offer, shelf: Shelf, places: Sequence[Place], exponent: int) -> Found | Lack:
    effect = offer.terms.effect
    if isinstance(effect, BuyGet | AnyFor | CheapestFree | Bundle):
        return find_sets(offer, effect, shelf)
    fitting = [place for place in places if place.takes(offer)]
    if isinstance(effect, Tiers):
        return _by_tiers(effect, fitting, offer.terms.when.most_units, exponent)
    if isinstance(effect, NewPrice):
        fitting = [place for place in fitting if not place.is_pack]
    return Found(
        {
            place: off
            for place, quantity in _counted(fitting, offer.terms.when.most_units).items()
            if (off := _off(effect, place, quantity, exponent))
        }
    )


def _counted(places: Sequence[Place], most_units: int | None) -> Units:
    """How much of each line counts: all of it, or the dearest units of each product up to the most of one sale."""
    if most_units is None:
        return {place: place.quantity for place in places}
    counted: Units = {}
    for some in by_product(places):
        rest = most_units
        for place in sorted(some, key=lambda one: -one.average):
            counted[place] = min(place.quantity, rest)
            rest -= counted[place]
    return counted


def _off(effect: PercentOff | AmountOff | NewPrice, place: Place, quantity: int, exponent: int) -> int:
    """Minor units off a quantity of a line; never more than it costs."""
    base = place.left if quantity == place.quantity else round_ratio(place.left * quantity, place.quantity)
    if isinstance(effect, PercentOff):
        return percent_of(base, effect.percent)
    if isinstance(effect, AmountOff):
        return min(round_ratio(effect.amount * quantity, MICRO), base)
    return max(0, base - extend(quantity, effect.price, exponent))


def _by_tiers(effect: Tiers, places: Sequence[Place], most_units: int | None, exponent: int) -> Found | Lack:
    """The highest tier that each product reaches, or all of them together, for the units that count."""
    loose = [place for place in places if not place.is_pack]
    counted = _counted(loose, most_units)
    found, missing = Found(), list[int]()
    for some in [loose] if effect.together else by_product(loose):
        quantity = sum(place.quantity for place in some)
        reached = [tier for tier in effect.tiers if tier.least <= quantity]
        if not reached:
            missing.append(min(tier.least for tier in effect.tiers) - quantity)
            continue
        effect_of_tier = _of_tier(max(reached, key=lambda tier: tier.least))
        for place in some:
            if off := _off(effect_of_tier, place, counted[place], exponent):
                found.off[place] = off
    return found if found.off or not missing else Lack("quantity", min(missing))


def _of_tier(tier: Tier) -> PercentOff | AmountOff | NewPrice:
    if tier.percent is not None:
        return PercentOff(min(tier.percent, HUNDRED))
    return AmountOff(tier.amount) if tier.amount is not None else NewPrice(tier.price or 0)
