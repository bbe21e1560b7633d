"""What invoices come to: the products, customers and goods they need, and the sums the books must show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from examples.online_retail.reading import Invoice, Line

PENNY: Final = Decimal("0.01")
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Product:
    """A product as its first lines show it, and the units of it that are sold."""

    code: str
    name: str
    price: Decimal
    units: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums of some invoices."""

    invoices: int
    lines: int
    units: int
    products: int
    customers: int
    total: Decimal
    most_lines: int


def line_total(line: Line) -> Decimal:
    """Quantity times price, to the penny, halves up: the one rounding there is."""
    return (line.quantity * line.price).quantize(PENNY, ROUND_HALF_UP)


def invoice_total(invoice: Invoice) -> Decimal:
    """What the customer pays: the sum of the lines as they are rounded."""
    return sum(map(line_total, invoice.lines), Decimal(0))


def products_of(invoices: Iterable[Invoice]) -> list[Product]:
    """One product a stock code, in the order they are first sold.

    Its name is the first description that says something, else the code; its price is the first one asked for it.
    """
    names: dict[str, str] = {}
    prices: dict[str, Decimal] = {}
    units: Counter[str] = Counter()
    for line in (line for invoice in invoices for line in invoice.lines):
        prices.setdefault(line.code, line.price)
        units[line.code] += line.quantity
        if name := _name(line.description):
            names.setdefault(line.code, name)
    return [Product(code, names.get(code, code), price, units[code]) for code, price in prices.items()]


def customers_of(invoices: Iterable[Invoice]) -> list[str]:
    """The customers who are known by a number, in the order they first buy."""
    return list(dict.fromkeys(invoice.customer for invoice in invoices if invoice.customer))


def figures_of(invoices: Sequence[Invoice]) -> Figures:
    """The sums of invoices."""
    lines = [line for invoice in invoices for line in invoice.lines]
    return Figures(
        invoices=len(invoices),
        lines=len(lines),
        units=sum(line.quantity for line in lines),
        products=len({line.code for line in lines}),
        customers=len(customers_of(invoices)),
        total=sum(map(invoice_total, invoices), Decimal(0)),
        most_lines=max((len(invoice.lines) for invoice in invoices), default=0),
    )


def by_day(invoices: Iterable[Invoice]) -> dict[date, list[Invoice]]:
    """The invoices of each business day, days in order."""
    days: defaultdict[date, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        days[invoice.day].append(invoice)
    return dict(sorted(days.items()))


def _name(description: str) -> str:
    """A description on one line, without the spaces that stand around and doubled within."""
    return " ".join(description.split())[:LONGEST_NAME].rstrip()
