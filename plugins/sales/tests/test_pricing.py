"""What a cart costs: worked examples, phases one by one, nonsense from plugins, an oracle in fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kernel.money import MICRO, format_amount, format_price, parse_amount, parse_micro
from plugins.sales.rules import AmountTooLarge, BadAnswer, DiscountTooLarge, price
from plugins.sales.schemas.values import (
    AmountOff,
    Answer,
    Applied,
    Cart,
    HandDiscount,
    Line,
    Override,
    PercentOff,
    Phase,
    PricedCart,
    SetPrice,
)
from plugins.taxes.api import TaxComponent, TaxPolicy, Treatment

ID = UUID("01930000-0000-7000-8000-000000000001")
INCLUDED = TaxPolicy(True, "line", 2)
ADDED = TaxPolicy(False, "line", 2)


def vat(rate: str = "16") -> Treatment:
    return Treatment(None, f"VAT {rate}", "standard", (TaxComponent("VAT", parse_micro(rate)),))


def gst(rate: str) -> Treatment:
    half = parse_micro(rate) // 2
    pair = (TaxComponent("CGST", half, twin="SGST"), TaxComponent("SGST", half, twin="CGST"))
    return Treatment(None, f"GST {rate}", "standard", pair)


def line(
    quantity: str,
    list_price: str,
    hand: HandDiscount | None = None,
    override: Override | None = None,
    treatment: Treatment | None = None,
) -> Line:
    return Line(
        1, ID, "Rice 2kg", "RICE-2KG", parse_micro(quantity), parse_micro(list_price), "retail", (), None,
        treatment or vat(), hand, override,
    )  # fmt: skip


def cart(*lines: Line, policy: TaxPolicy = INCLUDED, hand: HandDiscount | None = None) -> Cart:
    numbered = tuple(replace(each, line=place) for place, each in enumerate(lines, 1))
    at = datetime(2026, 11, 21, 9, 14, tzinfo=UTC)
    return Cart(numbered, None, "retail", "KES", policy.exponent, policy, hand, at, ID)


def priced(asked: Cart, *answers: Answer, document: Sequence[Answer] = ()) -> PricedCart:
    """Price a cart whose every line is given the same answers by a plugin called promo."""
    each = [Applied("promo", answer) for answer in answers]
    return price(asked, [each] * len(asked.lines), [Applied("promo", answer) for answer in document])


def percent_off(percent: str, phase: Phase = "promotion", lines: tuple[int, ...] | None = None) -> PercentOff:
    return PercentOff(phase=phase, rule="offer", reason="because", percent=parse_micro(percent), lines=lines)


def amount_off(amount: str, phase: Phase = "promotion", lines: tuple[int, ...] | None = None) -> AmountOff:
    return AmountOff(phase=phase, rule="offer", reason="because", amount=parse_amount(amount, 2), lines=lines)


def set_price(unit_price: str, phase: Phase = "promotion") -> SetPrice:
    return SetPrice(phase=phase, rule="offer", reason="because", unit_price=parse_micro(unit_price))


def by_hand(percent: str | None = None, amount: str | None = None) -> HandDiscount:
    return HandDiscount(
        "bruised", parse_micro(percent) if percent else None, parse_amount(amount, 2) if amount else None
    )


def written(amount: int) -> str:
    return format_amount(amount, 2)


def totals(answer: PricedCart) -> tuple[str, str, str, str]:
    """Subtotal, discount, tax, total."""
    return (
        written(answer.subtotal),
        written(answer.discount_total),
        written(answer.tax_total),
        written(answer.total),
    )


# Worked examples

FULL = (line("2", "50.00", by_hand("10")), line("1", "30.00"), line("3", "19.99", by_hand("5")))


def test_the_full_example_taxed_per_line() -> None:
    answer = priced(cart(*FULL, policy=ADDED), document=[amount_off("12.50")])
    assert [written(each.gross - each.discount) for each in answer.lines] == ["83.64", "27.88", "52.95"]
    assert [written(each.tax) for each in answer.lines] == ["13.38", "4.46", "8.47"]
    assert totals(answer) == ("189.97", "25.50", "26.31", "190.78")


def test_the_full_example_taxed_per_document() -> None:
    answer = priced(cart(*FULL, policy=TaxPolicy(False, "document", 2), hand=by_hand(amount="12.50")))
    assert totals(answer) == ("189.97", "25.50", "26.32", "190.79")


def test_the_sale_of_the_api_page() -> None:
    answer = priced(cart(line("2", "380.00"), line("0.750", "133.33", by_hand("10"))))
    assert totals(answer) == ("860.00", "10.00", "117.24", "850.00")
    first = answer.lines[0]
    assert (written(first.net), written(first.tax), format_price(first.unit_price, 2)) == (
        "655.17",
        "104.83",
        "380.00",
    )
    (step,) = first.steps
    assert (step.phase, step.plugin, step.rule, step.before, step.after, step.reason) == (
        "list", "catalog", "retail price", None, "380.00", "retail"
    )  # fmt: skip


@pytest.mark.parametrize("rounding", ["line", "document"])
def test_two_lines_at_5_percent_come_to_145_however_tax_is_rounded(rounding: str) -> None:
    policy = TaxPolicy(True, "line" if rounding == "line" else "document", 2)
    answer = priced(cart(line("1", "90.00", treatment=vat("5")), line("1", "55.00", treatment=vat("5")), policy=policy))
    assert written(answer.total) == "145.00"
    assert written(answer.tax_total) == ("6.91" if rounding == "line" else "6.90")


def test_indian_halves_survive_a_document_discount() -> None:
    asked = cart(line("1", "1300.00", treatment=gst("18")), line("1", "35.00", treatment=gst("5")))
    for each in priced(asked, document=[percent_off("7")]).lines:
        assert each.components[0].amount == each.components[1].amount
        assert each.net + 2 * each.components[0].amount == each.total


def test_a_hundred_percent_off_leaves_nothing_anywhere() -> None:
    answer = priced(cart(line("3", "19.99")), percent_off("100"))
    (only,) = answer.lines
    assert (only.net, only.tax, only.total, answer.total) == (0, 0, 0, 0)
    assert written(only.discount) == "59.97"


def test_a_currency_without_minor_digits_is_priced_in_whole_units() -> None:
    answer = priced(cart(line("3", "33.5"), policy=TaxPolicy(True, "line", 0)))
    assert (answer.total, answer.tax_total) == (101, 14)


def test_an_empty_cart_costs_nothing() -> None:
    assert totals(priced(cart(hand=by_hand("10")), document=[percent_off("5")])) == (
        "0.00",
        "0.00",
        "0.00",
        "0.00",
    )


# Phases of a line


def steps(answer: PricedCart, place: int = 0) -> list[tuple[str, str, str | None, str]]:
    return [(step.phase, step.plugin, step.before, step.after) for step in answer.lines[place].steps]


def test_phases_come_in_their_order_whatever_the_order_of_answers() -> None:
    asked = cart(line("1", "100.00", by_hand("10")), hand=by_hand(amount="1.00"))
    answers = (amount_off("5.00", "coupon"), percent_off("10", "promotion"), set_price("90.00", "customer"))
    answer = priced(asked, *answers, document=[percent_off("50", "coupon"), amount_off("0.90", "customer")])
    assert steps(answer) == [
        ("list", "catalog", None, "100.00"),
        ("customer", "promo", "100.00", "90.00"),
        ("hand", "sales", "90.00", "81.00"),
        ("promotion", "promo", "81.00", "72.90"),
        ("coupon", "promo", "72.90", "67.90"),
        ("document", "promo", "67.90", "67.00"),
        ("document", "sales", "67.00", "66.00"),
        ("document", "promo", "66.00", "33.00"),
    ]
    assert totals(answer)[:2] == ("90.00", "57.00")


def test_within_a_phase_the_order_given_holds() -> None:
    asked = cart(line("1", "100.00"))
    assert written(priced(asked, percent_off("10"), amount_off("10.00")).total) == "80.00"
    assert written(priced(asked, amount_off("10.00"), percent_off("10")).total) == "81.00"


@pytest.mark.parametrize(("answer", "total"), [("90.00", "180.00"), ("110.125", "220.25")])
def test_a_customers_price_goes_up_or_down(answer: str, total: str) -> None:
    found = priced(cart(line("2", "100.00")), set_price(answer, "customer"))
    assert (written(found.total), written(found.discount_total)) == (total, "0.00")
    assert steps(found)[-1] == ("customer", "promo", "100.00", answer)


def test_a_promotional_price_never_raises_and_never_undoes_a_better_discount() -> None:
    assert written(priced(cart(line("1", "100.00")), set_price("110.00")).total) == "100.00"
    asked = cart(line("1", "100.00", by_hand("20")))
    kept = priced(asked, set_price("85.00"))
    assert totals(kept)[:2] == ("100.00", "20.00")
    assert [step.phase for step in kept.lines[0].steps] == ["list", "hand"]
    assert totals(priced(asked, set_price("75.00")))[:2] == ("75.00", "0.00")


def test_an_override_is_the_price_and_further_discounts_come_off_it() -> None:
    asked = cart(line("2", "100.00", by_hand("10"), Override(parse_micro("120.00"), "engraved")))
    answer = priced(asked, percent_off("50", "customer"))
    assert steps(answer)[-2:] == [
        ("hand", "sales", "100.00", "120.00"),
        ("hand", "sales", "240.00", "216.00"),
    ]
    assert totals(answer)[:2] == ("240.00", "24.00")


def test_an_amount_off_is_cut_to_what_is_left_of_the_line() -> None:
    answer = priced(cart(line("1", "30.00"), line("1", "100.00")), amount_off("50.00"))
    assert [written(each.total) for each in answer.lines] == ["0.00", "50.00"]


def test_an_answer_that_changes_nothing_leaves_no_step() -> None:
    asked = cart(line("1", "30.00"))
    answer = priced(asked, percent_off("0"), set_price("30.00"), amount_off("30.00"), amount_off("5.00"))
    assert [step.after for step in answer.lines[0].steps] == ["30.00", "0.00"]


def test_what_a_person_gave_always_leaves_its_step() -> None:
    asked = cart(line("1", "30.00", by_hand("0"), Override(parse_micro("30.00"), "as asked")))
    assert [step.reason for step in priced(asked).lines[0].steps] == ["retail", "as asked", "bruised"]


# Discounts on the document


def test_a_document_discount_is_shared_by_largest_remainder() -> None:
    answer = priced(cart(line("1", "18.00"), line("1", "15.00")), document=[amount_off("5.00")])
    assert [written(each.discount) for each in answer.lines] == ["2.73", "2.27"]


def test_a_document_discount_touches_only_its_lines() -> None:
    asked = cart(line("1", "10.00"), line("1", "20.00"), line("1", "30.00"))
    answer = priced(
        asked,
        document=[
            percent_off("10", lines=(3, 1)),
            amount_off("99.00", lines=(2,)),
            amount_off("1.00", lines=()),
        ],
    )
    assert [written(each.total) for each in answer.lines] == ["9.00", "0.00", "27.00"]


def test_a_cent_of_discount_is_a_step_only_where_it_falls() -> None:
    answer = priced(cart(line("1", "1.00"), line("1", "1.00")), document=[amount_off("0.01")])
    assert [len(each.steps) for each in answer.lines] == [2, 1]


def test_a_document_discount_of_a_plugin_is_cut_to_the_document() -> None:
    answer = priced(cart(line("1", "1.00"), line("1", "2.00")), document=[amount_off("50.00")])
    assert answer.total == 0
    assert all(each.total == 0 for each in answer.lines)


# Refusals


@pytest.mark.parametrize("hand", [by_hand("100.000001"), by_hand(amount="30.01")])
def test_a_cashier_cannot_give_more_than_the_line_or_the_document(hand: HandDiscount) -> None:
    with pytest.raises(DiscountTooLarge) as caught:
        priced(cart(line("1", "99.00"), line("1", "30.00", hand)))
    assert caught.value.line == 2
    with pytest.raises(DiscountTooLarge) as caught:
        priced(cart(line("1", "30.00"), hand=hand))
    assert caught.value.line is None


@pytest.mark.parametrize(
    "answer",
    [
        percent_off("101"),
        replace(percent_off("1"), percent=-1),
        replace(percent_off("1"), percent=10**5000),
        replace(percent_off("1"), percent=True),
        replace(percent_off("1"), percent=float("nan")),
        replace(amount_off("1"), amount=-1),
        replace(amount_off("1"), amount=float("inf")),
        replace(amount_off("1"), amount=None),
        replace(amount_off("1"), amount="1.00"),
        replace(set_price("1"), unit_price=-1),
        replace(set_price("1"), unit_price=10**18),
        replace(set_price("1"), unit_price=1.5),
        replace(amount_off("1"), phase="hand"),
        replace(amount_off("1"), phase=[]),
        replace(amount_off("1"), rule=""),
        replace(amount_off("1"), rule=None),
        replace(amount_off("1"), reason="a\x00b"),
        replace(amount_off("1"), reason="x" * 201),
        {"percent": 10},
        None,
    ],
)
def test_nonsense_from_a_plugin_is_refused_by_name(answer: Answer) -> None:
    for line_answers, cart_answers in (((answer,), ()), ((), (answer,))):
        with pytest.raises(BadAnswer) as caught:
            priced(cart(line("1", "30.00")), *line_answers, document=cart_answers)
        assert caught.value.plugin == "promo"


@pytest.mark.parametrize("lines", [(0,), (3,), (1, 1), (True,), [1], "1"])
def test_an_offer_names_distinct_lines_of_the_cart(lines: tuple[int, ...]) -> None:
    with pytest.raises(BadAnswer):
        priced(cart(line("1", "1.00"), line("1", "1.00")), document=[amount_off("1.00", lines=lines)])


def test_an_answer_keeps_to_its_own_hook() -> None:
    with pytest.raises(BadAnswer):
        priced(cart(line("1", "1.00")), amount_off("1.00", lines=(1,)))
    with pytest.raises(BadAnswer):
        priced(cart(line("1", "1.00")), document=[set_price("0.50")])


def test_answers_and_lines_must_be_of_one_number() -> None:
    with pytest.raises(ValueError, match="shorter"):
        price(cart(line("1", "1.00")), [], [])


@pytest.mark.parametrize("policy", [INCLUDED, ADDED])
def test_a_total_that_cannot_be_stored_is_refused(policy: TaxPolicy) -> None:
    with pytest.raises(AmountTooLarge):
        priced(cart(line("999999999999", "999999999999"), policy=policy))
    with pytest.raises(AmountTooLarge):
        priced(cart(*[line("1", "600000000000")] * 2, policy=policy))


@pytest.mark.parametrize(
    "make",
    [
        lambda: line("0", "1.00"),
        lambda: line("-1", "1.00"),
        lambda: line("1", "-1.00"),
        lambda: Override(-1, "no"),
        lambda: HandDiscount("neither"),
        lambda: HandDiscount("both", 1, 1),
        lambda: HandDiscount("negative", percent=-1),
        lambda: HandDiscount("negative", amount=-1),
        lambda: replace(cart(line("1", "1.00")), exponent=3),
        lambda: replace(cart(line("1", "1.00")), lines=(replace(line("1", "1.00"), line=2),)),
    ],
)
def test_values_that_make_no_sense_cannot_be_made(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"must|either"):
        make()


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
            assert not isinstance(offer, SetPrice)
            places = [at for at in range(len(amounts)) if offer.lines is None or at + 1 in offer.lines]
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
