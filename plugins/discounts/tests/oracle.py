"""What offers take off a cart, worked out apart from Duka: unit by unit, in fractions, without any of its rules.

Every whole unit of a line is a thing of its own here. Only sensible for small quantities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from plugins.discounts.schemas.terms import (
    AmountOff,
    AnyFor,
    Bundle,
    BuyGet,
    CheapestFree,
    Goods,
    NewPrice,
    Offer,
    PercentOff,
    Tier,
    Tiers,
)
from plugins.sales.api import Cart, Line

MICRO, PERCENT = 10**6, 100 * 10**6


def nearest(value: Fraction) -> int:
    """Half up; nothing here is below zero."""
    return math.floor(value + Fraction(1, 2))


def shared(total: int, weights: Sequence[int]) -> list[int]:
    """Shares by largest remainder; of equals the first takes the unit."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    found = [math.floor(one) for one in exact]
    for at in sorted(range(len(exact)), key=lambda at: (found[at] - exact[at], at))[: total - sum(found)]:
        found[at] += 1
    return found


@dataclass
class Row:
    """A line: what it costs, what of it belongs to sets, how many units do."""

    line: Line
    left: int
    locked: int = 0
    in_sets: int = 0
    acted: list[Offer] = field(default_factory=list)

    @property
    def loose(self) -> int:
        return self.line.quantity // MICRO - self.in_sets

    @property
    def each(self) -> Fraction:
        return (self.left - self.locked) / (Fraction(self.line.quantity, MICRO) - self.in_sets)


def taken_off(cart: Cart, offers: Sequence[Offer]) -> list[int]:
    """What each line costs in the end, in minor units."""
    rows = [
        Row(line, nearest(Fraction(line.quantity * line.list_price, MICRO * MICRO) * 10**cart.exponent))
        for line in cart.lines
    ]
    ordered = sorted(rows, key=lambda row: (row.line.product_id, row.line.quantity, row.left, row.line.line))
    whole = [one for one in offers if one.terms.goods is None and isinstance(one.terms.effect, PercentOff | AmountOff)]
    for offer in sorted(offers, key=lambda one: (-one.priority, one.id)):
        if offer not in whole:
            _apply(offer, ordered)
    basket = sum(row.left for row in rows)
    for offer in sorted(whole, key=lambda one: (-one.priority, one.id)):
        if basket >= offer.terms.when.least_amount:
            _whole(offer, ordered)
    return [row.left for row in rows]


def _with(offer: Offer, row: Row) -> bool:
    for other in row.acted:
        if offer.exclusive or other.exclusive:
            return False
        for one, another in ((offer, other), (other, offer)):
            if one.terms.joins is not None and another.terms.label not in one.terms.joins:
                return False
    return True


def _on(goods: Goods | None, rows: list[Row]) -> list[Row]:
    if goods is None:
        return rows
    named = {*goods.product_ids, *goods.category_ids, *goods.brand_ids, *goods.tags}
    return [r for r in rows if named & {r.line.product_id, *r.line.category_ids, r.line.brand_id, *r.line.tags}]


def _whole(offer: Offer, rows: list[Row]) -> None:
    effect = offer.terms.effect
    mine = [row for row in rows if _with(offer, row)]
    base = sum(row.left for row in mine)
    if not base:
        return
    if isinstance(effect, PercentOff):
        off = nearest(Fraction(base * effect.percent, PERCENT))
    else:
        off = min(effect.amount, base) if isinstance(effect, AmountOff) else 0
    mine.sort(key=lambda row: (row.line.product_id, row.line.quantity, row.left, row.line.line))
    for row, share in zip(mine, shared(off, [row.left for row in mine]), strict=True):
        row.left -= share
        row.acted.append(offer)


