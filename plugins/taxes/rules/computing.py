"""How tax is computed: percentages and amounts per unit, included or added, on each other, per line or per document.

Every figure is the rounding of one exact fraction, half up; a is the amount after discounts, p a rate:

- T1 added: tax = r(a·p / 100), total = a + tax.
- T2 included: tax = r(a·p / (100 + p)), net = a - tax, so that the shelf price never changes.
- T3 several included rates: one tax for their sum, split by largest remainder; several added: each by T1. Included and
  added on one line: the included ones are stripped first, the added ones are taken of the net that is left. Compound:
  the base of a tax contains those taxes before it that say so (`affects_base`).
- T4 per unit: tax = r(quantity · amount per unit), on each line.
- T5 per document: each rate once on the sum of its lines, split over them by largest remainder.
- T6 net + tax = total on every line and on the document. T7 nothing bears nothing. T8 returns mirror sales.
- T9 the rate is that of the tax point.
- G2 (India) CGST = SGST: one half r(a·p / 200), or r(a·p / (2·(100 + p))) included, used twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.money import allocate, extend, round_ratio
from plugins.taxes.rules.levies import HUNDRED, Added, Plan, Stripped, plan_of
from plugins.taxes.schemas.values import ComponentTax, TaxableLine, TaxComponent, TaxedLine, TaxPolicy


def tax(lines: Sequence[TaxableLine], policy: TaxPolicy) -> list[TaxedLine]:
    """Tax the lines of one document; answers stand in the order of the lines.

    Each tax is a percentage of the net and of the taxes before it that affect the base, or an amount per unit. Twins
    are computed once and used twice (G2). With `rounding` "document" each rate is rounded once on the sum of its
    lines and split by largest remainder, sales and returns apart (T5); taxes per unit stay per line (T4). A line of
    nothing bears nothing (T7), and included taxes never take more than the line's amount.
    """
    drafts = [_draft(line, policy) for line in lines]
    if policy.rounding == "line":
        for draft in drafts:
            _levy_all([draft])
    else:
        _levy_all([draft for draft in drafts if draft.sign > 0])
        _levy_all([draft for draft in drafts if draft.sign < 0])
    return [_taxed(draft) for draft in drafts]


@dataclass(slots=True)
class _Draft:
    """A line at work, as magnitudes: what it contains, and what each tax has come to so far.

    `units`: the included taxes per unit, in their order; `stripped`: all included taxes so far.
    """

    components: tuple[TaxComponent, ...]
    plan: Plan
    sign: int
    amount: int
    units: tuple[int, ...]
    stripped: int
    taxes: dict[str, int]

    def base(self, upon: Sequence[str]) -> int:
        """What a tax is taken of: the net, and the taxes that its base contains."""
        if not upon:
            return self.amount - self.stripped
        return self.amount - self.stripped + sum(self.taxes[code] for code in upon)


def _draft(line: TaxableLine, policy: TaxPolicy) -> _Draft:
    components, amount = line.treatment.components, abs(line.amount)
    plan = plan_of(components, policy.prices_include_tax)
    taxes: dict[str, int] = {}
    included, left = [], amount
    for unit in plan.units:
        owed = extend(abs(line.quantity), unit.amount_micro, policy.exponent) if amount else 0
        if unit.included:
            owed = min(owed, left * unit.weight.denominator // unit.weight.numerator)
            left -= math.ceil(owed * unit.weight)
            included.append(owed)
        taxes[unit.code] = owed
    return _Draft(components, plan, -1 if line.amount < 0 else 1, amount, tuple(included), sum(included), taxes)


def _levy_all(drafts: list[_Draft]) -> None:
    """Levy the percentages of lines that are rounded together: what prices contain, then what is added to the net."""
    if len(drafts) == 1:
        for head in drafts[0].plan.stripped:
            _strip_one(drafts[0], head)
    else:
        together: dict[tuple[object, ...], list[tuple[_Draft, Stripped]]] = {}
        for draft in drafts:
            for head in draft.plan.stripped:
                together.setdefault(head.key, []).append((draft, head))
        for some in together.values():
            _strip(some)
    deepest = max((draft.plan.deepest for draft in drafts), default=-1)
    for depth in range(deepest + 1):
        groups: dict[tuple[object, ...], list[tuple[_Draft, Added]]] = {}
        for draft in drafts:
            for one in draft.plan.added:
                if one.depth == depth:
                    groups.setdefault((one.codes, one.rate), []).append((draft, one))
        for members in groups.values():
            _add(members)


def _strip_one(draft: _Draft, head: Stripped) -> None:
    """Round the figure of one line, at most what it has left, and split it over its taxes."""
    exact, times = _exact(draft, head), head.times
    share = min(round_ratio(sum(exact), head.whole), (draft.amount - draft.stripped) // times)
    split = [share] * times if len(exact) == 1 else allocate(share, exact)
    draft.taxes.update(zip(head.codes, split, strict=True))
    draft.stripped += sum(split)


def _strip(members: list[tuple[_Draft, Stripped]]) -> None:
    """Round one figure for all members, and split it over them and over their taxes as exactly as units allow."""
    whole = math.lcm(*(head.whole for _, head in members))
    exact = [[part * (whole // head.whole) for part in _exact(draft, head)] for draft, head in members]
    figure = round_ratio(sum(sum(parts) for parts in exact), whole)
    times = members[0][1].times
    shares = _shares(figure, [sum(parts) for parts in exact], [draft for draft, _ in members], times)
    for (draft, head), parts, share in zip(members, exact, shares, strict=True):
        split = [share] * times if times > 1 else allocate(share, parts)
        draft.taxes.update(zip(head.codes, split, strict=True))
        draft.stripped += sum(split)


def _exact(draft: _Draft, head: Stripped) -> list[int]:
    """What each tax of a head exactly is on a line, in parts of `head.whole`."""
    if not draft.units:
        return [of_amount * draft.amount for of_amount in head.of_amount]
    return [
        of_amount * draft.amount + sum(part * unit for part, unit in zip(of_units, draft.units, strict=True))
        for of_amount, of_units in zip(head.of_amount, head.of_units, strict=True)
    ]


def _shares(figure: int, weights: list[int], drafts: list[_Draft], times: int) -> list[int]:
    """Split a figure over lines, none of which gives more than it has left.

    That limit is met only by lines of a cent or two, where a unit, doubled for twins, would exceed the line; such a
    unit goes to the line with most left.
    """
    rooms = [(draft.amount - draft.stripped) // times for draft in drafts]
    wanted = allocate(min(figure, sum(rooms)), weights)
    shares = [min(share, room) for share, room in zip(wanted, rooms, strict=True)]
    for _ in range(sum(wanted) - sum(shares)):
        roomiest = max(range(len(shares)), key=lambda at: rooms[at] - shares[at])
        shares[roomiest] += 1
    return shares


def _add(members: list[tuple[_Draft, Added]]) -> None:
    bases = [draft.base(one.upon) for draft, one in members]
    figure = round_ratio(sum(bases) * members[0][1].rate, HUNDRED)
    for (draft, one), share in zip(members, allocate(figure, bases), strict=True):
        draft.taxes.update(dict.fromkeys(one.codes, share))


def _taxed(draft: _Draft) -> TaxedLine:
    sign, net, levied = draft.sign, draft.amount - draft.stripped, sum(draft.taxes.values())
    components = tuple(
        ComponentTax(component.code, component.rate, sign * draft.base(upon), sign * draft.taxes[component.code])
        for component, upon in zip(draft.components, draft.plan.upon, strict=True)
    )
    return TaxedLine(sign * net, sign * levied, sign * (net + levied), components)
