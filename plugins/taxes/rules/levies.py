"""What the taxes of a treatment are taken of: exact shares of a line for those its price contains, bases for the rest.

With b the net of a line, p a rate, F an amount per unit: an included tax is p·(b + the included taxes before it that
affect the base), and the line's amount is b with all its included taxes. So each included tax is an exact fraction
of the amount and of the amounts per unit, computed once for a treatment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from kernel.money import MICRO
from plugins.taxes.schemas.values import TaxComponent

HUNDRED = 100 * MICRO


class Unit(NamedTuple):
    """A tax per unit. `weight`: what one unit of it takes of the line's amount, with the percentages taken of it."""

    code: str
    amount_micro: int
    included: bool
    weight: Fraction


class Stripped(NamedTuple):
    """Included percentages that share one rounded figure: a pair of twins (`times` 2), or all others.

    Each is (of_amount · amount + Σ of_units · tax per unit) / whole. `key` names what is rounded together.
    """

    codes: tuple[str, ...]
    times: int
    of_amount: tuple[int, ...]
    of_units: tuple[tuple[int, ...], ...]
    whole: int
    key: tuple[object, ...]


class Added(NamedTuple):
    """A percentage, or a pair of twins, on the net and on the taxes `upon` before it.

    `depth` counts how many taxes are taken of each other below it: what lies deeper is known first.
    """

    codes: tuple[str, ...]
    times: int
    rate: int
    upon: tuple[str, ...]
    depth: int


class Plan(NamedTuple):
    """How the taxes of a treatment are levied: per unit, stripped off the amount, added to the net."""

    units: tuple[Unit, ...]
    stripped: tuple[Stripped, ...]
    added: tuple[Added, ...]
    included: frozenset[str]
    upon: tuple[tuple[str, ...], ...]
    """For each component in order: the taxes that its base contains."""
    deepest: int
    """The greatest depth of what is added; -1 where nothing is."""


@lru_cache(maxsize=1024)
def plan_of(components: tuple[TaxComponent, ...], prices_include_tax: bool) -> Plan:
    """Say how the taxes of a treatment are levied where prices contain tax, or do not."""
    inside = [one for one in components if _is_included(one, prices_include_tax)]
    included = frozenset(one.code for one in inside)
    upon = tuple(_upon(components, place, included) for place in range(len(components)))
    weights, stripped = _strip(inside)
    units = tuple(
        Unit(one.code, one.amount_micro, one.code in included, weights.get(one.code, Fraction(1)))
        for one in components
        if one.kind == "per_unit"
    )
    added = _add(components, included, upon)
    return Plan(units, stripped, added, included, upon, max((one.depth for one in added), default=-1))


def _is_included(component: TaxComponent, prices_include_tax: bool) -> bool:
    return prices_include_tax if component.included is None else component.included


def _upon(components: Sequence[TaxComponent], place: int, included: frozenset[str]) -> tuple[str, ...]:
    """The taxes before it that its base contains: for what is included, included ones only."""
    if components[place].kind == "per_unit":
        return ()
    return tuple(
        one.code
        for one in components[:place]
        if one.affects_base and (components[place].code not in included or one.code in included)
    )


def _strip(inside: Sequence[TaxComponent]) -> tuple[dict[str, Fraction], tuple[Stripped, ...]]:
    """Weights of the taxes per unit by code, and the included percentages as shares of amount and taxes per unit."""
    units = [one.code for one in inside if one.kind == "per_unit"]
    of_net: dict[str, Fraction] = {}
    of_unit: dict[str, list[Fraction]] = {}
    upon_net, upon_unit = Fraction(1), [Fraction(0)] * len(units)
    for one in inside:
        if one.kind == "per_unit":
            net, per_unit = Fraction(0), [Fraction(code == one.code) for code in units]
        else:
            rate = Fraction(one.rate, HUNDRED)
            net, per_unit = rate * upon_net, [rate * each for each in upon_unit]
            of_net[one.code], of_unit[one.code] = net, per_unit
        if one.affects_base:
            upon_net += net
            upon_unit = [have + more for have, more in zip(upon_unit, per_unit, strict=True)]
    whole = 1 + sum(of_net.values())
    heaviness = [1 + sum(parts[place] for parts in of_unit.values()) for place in range(len(units))]
    shares = {
        code: (
            net / whole,
            [part - weight * net / whole for part, weight in zip(of_unit[code], heaviness, strict=True)],
        )
        for code, net in of_net.items()
    }
    weights = {code: Fraction(weight) for code, weight in zip(units, heaviness, strict=True)}
    return weights, tuple(_head(one, shares) for one in _together(inside))


def _together(inside: Sequence[TaxComponent]) -> list[tuple[tuple[str, ...], int]]:
    """Which included percentages share one figure, and how often it is used."""
    percents = [one for one in inside if one.kind == "percent"]
    pairs = [((one.code, one.twin), 2) for one in percents if one.twin is not None and one.code < one.twin]
    singles = tuple(one.code for one in percents if one.twin is None)
    return [*pairs, (singles, 1)] if singles else list(pairs)


def _head(together: tuple[tuple[str, ...], int], shares: dict[str, tuple[Fraction, list[Fraction]]]) -> Stripped:
    codes, times = together
    counted = codes[:1] if times > 1 else codes
    fractions = [each for code in counted for each in (shares[code][0], *shares[code][1])]
    whole = math.lcm(*(each.denominator for each in fractions))
    key = (codes, *((shares[code][0].numerator, shares[code][0].denominator) for code in counted))
    return Stripped(
        codes,
        times,
        tuple(int(shares[code][0] * whole) for code in counted),
        tuple(tuple(int(each * whole) for each in shares[code][1]) for code in counted),
        whole,
        key,
    )


def _add(
    components: Sequence[TaxComponent], included: frozenset[str], upon: Sequence[tuple[str, ...]]
) -> tuple[Added, ...]:
    depths: dict[str, int] = {}
    added = []
    for one, below in zip(components, upon, strict=True):
        if one.kind == "per_unit" or one.code in included:
            continue
        depths[one.code] = 1 + max((depths.get(code, -1) for code in below), default=-1)
        if one.twin is None:
            added.append(Added((one.code,), 1, one.rate, below, depths[one.code]))
        elif one.code < one.twin:
            added.append(Added((one.code, one.twin), 2, one.rate, below, depths[one.code]))
    return tuple(added)
