"""Worked tax cases, to be read and checked by an accountant: each row is one line of a receipt, computed by hand.

How to read a row: the amount after discounts, the quantity, the taxes in their order, then what must come out: net,
each tax, total. A tax is written as it stands in the taxes plugin: `VAT 16` (per cent), `BAG 0.50/unit`; `incl` or
`excl` where it differs from the prices of the row; `base` where later taxes are taken of it as well; `CGST 9=SGST` with
its twin.
"""

from __future__ import annotations

from typing import get_args

import pytest

from kernel.money import format_amount, parse_amount, parse_micro
from plugins.taxes.rules import tax
from plugins.taxes.schemas.values import (
    Category,
    Rounding,
    TaxableLine,
    TaxComponent,
    TaxedLine,
    TaxPolicy,
    Treatment,
)


def component(words: str) -> TaxComponent:
    """Read `VAT 16 excl base`, `BAG 0.50/unit` or `CGST 9=SGST`."""
    code, figure, *marks = words.split()
    rate, _, twin = figure.partition("=")
    included = True if "incl" in marks else False if "excl" in marks else None
    if rate.endswith("/unit"):
        per_unit = parse_micro(rate.removesuffix("/unit"))
        return TaxComponent(code, 0, "per_unit", per_unit, None, included, "base" in marks)
    return TaxComponent(code, parse_micro(rate), "percent", 0, twin or None, included, "base" in marks)


def treatment(taxes: str) -> Treatment:
    """Read taxes with commas between them; a category alone has none."""
    if taxes in get_args(Category):
        return Treatment(None, taxes, taxes, ())  # type: ignore[arg-type]
    return Treatment(None, taxes, "standard", tuple(component(words) for words in taxes.split(", ")))


def computed(
    amounts: str, quantity: str, taxes: str, prices: str, rounding: Rounding = "line", digits: int = 2
) -> list[str]:
    """Each line as `net | TAX amount … | total`. `amounts` with spaces between the lines."""
    policy = TaxPolicy(prices == "incl", rounding, digits)
    lines = [
        TaxableLine(parse_amount(amount, digits), parse_micro(quantity), treatment(taxes)) for amount in amounts.split()
    ]
    return [written(one, digits) for one in tax(lines, policy)]


def written(one: TaxedLine, digits: int) -> str:
    figures = [f"{part.code} {format_amount(part.amount, digits)}" for part in one.components]
    return " | ".join([format_amount(one.net, digits), *figures, format_amount(one.total, digits)])


# rule, prices, amount, quantity, taxes, expected
ONE_LINE = [
    # T1 added to the price
    ("T1", "excl", "33.33", "1", "VAT 5", "33.33 | VAT 1.67 | 35.00"),
    ("T1", "excl", "209.90", "1", "VAT 10", "209.90 | VAT 20.99 | 230.89"),
    # T2 contained in the price
    ("T2", "incl", "116.00", "1", "VAT 16", "100.00 | VAT 16.00 | 116.00"),
    ("T2", "incl", "100.00", "1", "VAT 16", "86.21 | VAT 13.79 | 100.00"),
    ("T2", "incl", "99.99", "1", "VAT 16", "86.20 | VAT 13.79 | 99.99"),
    ("T2", "incl", "1300.00", "1", "VAT 18", "1101.69 | VAT 198.31 | 1300.00"),
    ("T2", "incl", "0.01", "1", "VAT 16", "0.01 | VAT 0.00 | 0.01"),
    # T3 several taxes, contained and added together, one upon the other
    ("T3", "incl", "1300.00", "1", "VAT 16, LEVY 2", "1101.69 | VAT 176.28 | LEVY 22.03 | 1300.00"),
    ("T3", "excl", "10.10", "1", "GST 5, PST 7", "10.10 | GST 0.51 | PST 0.71 | 11.32"),
    ("T3 Odoo", "incl", "132.00", "1", "A 10 incl base, B 10 excl, C 10 incl, D 10 excl, E 10 incl",
     "100.00 | A 10.00 | B 11.00 | C 11.00 | D 11.00 | E 11.00 | 154.00"),
    ("T3 Odoo", "excl", "200.00", "1", "FIXED 10/unit base, VAT 10", "200.00 | FIXED 10.00 | VAT 21.00 | 231.00"),
    ("T3", "incl", "231.00", "1", "FIXED 10/unit base, VAT 10", "200.00 | FIXED 10.00 | VAT 21.00 | 231.00"),
    ("T3", "excl", "200.00", "1", "VAT 10, FIXED 10/unit base", "200.00 | VAT 20.00 | FIXED 10.00 | 230.00"),
    ("T3", "excl", "100.00", "1", "EXCISE 20 base, VAT 16", "100.00 | EXCISE 20.00 | VAT 19.20 | 139.20"),
    ("T3", "incl", "139.20", "1", "EXCISE 20 base, VAT 16", "100.00 | EXCISE 20.00 | VAT 19.20 | 139.20"),
    ("T3", "excl", "100.00", "1", "A 10 base, B 10 base, C 10", "100.00 | A 10.00 | B 11.00 | C 12.10 | 133.10"),
    ("T3", "incl", "133.10", "1", "A 10 base, B 10 base, C 10", "100.00 | A 10.00 | B 11.00 | C 12.10 | 133.10"),
    ("T3", "incl", "116.00", "1", "VAT 16, CITY 2 excl", "100.00 | VAT 16.00 | CITY 2.00 | 118.00"),
    ("T3", "incl", "116.00", "1", "VAT 16 base, CITY 2 excl", "100.00 | VAT 16.00 | CITY 2.32 | 118.32"),
    # T4 per unit
    ("T4", "excl", "10.00", "3", "BAG 0.50/unit", "10.00 | BAG 1.50 | 11.50"),
    ("T4", "incl", "10.00", "3", "BAG 0.50/unit", "8.50 | BAG 1.50 | 10.00"),
    ("T4", "excl", "10.00", "0.333", "BAG 0.50/unit", "10.00 | BAG 0.17 | 10.17"),
    ("T4", "incl", "10.00", "3", "BAG 0.50/unit excl", "10.00 | BAG 1.50 | 11.50"),
    ("T4", "incl", "120.00", "1", "VAT 10, BAG 10/unit", "100.00 | VAT 10.00 | BAG 10.00 | 120.00"),
    ("T4 cess", "excl", "5000.00", "1000", "CGST 14=SGST, SGST 14=CGST, CESS 4.170/unit",
     "5000.00 | CGST 700.00 | SGST 700.00 | CESS 4170.00 | 10570.00"),
    ("T4 more than the price", "incl", "5.00", "10", "DUTY 1/unit base, VAT 10", "0.01 | DUTY 4.54 | VAT 0.45 | 5.00"),
    # T7 given away
    ("T7", "incl", "0.00", "1", "VAT 16, BAG 1/unit", "0.00 | VAT 0.00 | BAG 0.00 | 0.00"),
    ("T7", "excl", "0.00", "1", "VAT 16, BAG 1/unit", "0.00 | VAT 0.00 | BAG 0.00 | 0.00"),
    # T9 nothing to pay, kept apart by the category of the line
    ("T9", "incl", "10.00", "1", "exempt", "10.00 | 10.00"),
    ("T9", "incl", "10.00", "1", "zero", "10.00 | 10.00"),
    # G2 central and state tax are one half, used twice; between states one tax of both
    ("G2", "excl", "33.33", "1", "CGST 2.5=SGST, SGST 2.5=CGST", "33.33 | CGST 0.83 | SGST 0.83 | 34.99"),
    ("G2", "incl", "35.00", "1", "CGST 2.5=SGST, SGST 2.5=CGST", "33.34 | CGST 0.83 | SGST 0.83 | 35.00"),
    ("G2", "incl", "1300.00", "1", "CGST 9=SGST, SGST 9=CGST", "1101.70 | CGST 99.15 | SGST 99.15 | 1300.00"),
    ("G1", "incl", "1300.00", "1", "IGST 18", "1101.69 | IGST 198.31 | 1300.00"),
    ("G2 cess", "incl", "140.00", "1", "CGST 14=SGST, SGST 14=CGST, CESS 12",
     "100.00 | CGST 14.00 | SGST 14.00 | CESS 12.00 | 140.00"),
]  # fmt: skip

