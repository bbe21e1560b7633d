"""The worked examples of the documentation, row by row: golden tables for what offers do."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from plugins.discounts.tests.offer_cases import a_cart, cart_of, priced, the_offers, totals
from plugins.sales.api import Line

PAGE = Path(__file__).parents[1] / "docs" / "examples.md"
ROWS = [
    tuple(cell.strip() for cell in row)
    for row in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    if row[0] != "offers"
]


@pytest.mark.parametrize(("offers", "cart", "comes_to"), ROWS)
def test_a_cart_costs_what_the_page_says_whatever_the_order_of_its_lines(offers: str, cart: str, comes_to: str) -> None:
    asked, running = a_cart(cart), the_offers(offers)
    expected = comes_to.split(", ")
    assert totals(priced(asked, running)) == expected
    for order in itertools.permutations(range(len(asked.lines))):
        lines = [a_cart(cart).lines[place] for place in order]
        shuffled = cart_of([_numbered(line, number) for number, line in enumerate(lines, 1)])
        found = totals(priced(shuffled, running[::-1]))
        both = [sorted(zip([line.sku for line in lines], found, strict=True))]
        both.append(sorted(zip([line.sku for line in asked.lines], expected, strict=True)))
        assert both[0] == both[1], order


def test_the_page_has_many_rows() -> None:
    assert len(ROWS) > 50


def _numbered(line: Line, number: int) -> Line:

    return replace(line, line=number)
