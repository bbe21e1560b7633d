"""Prices against an oracle in fractions: properties of every cart."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kernel.money import MICRO, format_amount, format_price
from plugins.sales.rules import DiscountTooLarge, price
from plugins.sales.schemas.values import (
    AmountOff,
    Answer,
    Applied,
    Cart,
    HandDiscount,
    Line,
    Override,
    PercentOff,
    SetPrice,
)
from plugins.sales.tests.pricing_cases import ID, cart, gst, vat
from plugins.taxes.api import TaxPolicy, Treatment

# Properties

PRICES = st.one_of(st.integers(0, 300).map(lambda cents: cents * 10_000), st.integers(0, 5_000 * MICRO))
PERCENTS = st.one_of(
    st.sampled_from([0, 5, 10, 33, 50, 100]).map(lambda whole: whole * MICRO), st.integers(0, 100 * MICRO)
)
AMOUNTS = st.integers(0, 20_000)
PHASES = st.sampled_from(["customer", "promotion", "coupon"])
HANDS = st.one_of(
    st.none(),
    st.builds(lambda percent: HandDiscount("hand", percent=percent), PERCENTS),
    st.builds(lambda amount: HandDiscount("hand", amount=amount), st.integers(0, 300)),
)
TREATMENTS = st.one_of(
    st.sampled_from(["0", "5", "8", "16", "17.5"]).map(vat), st.sampled_from(["3", "5", "18", "40"]).map(gst)
)
LINES = st.builds(
    lambda quantity, list_price, treatment, hand, override: Line(
        1, ID, "Thing", "T", quantity, list_price, "retail", (), None, treatment, hand, override
    ),
    st.one_of(st.integers(1, 40).map(lambda whole: whole * MICRO), st.integers(1, 50 * MICRO)),
    PRICES,
    TREATMENTS,
    HANDS,
    st.none() | st.builds(Override, PRICES, st.just("override")),
)
PERCENT_ANSWERS = st.builds(
    lambda phase, size: PercentOff(phase=phase, rule="p", reason="", percent=size), PHASES, PERCENTS
)
AMOUNT_ANSWERS = st.builds(
    lambda phase, size: AmountOff(phase=phase, rule="a", reason="", amount=size), PHASES, AMOUNTS
)
PRICE_ANSWERS = st.builds(
    lambda phase, size: SetPrice(phase=phase, rule="s", reason="", unit_price=size), PHASES, PRICES
)
POLICIES = st.builds(TaxPolicy, st.booleans(), st.sampled_from(["line", "document"]), st.sampled_from([0, 2, 3]))


def applied(answers: list[Answer]) -> list[Applied]:
    return [Applied("promo", answer) for answer in answers]


@st.composite
def carts(draw: st.DrawFn, documents: bool = True) -> tuple[Cart, list[list[Applied]], list[Applied]]:
    """A random cart with answers to its lines and, if wanted, discounts on the document."""
    lines = draw(st.lists(LINES, min_size=1, max_size=6))
    any_answer = st.one_of(PERCENT_ANSWERS, AMOUNT_ANSWERS, PRICE_ANSWERS)
    answers = [applied(draw(st.lists(any_answer, max_size=3))) for _ in lines]
    asked = cart(*lines, policy=draw(POLICIES), hand=draw(HANDS) if documents else None)
    if not documents:
        return asked, answers, []
    chosen = st.none() | st.lists(st.integers(1, len(lines)), unique=True).map(tuple)
    offers = draw(st.lists(st.tuples(st.one_of(PERCENT_ANSWERS, AMOUNT_ANSWERS), chosen), max_size=3))
    return asked, answers, applied([replace(offer, lines=eligible) for offer, eligible in offers])


def nearest(exact: Fraction) -> int:
    """Half up for what is never negative."""
    return math.floor(exact + Fraction(1, 2))


def split(total: int, weights: list[int]) -> list[int]:
    """Largest remainder, one unit at a time."""
    shares = weights if sum(weights) else [1] * len(weights)
    exact = [Fraction(total * share, sum(shares)) for share in shares]
    parts = [math.floor(part) for part in exact]
    while sum(parts) < total:
        parts[max(range(len(parts)), key=lambda at: (exact[at] - parts[at], -at))] += 1
    return parts


def hand_off(hand: HandDiscount, base: int) -> int:
    if hand.percent is not None:
        return nearest(Fraction(base * hand.percent, 100 * MICRO))
    off = hand.amount or 0
    if off > base:
        raise DiscountTooLarge(None)
    return off


def answer_off(answer: Answer, base: int) -> int:
    if isinstance(answer, PercentOff):
        return nearest(Fraction(base * answer.percent, 100 * MICRO))
    assert isinstance(answer, AmountOff)
    return min(answer.amount, base)


def line_oracle(each: Line, answers: list[Applied], digits: int) -> tuple[int, int]:
    """Gross and amount of a line before discounts on the document, told step by step."""

    def cost(unit_price: int) -> int:
        return nearest(Fraction(each.quantity, MICRO) * Fraction(unit_price, MICRO) * 10**digits)

    gross = amount = cost(each.list_price)
    for phase in ("customer", "hand", "promotion", "coupon"):
        if phase == "hand":
            if each.override is not None:
                gross = amount = cost(each.override.unit_price)
            if each.hand is not None:
                amount -= hand_off(each.hand, amount)
        for answer in [one.answer for one in answers if one.answer.phase == phase]:
            if not isinstance(answer, SetPrice):
                amount -= answer_off(answer, amount)
            elif (phase == "customer" and gross == amount) or cost(answer.unit_price) < amount:
                gross = amount = cost(answer.unit_price)
    return gross, amount


def oracle(asked: Cart, answers: list[list[Applied]], offers: list[Applied]) -> tuple[list[int], list[int]]:
    """Gross and taxable amount of each line."""
    found = [line_oracle(each, given, asked.exponent) for each, given in zip(asked.lines, answers, strict=True)]
    amounts = [amount for _, amount in found]
    for phase in ("customer", "hand", "promotion", "coupon"):
        if phase == "hand" and asked.hand is not None:
            shares = split(hand_off(asked.hand, sum(amounts)), amounts)
            amounts = [amount - share for amount, share in zip(amounts, shares, strict=True)]
        for offer in [one.answer for one in offers if one.answer.phase == phase]:
            assert isinstance(offer, PercentOff | AmountOff)
            places = [at for at in range(len(amounts)) if offer.lines is None or at + 1 in offer.lines]
            places.sort(key=lambda at: (asked.lines[at].quantity, amounts[at]))  # all of one product
            weights = [amounts[at] for at in places]
            for at, share in zip(places, split(answer_off(offer, sum(weights)), weights), strict=True):
                amounts[at] -= share
    return [gross for gross, _ in found], amounts


def line_tax(amount: int, treatment: Treatment, included: bool) -> int:
    """Tax of a line by itself: one rate, or one half used twice."""
    total = Fraction(sum(part.rate for part in treatment.components), MICRO)
    times = len(treatment.components)
    return times * nearest(amount * total / ((100 + total) if included else 100) / times)


@settings(max_examples=600, deadline=None)
@given(carts())
def test_a_random_cart_agrees_with_the_oracle(case: tuple[Cart, list[list[Applied]], list[Applied]]) -> None:
    asked, answers, offers = case
    try:
        gross, amounts = oracle(asked, answers, offers)
    except DiscountTooLarge:
        with pytest.raises(DiscountTooLarge):
            price(asked, answers, offers)
        return
    found = price(asked, answers, offers)
    included = asked.policy.prices_include_tax
    assert [each.gross for each in found.lines] == gross
    assert [each.gross - each.discount for each in found.lines] == amounts
    assert [each.total if included else each.net for each in found.lines] == amounts
    if asked.policy.rounding == "line":
        expected = [line_tax(*pair, included) for pair in zip(amounts, [x.treatment for x in asked.lines], strict=True)]
        assert [each.tax for each in found.lines] == expected


@settings(max_examples=300, deadline=None)
@given(carts())
def test_totals_are_sums_of_lines_and_add_up(case: tuple[Cart, list[list[Applied]], list[Applied]]) -> None:
    asked = case[0]
    try:
        found = price(*case)
    except DiscountTooLarge:
        return
    for each in found.lines:
        assert each.net + each.tax == each.total
        assert 0 <= each.discount <= each.gross
        assert min(each.net, each.tax, each.total) >= 0
        assert each.tax == sum(part.amount for part in each.components)
    assert found.subtotal == sum(each.gross for each in found.lines)
    assert found.discount_total == sum(each.discount for each in found.lines)
    added = 0 if asked.policy.prices_include_tax else found.tax_total
    assert found.total == found.subtotal - found.discount_total + added == sum(each.total for each in found.lines)


@settings(max_examples=300, deadline=None)
@given(carts())
def test_steps_tell_the_whole_way_from_list_price_to_amount(
    case: tuple[Cart, list[list[Applied]], list[Applied]],
) -> None:
    asked = case[0]
    try:
        found = price(*case)
    except DiscountTooLarge:
        return
    order = ["list", "customer", "hand", "promotion", "coupon", "document"]
    for each, said in zip(found.lines, asked.lines, strict=True):
        assert [step.phase for step in each.steps] == sorted((step.phase for step in each.steps), key=order.index)
        assert each.steps[0].before is None
        assert each.steps[0].after == format_price(said.list_price, asked.exponent)
        amounts = [step for step in each.steps if step.rule in ("p", "a", "discount", "document discount")]
        if amounts and each.steps[-1] is amounts[-1]:
            assert amounts[-1].after == format_amount(each.gross - each.discount, asked.exponent)


@settings(max_examples=300, deadline=None)
@given(carts(documents=False), st.randoms(use_true_random=False))
def test_the_order_of_scanning_does_not_matter_to_lines_and_totals(
    case: tuple[Cart, list[list[Applied]], list[Applied]], chance: object
) -> None:
    asked, answers, _ = case
    order = list(range(len(asked.lines)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    shuffled = cart(*(asked.lines[at] for at in order), policy=asked.policy)
    try:
        found = price(asked, answers, [])
    except DiscountTooLarge:
        return
    again = price(shuffled, [answers[at] for at in order], [])
    assert (again.subtotal, again.discount_total, again.tax_total, again.total) == (
        found.subtotal, found.discount_total, found.tax_total, found.total
    )  # fmt: skip
    if asked.policy.rounding == "line":
        assert [replace(each, line=0) for each in again.lines] == [replace(found.lines[at], line=0) for at in order]


@settings(deadline=None)
@given(carts())
def test_the_same_cart_is_priced_the_same_again(
    case: tuple[Cart, list[list[Applied]], list[Applied]],
) -> None:
    try:
        assert price(*case) == price(*case)
    except DiscountTooLarge:
        return
