"""Offers on sets of units: so many together, some of them for less. A unit belongs to one set only.

Units are never counted one by one: a line of a million is one run. Where there is a choice the dearest units pay and
the cheapest are given away, which no order of scanning changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from kernel.money import allocate, percent_of
from plugins.discounts.rules.shelf import Place, Shelf, by_product
from plugins.discounts.schemas.terms import AnyFor, Bundle, BuyGet, CheapestFree, Goods, Offer, Sets

Units = dict[Place, int]


@dataclass(frozen=True)
class Lack:
    """Why an offer takes nothing off. number: units or minor units that are missing. other: who stands in its way."""

    why: str
    number: int = 0
    other: str = ""


@dataclass
class Found:
    """What an offer takes off each line, and the units of its sets."""

    off: Units = field(default_factory=dict)
    used: Units = field(default_factory=dict)

    def add(self, off: Units, *used: Units) -> None:
        """One more set, or some."""
        for place, amount in off.items():
            self.off[place] = self.off.get(place, 0) + amount
        for units in used:
            for place, count in units.items():
                self.used[place] = self.used.get(place, 0) + count


def find_sets(offer: Offer, effect: Sets, shelf: Shelf) -> Found | Lack:
    """The sets of an offer in a cart, as many as there are."""
    goods = offer.terms.goods
    if isinstance(effect, Bundle):
        return _bundle(effect, {part.product_id: _free(shelf, offer, part.product_id) for part in effect.parts})
    places = [place for place in shelf.of(goods) if place.joins_sets(offer)]
    if isinstance(effect, AnyFor):
        return _any_for(effect, places)
    if isinstance(effect, CheapestFree):
        return _cheapest_free(effect, places)
    if effect.gets is None:
        return _of_the_same(effect, places)
    others = [place for place in shelf.of(effect.gets) if place.joins_sets(offer)]
    return _others_for_less(effect, places, others)


def dearest_first(places: Iterable[Place]) -> list[Place]:
    """By what a unit costs by now; of equals the first of the shelf."""
    return sorted(places, key=lambda place: -place.price)


def _free(shelf: Shelf, offer: Offer, product_id: object) -> list[Place]:
    goods = Goods(product_ids=(product_id,))  # type: ignore[arg-type]
    return [place for place in shelf.of(goods) if place.joins_sets(offer)]


def _sets(count: int, size: int, most: int | None) -> int:
    return count // size if most is None else min(count // size, most)


def _count(places: Iterable[Place]) -> int:
    return sum(place.units for place in places)


def _take(places: Iterable[Place], wanted: int, without: Units | None = None) -> Units:
    """The first units of some lines, in their order; `without`: units that are spoken for."""
    taken: Units = {}
    for place in places:
        count = min(wanted, place.units - (without or {}).get(place, 0))
        if count > 0:
            taken[place] = count
            wanted -= count
    return taken


def _reduced(units: Units, percent: int) -> Units:
    """A percentage off some units; rounded once for each line."""
    return {place: off for place, count in units.items() if (off := place.worth(count, percent))}


def _of_the_same(effect: BuyGet, places: Sequence[Place]) -> Found | Lack:
    """Of each product by itself, so many are paid for and so many cost less."""
    found, size, rest = Found(), effect.buy + effect.get, effect.most_sets
    nearest = size
    for some in by_product(places):
        count = _count(some)
        sets = _sets(count, size, rest)
        nearest = min(nearest, size - count % size)
        if sets:
            dear = dearest_first(some)
            given = _take(reversed(dear), sets * effect.get)
            found.add(_reduced(given, effect.percent), given, _take(dear, sets * effect.buy))
            rest = None if rest is None else rest - sets
    return found if found.used else Lack("units", nearest)


def _others_for_less(effect: BuyGet, buys: list[Place], gets: list[Place]) -> Found | Lack:
    """Who buys of some goods gets of others; a unit of both kinds is one or the other."""
    ours = set(buys)
    both = [place for place in gets if place in ours]
    shared = _count(both)
    n_buys, n_gets = _count(buys), _count(gets)
    sets = min(
        _sets(n_buys, effect.buy, effect.most_sets),
        n_gets // effect.get,
        (n_buys + n_gets - shared) // (effect.buy + effect.get),
    )
    if not sets:
        paid = max(0, effect.buy - n_buys)
        return Lack("units", paid) if paid else Lack("gets", effect.get - max(0, n_gets - min(shared, effect.buy)))
    may_give = n_buys - sets * effect.buy
    given: Units = {}
    wanted = sets * effect.get
    for place in reversed(dearest_first(gets)):
        count = min(wanted, place.units if place not in ours else min(place.units, may_give))
        if count:
            given[place] = count
            wanted -= count
            may_give -= count if place in ours else 0
    theirs = set(both)
    order = [place for place in dearest_first(buys) if place not in theirs] + dearest_first(both)
    found = Found()
    found.add(_reduced(given, effect.percent), given, _take(order, sets * effect.buy, given))
    return found


def _cheapest_free(effect: CheapestFree, places: Sequence[Place]) -> Found | Lack:
    count = _count(places)
    sets = _sets(count, effect.count, effect.most_sets)
    if not sets:
        return Lack("units", effect.count - count)
    dear = dearest_first(places)
    given = _take(reversed(dear), sets * effect.free)
    found = Found()
    found.add(_reduced(given, effect.percent), given, _take(dear, sets * (effect.count - effect.free)))
    return found


def _any_for(effect: AnyFor, places: Sequence[Place]) -> Found | Lack:
    """The dearest units make the first set, the next the second, as long as a set costs more than its price."""
    count = _count(places)
    if count < effect.count:
        return Lack("units", effect.count - count)
    dear = dearest_first(places)
    sets = _worthwhile(effect, dear, _sets(count, effect.count, effect.most_sets))
    used = _take(dear, sets * effect.count)
    return _spread(used, sets * effect.amount)


def _worthwhile(effect: AnyFor, dear: list[Place], most: int) -> int:
    """How many sets cost more than their price. The sets of one run are alike, so each run is looked at once."""
    sets, missing, cost = 0, effect.count, Fraction(0)
    for place in dear:
        units, price = place.units, place.price
        while units and sets < most:
            if missing == effect.count and units >= effect.count:
                if price * effect.count <= effect.amount:
                    return sets
                whole = min(units // effect.count, most - sets)
                sets, units = sets + whole, units - whole * effect.count
                continue
            taken = min(units, missing)
            units, missing, cost = units - taken, missing - taken, cost + taken * price
            if not missing:
                if cost <= effect.amount:
                    return sets
                sets, missing, cost = sets + 1, effect.count, Fraction(0)
    return sets


def _bundle(effect: Bundle, places: dict[object, list[Place]]) -> Found | Lack:
    sets = min(_sets(_count(places[part.product_id]), part.count, effect.most_sets) for part in effect.parts)
    if not sets:
        here = [max(0, part.count - _count(places[part.product_id])) for part in effect.parts]
        some = any(places.values())
        return Lack("units", sum(here)) if some else Lack("goods")
    used: Units = {}
    for part in effect.parts:
        used |= _take(dearest_first(places[part.product_id]), sets * part.count)
    if effect.percent is not None:
        worth = sum(place.worth(n) for place, n in used.items())
        return _spread(used, worth - percent_of(worth, effect.percent))
    return _spread(used, sets * (effect.amount or 0))


def _spread(used: Units, price: int) -> Found | Lack:
    """What some units cost more than a price, off their lines by largest remainder."""
    worth = {place: place.worth(count) for place, count in used.items()}
    places = sorted(used, key=lambda place: (place.product_id.bytes, place.quantity, place.left, place.line))
    off = sum(worth.values()) - price
    if off <= 0:
        return Lack("cheaper")
    found = Found()
    shares = allocate(off, [worth[place] for place in places])
    found.add({place: share for place, share in zip(places, shares, strict=True) if share}, used)
    return found
