"""How a sale is taxed: asked when it is priced, stored with it, shown again from what was stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from kernel.money import format_amount, format_micro, parse_micro
from plugins.customers.api import CustomerFacts
from plugins.sales.rules.summing import sums_by_category, sums_by_tax
from plugins.sales.schemas.answers import CategoryTotal, TaxTotal, TaxTotals
from plugins.sales.schemas.values import Line, LineTax, PricedLine
from plugins.taxes.api import Buyer, ComponentTax, CustomerTax, Terms


def buyer_of(facts: CustomerFacts | None) -> Buyer | None:
    """A customer as tax sees them; None for a passer-by."""
    if facts is None:
        return None
    own = facts.ext.get("taxes")
    return Buyer(facts.tax_number, facts.subdivision, own if isinstance(own, CustomerTax) else CustomerTax())


def line_taxes(lines: Sequence[Line], costs: Sequence[PricedLine]) -> list[LineTax]:
    """What totals need of lines that have just been priced."""
    return [
        LineTax(line.treatment.category, cost.net, cost.tax, cost.components)
        for line, cost in zip(lines, costs, strict=True)
    ]


def stored_taxes(rows: Iterable[Any]) -> list[LineTax]:
    """The same of stored lines."""
    return [LineTax(row.tax_category, row.net, row.tax, components_of(row)) for row in rows]


def components_of(row: Any) -> tuple[ComponentTax, ...]:
    """The taxes of a stored line; what each was taken of is the net where it was not kept."""
    return tuple(
        ComponentTax(one["code"], parse_micro(one["rate"]), one.get("taxable", row.net), one["amount"])
        for one in row.taxes
    )


def totals_out(lines: Sequence[LineTax], exponent: int) -> TaxTotals:
    """The totals of a document, as answers show them."""
    return TaxTotals(
        [
            CategoryTotal(one.category, *(format_amount(each, exponent) for each in (one.net, one.tax, one.total)))
            for one in sums_by_category(lines)
        ],
        [
            TaxTotal(
                one.code, format_micro(one.rate), *(format_amount(each, exponent) for each in (one.taxable, one.amount))
            )
            for one in sums_by_tax(lines)
        ],
    )


def stored_terms(terms: dict[str, Any] | None) -> Terms | None:
    """The circumstances that were kept with a sale."""
    return None if terms is None else msgspec.convert(terms, Terms)
