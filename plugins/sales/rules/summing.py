"""Totals of tax: by category, so that exempt and zero-rated stay apart, and by tax and rate. Sums, never roundings."""

from __future__ import annotations

from collections.abc import Iterable

from plugins.sales.schemas.values import CategorySum, LineTax, TaxSum


def sums_by_category(lines: Iterable[LineTax]) -> list[CategorySum]:
    """Net, tax and total of each category that occurs, in the order of the alphabet; those not kept last."""
    found: dict[str | None, tuple[int, int]] = {}
    for line in lines:
        net, tax = found.get(line.category, (0, 0))
        found[line.category] = net + line.net, tax + line.tax
    order = sorted(found, key=lambda category: (category is None, category or ""))
    return [CategorySum(category, *found[category], sum(found[category])) for category in order]


def sums_by_tax(lines: Iterable[LineTax]) -> list[TaxSum]:
    """What each tax was taken of and came to, by its rate: two rates of a tax are two rows, never a blended one."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for line in lines:
        for part in line.components:
            taxable, amount = found.get((part.code, part.rate), (0, 0))
            found[part.code, part.rate] = taxable + part.taxable, amount + part.amount
    return [TaxSum(code, rate, *found[code, rate]) for code, rate in sorted(found)]
