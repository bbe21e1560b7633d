"""How tax is computed: percentages and amounts per unit, included or added, per line or per document.

Every figure is the rounding of one exact fraction, half up; a is the amount after discounts, p a rate:

- T1 added: tax = r(a·p / 100), total = a + tax.
- T2 included: tax = r(a·p / (100 + p)), net = a - tax, so that the shelf price never changes.
- T3 several included rates: one tax for their sum, split by largest remainder; several added: each by T1.
- T4 per unit: tax = r(quantity · amount per unit), on each line.
- T5 per document: each rate once on the sum of its lines, split over them by largest remainder.
- T6 net + tax = total on every line and on the document. T7 nothing bears nothing. T8 returns mirror sales.
- T9 the rate is that of the tax point.
- G2 (India) CGST = SGST: one half r(a·p / 200), or r(a·p / (2·(100 + p))) included, used twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeVar

from kernel.money import MICRO, allocate, extend, format_micro, round_ratio
from plugins.taxes.schemas.values import ComponentTax, TaxableLine, TaxComponent, TaxedLine, TaxPolicy

_HUNDRED = 100 * MICRO


class Dated(Protocol):
    """Anything with a first and a last day, both inclusive; None: until further notice."""

    @property
    def valid_from(self) -> date:
        """The first day."""

    @property
    def valid_to(self) -> date | None:
        """The last day."""


DatedT = TypeVar("DatedT", bound=Dated)


def rate_on(rates: Iterable[DatedT], day: date) -> DatedT | None:
    """Find the rate valid at the tax point, so that an old sale keeps its rate (T9); None when none is."""
    for rate in rates:
        if rate.valid_from <= day and (rate.valid_to is None or day <= rate.valid_to):
            return rate
    return None


class Part(Protocol):
    """A tax that a region's rates are usually made of, and its twin."""

    @property
    def code(self) -> str:
        """What documents call it."""

    @property
    def twin(self) -> str | None:
        """The tax that always comes to the same."""


def spread(rate: int, parts: Sequence[Part]) -> tuple[TaxComponent, ...]:
    """Make a plain percentage, scaled by `MICRO`, into a region's usual taxes, in equal parts.

    18 % is VAT of 18 where there is one tax, CGST of 9 and SGST of 9 in India. A rate that does not divide, or no
    parts, is a ValueError.
    """
    share, rest = divmod(rate, len(parts) or 1)
    if rest or not parts:
        raise ValueError(f"a rate of {format_micro(rate)} cannot be split into {len(parts)} equal taxes")
    return tuple(TaxComponent(part.code, share, twin=part.twin) for part in parts)


def code_from(name: str, taken: Collection[str]) -> str:
    """Make a code from a name, "Reduced rate 5 %" to reduced-rate-5, with a number behind it where it is taken."""
    stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:40].strip("-") or "class"
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code


def tax(lines: Sequence[TaxableLine], policy: TaxPolicy) -> list[TaxedLine]:
    """Tax the lines of one document; answers stand in the order of the lines.

    Taxes of a line are additive: each is a percentage of the same net, or an amount per unit, which bears no
    percentage itself. Twins are computed once and used twice (G2). With `rounding` "document" each rate is
    rounded once on the sum of its lines and split by largest remainder, sales and returns apart (T5); taxes
    per unit stay per line (T4). A line of nothing bears nothing (T7), and no included tax takes more than
    the line's amount.
    """
    drafts = [_draft(line, policy) for line in lines]
    if policy.rounding == "line":
        for draft in drafts:
            _levy_all([draft], policy)
    else:
        _levy_all([draft for draft in drafts if draft.sign > 0], policy)
        _levy_all([draft for draft in drafts if draft.sign < 0], policy)
    return [_taxed(draft, policy) for draft in drafts]


class _Head(NamedTuple):
    """Components that share one rounded figure: twins, a single added rate, or all other included rates."""

    codes: tuple[str, ...]
    rates: tuple[int, ...]
    rate: int
    whole: int
    times: int


