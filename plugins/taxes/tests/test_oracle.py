"""Tax against an oracle of exact fractions, written another way: the net is found by drawing a straight line."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from fractions import Fraction

import pytest

from kernel.money import MICRO, parse_micro
from plugins.taxes.rules import tax
from plugins.taxes.schemas.values import Rounding, TaxableLine, TaxComponent, TaxedLine, TaxPolicy, Treatment

_RATES = ["0", "0.25", "1.5", "2.5", "3", "5", "8", "9", "12.5", "14", "16", "18", "20", "28", "40"]


def cases(count: int, seed: int) -> Iterator[tuple[TaxPolicy, list[TaxableLine]]]:
    """Documents with every mixture of taxes, by chance."""
    chance = random.Random(seed)
    for _ in range(count):
        treatments = [_treatment(chance) for _ in range(chance.randint(1, 2))]
        most = chance.choice([30, 10_000, 10**8])
        lines = [
            TaxableLine(chance.randint(0, most), chance.randint(1, 5 * MICRO), chance.choice(treatments))
            for _ in range(chance.randint(1, 5))
        ]
        rounding: Rounding = chance.choice(["line", "document"])
        yield TaxPolicy(chance.random() < 0.5, rounding, chance.choice([0, 2, 3])), lines


def _treatment(chance: random.Random) -> Treatment:
    taxes, pair_at = [], chance.choice([None, None, 0, 1])
    for place, code in enumerate("ABCD"[: chance.randint(0, 4)]):
        included, affects = chance.choice([None, None, True, False]), chance.random() < 0.4
        if place == pair_at:
            rate, twins = parse_micro(chance.choice(_RATES)), (f"{code}1", f"{code}2")
            taxes += [TaxComponent(one, rate, "percent", 0, two, included) for one, two in (twins, twins[::-1])]
        elif chance.random() < 0.2:
            per_unit = chance.randint(0, 2 * MICRO)
            taxes.append(TaxComponent(code, 0, "per_unit", per_unit, None, included, affects))
        else:
            rate = parse_micro(chance.choice(_RATES))
            taxes.append(TaxComponent(code, rate, "percent", 0, None, included, affects))
    return Treatment(None, "Mixed", "standard", tuple(taxes))


def half_up(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


def exact_taxes(line: TaxableLine, policy: TaxPolicy, per_unit: dict[str, int]) -> dict[str, Fraction]:
    """Each included tax of a line as an exact fraction: the net at which the taxes upon it make the amount."""
    inside = [one for one in line.treatment.components if _inside(one, policy)]

    def upon(net: Fraction) -> dict[str, Fraction]:
        found: dict[str, Fraction] = {}
        base = net
        for one in inside:
            flat = one.kind == "per_unit"
            found[one.code] = Fraction(per_unit[one.code]) if flat else base * Fraction(one.rate, 100 * MICRO)
            base += found[one.code] if one.affects_base else 0
        return found

    at_none, at_one = (sum(upon(Fraction(net)).values(), Fraction(net)) for net in (0, 1))
    return upon((line.amount - at_none) / (at_one - at_none))


def _inside(one: TaxComponent, policy: TaxPolicy) -> bool:
    return policy.prices_include_tax if one.included is None else one.included


def faults(policy: TaxPolicy, lines: list[TaxableLine]) -> list[str]:
    """What is wrong with the taxes of a document."""
    answers = tax(lines, policy)
    found: list[str] = []
    sums: dict[str, tuple[int, Fraction]] = {}
    clipped = False
    for line, answer in zip(lines, answers, strict=True):
        parts = {part.code: part for part in answer.components}
        inside = {one.code for one in line.treatment.components if _inside(one, policy)}
        if answer.net + answer.tax != answer.total or sum(part.amount for part in parts.values()) != answer.tax:
            found.append("net and tax make no total")
        if answer.net + sum(parts[code].amount for code in inside) != line.amount:
            found.append("the amount is not the net with what it contains")
        if answer.net < 0 or any(part.amount < 0 for part in parts.values()):
            found.append("something is negative")
        if any(parts[one.code].amount != parts[one.twin].amount for one in line.treatment.components if one.twin):
            found.append("twins differ")
        owed = {
            one.code: half_up(Fraction(line.quantity * one.amount_micro * 10**policy.exponent, MICRO**2))
            for one in line.treatment.components
            if one.kind == "per_unit"
        }
        flat = {code: parts[code].amount for code in owed}
        exact = exact_taxes(line, policy, flat)
        if any(have > owed[code] for code, have in flat.items()):
            found.append("more than is owed per unit")
        cut = any(flat[code] < owed[code] for code in owed)
        tight = cut or line.amount < 60
        clipped = clipped or tight
        if not tight and policy.rounding == "line":
            found += _line_faults(line, answer, exact, inside)
        singles = sorted(one.code for one in line.treatment.components if one.code in exact and _is_single(one))
        name = f"{line.treatment.components}{singles}"
        have, want = sums.get(name, (0, Fraction(0)))
        sums[name] = (
            have + sum(parts[code].amount for code in singles),
            want + sum((exact[code] for code in singles), Fraction(0)),
        )
    alone = len({line.treatment.components for line in lines}) == 1
    if policy.rounding == "document" and alone and not clipped:
        found += [f"document: {have} for {want}" for have, want in sums.values() if have != half_up(want)]
    return found


def _is_single(one: TaxComponent) -> bool:
    return one.kind == "percent" and one.twin is None


def _line_faults(line: TaxableLine, answer: TaxedLine, exact: dict[str, Fraction], inside: set[str]) -> Iterator[str]:
    parts = {part.code: part for part in answer.components}
    base = {True: answer.net, False: answer.net}
    singles = [one.code for one in line.treatment.components if one.code in exact and _is_single(one)]
    whole = sum((exact[code] for code in singles), Fraction(0))
    if sum(parts[code].amount for code in singles) != half_up(whole):
        yield "included rates do not come to one rounding"
    scale = Fraction(half_up(whole)) / whole if whole else Fraction(1)  # a part is a part of the rounded figure
    for one in line.treatment.components:
        part = parts[one.code]
        if one.kind == "percent" and part.taxable != base[one.code in inside]:
            yield f"{one.code} is taken of {part.taxable}, not {base[one.code in inside]}"
        if one.kind == "percent" and one.code not in inside:
            if part.amount != half_up(Fraction(part.taxable * one.rate, 100 * MICRO)):
                yield f"{one.code} is no rounding of its base"
        elif one.twin is not None and part.amount != half_up(exact[one.code]):
            yield f"{one.code} is no rounding of its half"
        elif _is_single(one) and abs(part.amount - exact[one.code] * scale) >= 1:
            yield f"{one.code} is a unit off"
        if one.affects_base:
            base[False] += part.amount
            base[True] += part.amount if one.code in inside else 0


def _check(count: int, seed: int) -> None:
    for policy, lines in cases(count, seed):
        assert faults(policy, lines) == [], (policy, lines)


def test_mixed_taxes_agree_with_exact_fractions() -> None:
    _check(2_500, 38)


@pytest.mark.prove
def test_a_hundred_thousand_documents_agree_with_exact_fractions() -> None:
    _check(100_000, 2026)


def test_what_is_added_to_a_net_is_what_its_price_contains() -> None:
    chance = random.Random(7)
    for _ in range(1_000):
        net, rate = chance.randint(0, 10**7), parse_micro(chance.choice(_RATES))
        treatment = Treatment(None, "VAT", "standard", (TaxComponent("VAT", rate),))
        (added,) = tax([TaxableLine(net, MICRO, treatment)], TaxPolicy(False, "line", 2))
        (inside,) = tax([TaxableLine(added.total, MICRO, treatment)], TaxPolicy(True, "line", 2))
        assert (inside.net, inside.tax) == (net, added.tax)