def _apply(offer: Offer, rows: list[Row]) -> None:
    effect, when = offer.terms.effect, offer.terms.when
    mine = _on(offer.terms.goods, rows)
    if not isinstance(effect, Bundle):
        if sum(row.line.quantity for row in mine) < when.least_quantity:
            return
        if sum(row.left for row in mine) < when.least_amount:
            return
    mine = [row for row in mine if row.left > 0 and _with(offer, row)]
    if isinstance(effect, BuyGet | AnyFor | CheapestFree | Bundle):
        _sets(offer, mine, rows)
        return
    for row, count in _counting(mine, when.most_units):
        off = _off(effect, row, mine, count)
        if off:
            if row.locked:
                row.locked = nearest(Fraction(row.locked * (row.left - off), row.left))
            row.left -= off
            row.acted.append(offer)


def _counting(rows: list[Row], most: int | None) -> list[tuple[Row, int]]:
    """The lines, and how much of each counts: of each product the dearest up to the most of a sale."""
    left: dict[object, int] = {}
    counts = {}
    for row in sorted(rows, key=lambda row: -Fraction(row.left, row.line.quantity)):
        rest = left.setdefault(row.line.product_id, row.line.quantity if most is None else most)
        counts[id(row)] = row.line.quantity if most is None else min(row.line.quantity, rest)
        left[row.line.product_id] = rest - counts[id(row)]
    return [(row, counts[id(row)]) for row in rows]


def _off(effect: PercentOff | AmountOff | NewPrice | Tiers, row: Row, mine: list[Row], counted: int) -> int:
    quantity = Fraction(counted, MICRO)
    if isinstance(effect, Tiers):
        alike = [r for r in mine if effect.together or r.line.product_id == row.line.product_id]
        count = sum(r.line.quantity for r in alike)
        reached = [tier for tier in effect.tiers if tier.least <= count]
        return _off(_plain(reached[-1]), row, mine, counted) if reached else 0
    base = nearest(Fraction(row.left * counted, row.line.quantity))
    if isinstance(effect, PercentOff):
        return nearest(Fraction(base * effect.percent, PERCENT))
    if isinstance(effect, AmountOff):
        return min(base, nearest(effect.amount * quantity))
    return max(0, base - nearest(quantity * Fraction(effect.price, MICRO) * 100))


def _plain(tier: Tier) -> PercentOff | AmountOff | NewPrice:
    if tier.percent is not None:
        return PercentOff(tier.percent)
    return AmountOff(tier.amount) if tier.amount is not None else NewPrice(tier.price or 0)


Unit = Row
"""A unit is the line it belongs to, as often as there are such units."""


def _units(rows: list[Row]) -> list[Unit]:
    """Loose units, the dearest first."""
    found = [row for row in rows if row.left > row.locked for _ in range(row.loose)]
    return sorted(found, key=lambda row: -row.each)


def _worth(row: Row, count: int, percent: int = PERCENT) -> int:
    return nearest(row.each * count * Fraction(percent, PERCENT))


def _close(offer: Offer, off: dict[int, int], sets: list[Unit], rows: list[Row]) -> None:
    """Book a set: what comes off, and which units belong to it."""
    if not sum(off.values()):
        return
    for row in rows:
        count = sum(1 for unit in sets if unit is row)
        if count:
            row.locked += _worth(row, count) - off.get(id(row), 0)
            row.left -= off.get(id(row), 0)
            row.in_sets += count
            row.acted.append(offer)


def _counts(units: list[Unit]) -> dict[int, tuple[Row, int]]:
    return {id(unit): (unit, sum(1 for other in units if other is unit)) for unit in units}