# rule, prices, amounts of the lines, taxes, per line, per document
DOCUMENTS = [
    ("T5", "incl", "90.00 55.00", "VAT 5",
     ["85.71 | VAT 4.29 | 90.00", "52.38 | VAT 2.62 | 55.00"],
     ["85.72 | VAT 4.28 | 90.00", "52.38 | VAT 2.62 | 55.00"]),
    ("3.3", "excl", "83.64 27.88 52.95", "VAT 16",
     ["83.64 | VAT 13.38 | 97.02", "27.88 | VAT 4.46 | 32.34", "52.95 | VAT 8.47 | 61.42"],
     ["83.64 | VAT 13.39 | 97.03", "27.88 | VAT 4.46 | 32.34", "52.95 | VAT 8.47 | 61.42"]),
    ("G2", "excl", "33.33 33.33 33.33", "CGST 2.5=SGST, SGST 2.5=CGST",
     ["33.33 | CGST 0.83 | SGST 0.83 | 34.99"] * 3,
     ["33.33 | CGST 0.84 | SGST 0.84 | 35.01", *["33.33 | CGST 0.83 | SGST 0.83 | 34.99"] * 2]),
    ("T3", "excl", "10.10 10.10", "EXCISE 5 base, VAT 7",
     ["10.10 | EXCISE 0.51 | VAT 0.74 | 11.35"] * 2,
     ["10.10 | EXCISE 0.51 | VAT 0.74 | 11.35", "10.10 | EXCISE 0.50 | VAT 0.74 | 11.34"]),
]  # fmt: skip


def _label(row: tuple[object, ...]) -> str:
    return " ".join(str(one) for one in row[:-1])


@pytest.mark.parametrize("row", ONE_LINE, ids=_label)
def test_a_line_bears_these_taxes(row: tuple[str, str, str, str, str, str]) -> None:
    _rule, prices, amount, quantity, taxes, expected = row
    assert computed(amount, quantity, taxes, prices) == [expected]
    assert computed(amount, quantity, taxes, prices, "document") == [expected], "of one line the document says the same"


@pytest.mark.parametrize("row", DOCUMENTS, ids=_label)
def test_a_document_bears_these_taxes(row: tuple[str, str, str, str, list[str], list[str]]) -> None:
    _rule, prices, amounts, taxes, per_line, per_document = row
    assert computed(amounts, "1", taxes, prices) == per_line
    assert computed(amounts, "1", taxes, prices, "document") == per_document


def test_currencies_without_cents_and_with_mils_are_rounded_at_their_own_unit() -> None:
    assert computed("1000", "1", "VAT 18", "incl", digits=0) == ["847 | VAT 153 | 1000"]
    assert computed("1.000", "1", "VAT 5", "excl", digits=3) == ["1.000 | VAT 0.050 | 1.050"]
    assert computed("0.010", "1", "VAT 5", "excl", digits=3) == ["0.010 | VAT 0.001 | 0.011"]
