"""A cart at work: what is left of each line, which units are used up, and which offers have acted where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from uuid import UUID

from kernel.money import MICRO, round_ratio
from plugins.discounts.schemas.terms import HUNDRED, Goods, Offer
from plugins.sales.api import Cart


@dataclass(slots=True, eq=False)
class Place:
    """One line at work.

    left: minor units it costs by now; used: whole units that belong to a set already, and in_sets what of `left` is
    theirs.
    """

    line: int
    product_id: UUID
    quantity: int
    left: int
    is_pack: bool
    used: int = 0
    in_sets: int = 0
    acted: list[Offer] = field(default_factory=list)

    @property
    def units(self) -> int:
        """Whole units that belong to no set yet. Packs and parts of a unit never do."""
        return 0 if self.is_pack else self.quantity // MICRO - self.used

    @property
    def price(self) -> Fraction:
        """What a unit that belongs to no set costs by now, exactly, in minor units."""
        return Fraction((self.left - self.in_sets) * MICRO, self.quantity - self.used * MICRO)

    @property
    def average(self) -> Fraction:
        """What a unit of the line costs by now, whether it belongs to a set or not."""
        return Fraction(self.left * MICRO, self.quantity)

    def worth(self, units: int, percent: int = HUNDRED) -> int:
        """What a percentage of some units that belong to no set comes to, in minor units, rounded once."""
        rest = self.quantity - self.used * MICRO
        return round_ratio((self.left - self.in_sets) * units * percent, rest * 100)

    def takes(self, offer: Offer) -> bool:
        """Whether an offer may act here: there is something left, and all that acted before agree, and it with them."""
        return self.left > 0 and all(agree(offer, other) for other in self.acted)

    def joins_sets(self, offer: Offer) -> bool:
        """Whether some of its units may become part of a set."""
        return self.units > 0 and self.left > self.in_sets and self.takes(offer)

    def give(self, offer: Offer, off: int, units: int) -> None:
        """Take minor units off; units: as many belong to a set from now on."""
        if units:
            self.in_sets += self.worth(units) - off
            self.used += units
        elif self.in_sets:
            self.in_sets = round_ratio(self.in_sets * (self.left - off), self.left)
        self.left -= off
        self.acted.append(offer)


def agree(one: Offer, other: Offer) -> bool:
    """Whether two offers go together: neither is exclusive, and each names the other's label, or none."""
    if one.exclusive or other.exclusive:
        return False
    return _permits(one, other) and _permits(other, one)


def _permits(one: Offer, other: Offer) -> bool:
    return one.terms.joins is None or other.terms.label in one.terms.joins


class Shelf:
    """All lines of a cart, always in one order, whichever way they were scanned; found by what an offer is for."""

    def __init__(self, cart: Cart, amounts: Sequence[int]) -> None:
        made = [
            (Place(line.line, line.product_id, line.quantity, amount, line.pack is not None), line)
            for line, amount in zip(cart.lines, amounts, strict=True)
        ]
        made.sort(key=lambda pair: (pair[0].product_id.bytes, pair[0].quantity, pair[0].left, pair[0].line))
        self.places = [place for place, _ in made]
        self._found: dict[UUID | str, list[int]] = {}
        for index, (_, line) in enumerate(made):
            keys: set[UUID | str] = {line.product_id, *line.category_ids, *line.tags}
            if line.brand_id:
                keys.add(line.brand_id)
            for key in keys:
                self._found.setdefault(key, []).append(index)

    def of(self, goods: Goods | None) -> list[Place]:
        """The lines of some goods, in order; of all if none are named."""
        if goods is None:
            return self.places
        named: tuple[UUID | str, ...] = (*goods.product_ids, *goods.category_ids, *goods.brand_ids, *goods.tags)
        if len(named) == 1:
            return [self.places[index] for index in self._found.get(named[0], ())]
        return [self.places[index] for index in sorted({i for key in named for i in self._found.get(key, ())})]


def by_product(places: Iterable[Place]) -> list[list[Place]]:
    """Lines with those of the same product beside each other."""
    found: dict[UUID, list[Place]] = {}
    for place in places:
        found.setdefault(place.product_id, []).append(place)
    return list(found.values())