def _sets(offer: Offer, mine: list[Row], rows: list[Row]) -> None:
    effect = offer.terms.effect
    if isinstance(effect, BuyGet):
        free, paid = _buy_get(effect, offer, mine, rows)
        off = {key: _worth(row, count, effect.percent) for key, (row, count) in _counts(free).items()}
        _close(offer, off, free + paid, rows)
        return
    if isinstance(effect, CheapestFree):
        units = _units(mine)
        sets = min(len(units) // effect.count, effect.most_sets or len(units))
        free = units[::-1][: sets * effect.free]
        paid = units[: sets * (effect.count - effect.free)]
        off = {key: _worth(row, count, effect.percent) for key, (row, count) in _counts(free).items()}
        _close(offer, off, free + paid, rows)
        return
    used, price = _together(effect, offer, mine, rows)  # type: ignore[arg-type]
    worth = [(row, _worth(row, count)) for row, count in _counts(used).values()]
    worth.sort(key=lambda one: (one[0].line.product_id, one[0].line.quantity, one[0].left, one[0].line.line))
    total = sum(each for _, each in worth)
    if isinstance(effect, Bundle) and effect.percent is not None:
        price = total - nearest(Fraction(total * effect.percent, PERCENT))
    if total > price:
        shares = shared(total - price, [each for _, each in worth])
        _close(offer, {id(row): share for (row, _), share in zip(worth, shares, strict=True)}, used, rows)


def _together(effect: AnyFor | Bundle, offer: Offer, mine: list[Row], rows: list[Row]) -> tuple[list[Unit], int]:
    used: list[Unit] = []
    sets = 0
    if isinstance(effect, AnyFor):
        units = _units(mine)
        most = effect.most_sets or len(units)
        while len(units) >= effect.count and sets < most:
            some, units = units[: effect.count], units[effect.count :]
            if sum(unit.each for unit in some) <= effect.amount:
                break
            used, sets = used + some, sets + 1
        return used, sets * effect.amount
    piles = [
        _units([r for r in rows if r.line.product_id == part.product_id and r.left > 0 and _with(offer, r)])
        for part in effect.parts
    ]
    while all(len(pile) >= part.count for pile, part in zip(piles, effect.parts, strict=True)):
        if sets == effect.most_sets:
            break
        for pile, part in zip(piles, effect.parts, strict=True):
            used += [pile.pop(0) for _ in range(part.count)]
        sets += 1
    return used, sets * (effect.amount or 0)


def _buy_get(effect: BuyGet, offer: Offer, mine: list[Row], rows: list[Row]) -> tuple[list[Unit], list[Unit]]:
    free: list[Unit] = []
    paid: list[Unit] = []
    if effect.gets is None:
        rest = effect.most_sets if effect.most_sets is not None else 10**9
        for product in dict.fromkeys(row.line.product_id for row in mine):
            units = _units([row for row in mine if row.line.product_id == product])
            sets = min(rest, len(units) // (effect.buy + effect.get))
            rest -= sets
            free += units[::-1][: sets * effect.get]
            paid += units[: sets * effect.buy]
        return free, paid
    others = [row for row in _on(effect.gets, rows) if row.left > 0 and _with(offer, row)]
    buys, gets = _units(mine), _units(others)
    for sets in range(min(len(buys), effect.most_sets or len(buys)), 0, -1):
        found = _split(buys, gets, sets * effect.buy, sets * effect.get)
        if found:
            return found
    return [], []


def _split(buys: list[Unit], gets: list[Unit], paid: int, given: int) -> tuple[list[Unit], list[Unit]] | None:
    """The cheapest units of `gets` that leave enough to buy."""
    ours = {id(unit) for unit in buys}
    spare = len(buys) - paid
    free: list[Unit] = []
    for unit in reversed(gets):
        if len(free) < given and (id(unit) not in ours or spare > 0):
            free.append(unit)
            spare -= id(unit) in ours
    rest = list(buys)
    for unit in free:
        if id(unit) in ours:
            rest.pop(next(at for at, one in enumerate(rest) if one is unit))
    theirs = {id(unit) for unit in gets}
    rest.sort(key=lambda unit: id(unit) in theirs)
    return (free, rest[:paid]) if spare >= 0 and len(free) == given and len(rest) >= paid else None