@dataclass(slots=True)
class _Draft:
    """A line at work, as magnitudes: what percentages apply to, and what each tax has come to so far."""

    components: tuple[TaxComponent, ...]
    sign: int
    amount: int
    base: int
    taxes: dict[str, int]


def _draft(line: TaxableLine, policy: TaxPolicy) -> _Draft:
    components, amount = line.treatment.components, abs(line.amount)
    taxes = _taxes_per_unit(components, amount, abs(line.quantity), policy)
    base = amount - sum(taxes.values()) if policy.prices_include_tax else amount
    return _Draft(components, -1 if line.amount < 0 else 1, amount, base, taxes)


def _taxes_per_unit(
    components: tuple[TaxComponent, ...], amount: int, quantity: int, policy: TaxPolicy
) -> dict[str, int]:
    taxes: dict[str, int] = {}
    for component in components:
        if component.kind == "per_unit":
            owed = extend(quantity, component.amount_micro, policy.exponent) if amount else 0
            left = amount - sum(taxes.values())
            taxes[component.code] = min(owed, left) if policy.prices_include_tax else owed
    return taxes


def _levy_all(drafts: list[_Draft], policy: TaxPolicy) -> None:
    """Add the percentages of lines that are rounded together, one head after another."""
    groups: dict[_Head, list[_Draft]] = {}
    for draft in drafts:
        for head in _heads(draft.components, policy.prices_include_tax):
            groups.setdefault(head, []).append(draft)
    for head, members in groups.items():
        figure = round_ratio(sum(draft.base for draft in members) * head.rate, head.whole)
        shares = _shares(figure, members, head.times, policy)
        for draft, share in zip(members, shares, strict=True):
            parts = [share] * head.times if head.times > 1 else allocate(share, head.rates)
            draft.taxes.update(zip(head.codes, parts, strict=True))


@lru_cache(maxsize=1024)
def _heads(components: tuple[TaxComponent, ...], included: bool) -> tuple[_Head, ...]:
    """Say which components are rounded together, and against which whole: 100 %, or that and all rates."""
    percents = [component for component in components if component.kind == "percent"]
    whole = _HUNDRED + sum(component.rate for component in percents) if included else _HUNDRED
    pairs = [
        _Head((one.code, one.twin), (one.rate, one.rate), one.rate, whole, 2)
        for one in percents
        if one.twin is not None and one.code < one.twin
    ]
    singles = [component for component in percents if component.twin is None]
    if not included:
        return (*pairs, *(_Head((one.code,), (one.rate,), one.rate, whole, 1) for one in singles))
    if not singles:
        return tuple(pairs)
    rates = tuple(component.rate for component in singles)
    return (*pairs, _Head(tuple(component.code for component in singles), rates, sum(rates), whole, 1))


def _shares(figure: int, members: list[_Draft], times: int, policy: TaxPolicy) -> list[int]:
    """Split a head's figure over its lines; tax that is included never takes more than a line has left.

    That limit is met only by lines of a cent or two, where a unit, doubled for twins, would exceed the line;
    such a unit goes to the line with most left.
    """
    bases = [draft.base for draft in members]
    if not policy.prices_include_tax:
        return allocate(figure, bases)
    rooms = [(draft.amount - sum(draft.taxes.values())) // times for draft in members]
    wanted = allocate(min(figure, sum(rooms)), bases)
    shares = [min(share, room) for share, room in zip(wanted, rooms, strict=True)]
    for _ in range(sum(wanted) - sum(shares)):
        roomiest = max(range(len(shares)), key=lambda at: rooms[at] - shares[at])
        shares[roomiest] += 1
    return shares


def _taxed(draft: _Draft, policy: TaxPolicy) -> TaxedLine:
    sign, levied = draft.sign, sum(draft.taxes.values())
    net = draft.amount - levied if policy.prices_include_tax else draft.amount
    components = tuple(
        ComponentTax(component.code, component.rate, sign * net, sign * draft.taxes[component.code])
        for component in draft.components
    )
    return TaxedLine(sign * net, sign * levied, sign * (net + levied), components)
