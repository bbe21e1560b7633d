"""What is given by hand is counted whole, however it is split over lines, document, percentages and amounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import MICRO, format_micro, parse_micro, percent_of
from plugins.sales.rules.by_hand import discount_by_hand, distance, together
from plugins.sales.schemas.values import HandDiscount, Override, PricedCart, PricedLine
from plugins.sales.tests.pricing_cases import amount_off, by_hand, cart, line, percent_off, priced


@pytest.mark.parametrize(
    ("on_line", "on_document", "expected"),
    [
        (by_hand("10"), None, "10"),
        (by_hand(amount="10.00"), None, "10"),
        (by_hand(amount="10.01"), None, "10.01"),
        (None, by_hand("10"), "10"),
        (None, by_hand(amount="30.00"), "10"),
        (by_hand("10"), by_hand("10"), "13"),
        (by_hand("100"), None, "100"),
        (None, None, "0"),
    ],
)
def test_the_largest_percentage_given_is_found(
    on_line: HandDiscount | None, on_document: HandDiscount | None, expected: str
) -> None:
    """One line of 100.00 with the discount, one of 200.00 without."""
    asked = cart(line("1", "100"), line("2", "100"), hand=on_document)
    if on_line is not None:
        asked = cart(line("1", "100", on_line), line("2", "100"), hand=on_document)
    assert format_micro(discount_by_hand(asked, priced(asked))) == expected


def test_what_promotions_take_counts_for_nobody() -> None:
    asked = cart(line("1", "100", by_hand("10")))
    assert format_micro(discount_by_hand(asked, priced(asked, percent_off("50"), amount_off("5.00")))) == "10"


@pytest.mark.parametrize(
    ("listed", "by_price", "expected"),
    [
        ("100", "95", "5"),
        ("100", "105", "5"),
        ("3", "2", "33.333334"),
        ("100", "0", "100"),
        ("0", "5", "100"),
        ("0", "0", "0"),
    ],
)
def test_a_price_by_hand_counts_by_its_distance_either_way(listed: str, by_price: str, expected: str) -> None:
    assert format_micro(distance(parse_micro(listed), parse_micro(by_price))) == expected


@pytest.mark.parametrize(
    ("by_price", "on_line", "on_document", "expected"),
    [
        ("90", by_hand("10"), None, "19"),
        ("90", by_hand(amount="10.00"), None, "20"),
        ("90", None, by_hand("10"), "19"),
        ("80", by_hand("50"), by_hand("50"), "80"),
        ("90", None, None, "0"),
        (None, by_hand("10"), None, "0"),
        ("125", by_hand("20"), None, "20"),
        ("0", by_hand("10"), None, "0"),
    ],
)
def test_a_price_and_a_discount_by_hand_count_together_against_the_list_price(
    by_price: str | None, on_line: HandDiscount | None, on_document: HandDiscount | None, expected: str
) -> None:
    override = None if by_price is None else Override(parse_micro(by_price), "kind")
    asked = cart(line("1", "100", on_line, override), hand=on_document)
    (cost,) = priced(asked).lines
    assert format_micro(together(asked.lines[0], cost, 2)) == expected


PERCENTS = st.integers(0, 100 * MICRO).map(lambda percent: HandDiscount("kind", percent=percent))
LINES = st.tuples(st.integers(1, 20), st.integers(1, 99999), st.none() | PERCENTS | st.integers(0, 100))


@given(st.lists(LINES, min_size=1, max_size=5), st.none() | PERCENTS)
def test_no_split_brings_more_than_what_is_counted(
    said: list[tuple[int, int, HandDiscount | int | None]], on_document: HandDiscount | None
) -> None:
    lines = []
    for quantity, cents, hand in said:
        most = quantity * cents
        own = HandDiscount("kind", amount=most * hand // 100) if isinstance(hand, int) else hand
        lines.append(line(str(quantity), f"{cents // 100}.{cents % 100:02d}", own))
    asked = cart(*lines, hand=on_document)
    answer = priced(asked)
    counted = discount_by_hand(asked, answer)
    for cost, one in zip(answer.lines, asked.lines, strict=True):
        if one.hand is not None:
            assert off(cost, "discount") <= percent_of(cost.gross, counted)
    if on_document is not None:
        assert taken(answer) <= percent_of(sum(cost.gross for cost in answer.lines), counted) + 1


def off(cost: PricedLine, rule: str) -> int:
    """What a rule of sales took off a line."""
    return sum(amount for plugin, name, amount in cost.taken if (plugin, name) == ("sales", rule))


def taken(answer: PricedCart) -> int:
    """All that was given by hand."""
    return sum(off(cost, "discount") + off(cost, "document discount") for cost in answer.lines)
