"""Tax: worked examples of rules T1-T9 and G2, properties against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import MICRO, format_amount, parse_amount, parse_micro
from plugins.taxes.rules import code_from, spread, tax
from plugins.taxes.schemas.packs import PackComponent
from plugins.taxes.schemas.values import (
    Category,
    Rounding,
    TaxableLine,
    TaxComponent,
    TaxedLine,
    TaxPolicy,
    Treatment,
)


def vat(rate: str, category: Category = "standard") -> Treatment:
    return Treatment(None, f"VAT {rate}", category, (TaxComponent("VAT", parse_micro(rate)),))


def gst(rate: str, *more: TaxComponent) -> Treatment:
    half = parse_micro(rate) // 2
    pair = (TaxComponent("CGST", half, twin="SGST"), TaxComponent("SGST", half, twin="CGST"))
    return Treatment(None, f"GST {rate}", "standard", (*pair, *more))


def policy(included: bool, rounding: Rounding = "line", exponent: int = 2) -> TaxPolicy:
    return TaxPolicy(included, rounding, exponent)


def line(amount: str, treatment: Treatment, quantity: str = "1") -> TaxableLine:
    return TaxableLine(parse_amount(amount, 2), parse_micro(quantity), treatment)


def taxed(treatment: Treatment, rules: TaxPolicy, *amounts: str) -> list[tuple[str, str, str]]:
    """Net, tax and total of lines of these amounts, written out."""
    answers = tax([line(amount, treatment) for amount in amounts], rules)
    return [(written(each.net), written(each.tax), written(each.total)) for each in answers]


def written(amount: int) -> str:
    return format_amount(amount, 2)


def parts(each: TaxedLine) -> dict[str, str]:
    return {part.code: written(part.amount) for part in each.components}


# Worked examples


@pytest.mark.parametrize(
    ("amount", "rate", "levied", "total"),
    [("33.33", "5", "1.67", "35.00"), ("209.90", "10", "20.99", "230.89"), ("83.64", "16", "13.38", "97.02")],
)
def test_a_tax_is_added_to_prices_without_tax(amount: str, rate: str, levied: str, total: str) -> None:
    assert taxed(vat(rate), policy(False), amount) == [(amount, levied, total)]


@pytest.mark.parametrize(
    ("amount", "rate", "levied", "net"),
    [
        ("116.00", "16", "16.00", "100.00"),
        ("100.00", "16", "13.79", "86.21"),
        ("99.99", "16", "13.79", "86.20"),
        ("1300.00", "18", "198.31", "1101.69"),
        ("0.01", "16", "0.00", "0.01"),
        ("760.00", "16", "104.83", "655.17"),
    ],
)
@pytest.mark.parametrize("rounding", ["line", "document"])
def test_an_included_tax_leaves_the_shelf_price(
    amount: str, rate: str, levied: str, net: str, rounding: Rounding
) -> None:
    assert taxed(vat(rate), policy(True, rounding), amount) == [(net, levied, amount)]


def test_line_and_document_rounding_differ_by_a_cent_of_tax_and_nothing_else() -> None:
    per_line = taxed(vat("5"), policy(True, "line"), "90.00", "55.00")
    per_document = taxed(vat("5"), policy(True, "document"), "90.00", "55.00")
    assert per_line == [("85.71", "4.29", "90.00"), ("52.38", "2.62", "55.00")]
    assert per_document == [("85.72", "4.28", "90.00"), ("52.38", "2.62", "55.00")]


def test_the_full_example_comes_to_26_31_per_line_and_26_32_per_document() -> None:
    per_line = tax([line(each, vat("16")) for each in ("83.64", "27.88", "52.95")], policy(False))
    assert [written(each.tax) for each in per_line] == ["13.38", "4.46", "8.47"]
    assert written(sum(each.total for each in per_line)) == "190.78"
    whole = tax([line(each, vat("16")) for each in ("83.64", "27.88", "52.95")], policy(False, "document"))
    assert written(sum(each.tax for each in whole)) == "26.32"
    assert written(sum(each.total for each in whole)) == "190.79"


@pytest.mark.parametrize("rounding", ["line", "document"])
@pytest.mark.parametrize(
    ("included", "amount", "rate", "half", "net"),
    [
        (False, "33.33", "5", "0.83", "33.33"),
        (True, "35.00", "5", "0.83", "33.34"),
        (True, "1300.00", "18", "99.15", "1101.70"),
    ],
)
def test_central_and_state_tax_are_one_half_used_twice(
    rounding: Rounding, included: bool, amount: str, rate: str, half: str, net: str
) -> None:
    (answer,) = tax([line(amount, gst(rate))], policy(included, rounding))
    assert parts(answer) == {"CGST": half, "SGST": half}
    assert written(answer.net) == net
    assert {written(part.taxable) for part in answer.components} == {net}


def test_halves_are_equal_on_every_line_of_a_document_too() -> None:
    answers = tax([line(each, gst("5")) for each in ("33.33", "33.33", "33.33")], policy(False, "document"))
    assert [parts(each) for each in answers] == [
        {"CGST": "0.84", "SGST": "0.84"},
        {"CGST": "0.83", "SGST": "0.83"},
        {"CGST": "0.83", "SGST": "0.83"},
    ]


def test_several_included_rates_share_one_rounding() -> None:
    both = Treatment(None, "Both", "standard", (TaxComponent("VAT", 16 * MICRO), TaxComponent("LEVY", 2 * MICRO)))
    (answer,) = tax([line("1300.00", both)], policy(True))
    assert (written(answer.tax), written(answer.net)) == ("198.31", "1101.69")
    assert parts(answer) == {"VAT": "176.28", "LEVY": "22.03"}


def test_several_added_rates_are_each_taken_of_the_net() -> None:
    both = Treatment(None, "Both", "standard", (TaxComponent("GST", 5 * MICRO), TaxComponent("PST", 7 * MICRO)))
    (answer,) = tax([line("10.10", both)], policy(False))
    assert parts(answer) == {"GST": "0.51", "PST": "0.71"}
    assert written(answer.total) == "11.32"


def test_a_cess_stands_beside_the_halves() -> None:
    (answer,) = tax([line("140.00", gst("28", TaxComponent("CESS", 12 * MICRO)))], policy(True))
    assert parts(answer) == {"CGST": "14.00", "SGST": "14.00", "CESS": "12.00"}
    assert written(answer.net) == "100.00"


@pytest.mark.parametrize(("included", "expected"), [(False, "1.50"), (True, "1.50")])
def test_a_tax_per_unit_follows_the_quantity(included: bool, expected: str) -> None:
    bag = Treatment(None, "Bag", "standard", (TaxComponent("BAG", kind="per_unit", amount_micro=parse_micro("0.5")),))
    (answer,) = tax([line("10.00", bag, "3")], policy(included))
    assert parts(answer) == {"BAG": expected}
    assert written(answer.total) == ("10.00" if included else "11.50")


def test_a_percentage_is_not_taken_of_a_tax_per_unit() -> None:
    levied = (
        TaxComponent("VAT", 10 * MICRO),
        TaxComponent("BAG", kind="per_unit", amount_micro=10 * MICRO),
    )
    bag = Treatment(None, "Bag", "standard", levied)
    (added,) = tax([line("100.00", bag)], policy(False))
    assert (parts(added), written(added.total)) == ({"VAT": "10.00", "BAG": "10.00"}, "120.00")
    (included,) = tax([line("120.00", bag)], policy(True))
    assert (parts(included), written(included.net)) == ({"VAT": "10.00", "BAG": "10.00"}, "100.00")


def test_a_line_given_away_bears_nothing() -> None:
    bag = Treatment(
        None,
        "Bag",
        "standard",
        (TaxComponent("BAG", kind="per_unit", amount_micro=MICRO), TaxComponent("V", MICRO)),
    )
    for included in (False, True):
        (answer,) = tax([line("0.00", bag)], policy(included))
        assert (answer.net, answer.tax, answer.total) == (0, 0, 0)


def test_exempt_goods_have_no_tax_rows_and_zero_rated_ones_a_row_of_nothing() -> None:
    exempt, zero = Treatment(None, "Exempt", "exempt", ()), vat("0", "zero")
    first, second = tax([line("10.00", exempt), line("10.00", zero)], policy(True, "document"))
    assert first == TaxedLine(1000, 0, 1000, ())
    assert [(part.code, part.taxable, part.amount) for part in second.components] == [("VAT", 1000, 0)]


def test_one_rate_in_two_classes_is_rounded_once_per_document() -> None:
    toy = Treatment(None, "Toys", "standard", (TaxComponent("VAT", 5 * MICRO),))
    answers = tax([line("90.00", vat("5")), line("55.00", toy)], policy(True, "document"))
    assert [written(each.tax) for each in answers] == ["4.28", "2.62"]


def test_a_return_in_the_same_document_does_not_borrow_from_the_sales() -> None:
    answers = tax([line("90.00", vat("5")), line("-55.00", vat("5"))], policy(True, "document"))
    assert [written(each.tax) for each in answers] == ["4.29", "-2.62"]


def test_lines_of_one_cent_are_never_driven_below_zero_by_equal_halves() -> None:
    answers = tax([line("0.01", gst("18"))] * 10 + [line("0.10", gst("18"))], policy(True, "document"))
    assert all(each.net >= 0 for each in answers)
    assert sum(each.tax for each in answers) == 4
    assert parts(answers[-1]) == {"CGST": "0.02", "SGST": "0.02"}


def test_no_lines_bear_no_tax() -> None:
    assert tax([], policy(True, "document")) == []


# Treatments that make no sense


@pytest.mark.parametrize(
    "components",
    [
        (TaxComponent("CGST", MICRO, twin="SGST"),),
        (TaxComponent("CGST", MICRO, twin="SGST"), TaxComponent("SGST", MICRO)),
        (TaxComponent("CGST", MICRO, twin="SGST"), TaxComponent("SGST", 2 * MICRO, twin="CGST")),
        (TaxComponent("CGST", MICRO, twin="CGST"),),
        (TaxComponent("VAT", MICRO), TaxComponent("VAT", MICRO)),
    ],
)
def test_a_treatment_has_distinct_taxes_and_true_twins(components: tuple[TaxComponent, ...]) -> None:
    with pytest.raises(ValueError, match=r"twice|no pair"):
        Treatment(None, "Wrong", "standard", components)


def test_zero_rated_goods_bear_no_percentage() -> None:
    with pytest.raises(ValueError, match="no percentage"):
        vat("16", "zero")


def test_a_tax_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        TaxComponent("VAT", -1)


# Properties

RATES = st.sampled_from(["0", "0.25", "1.5", "3", "5", "8", "12", "16", "18", "20", "28", "40"])
PER_UNIT = st.builds(lambda size: TaxComponent("BAG", kind="per_unit", amount_micro=size), st.integers(0, 3 * MICRO))
TREATMENTS = st.one_of(
    st.builds(vat, RATES),
    st.builds(gst, RATES),
    st.builds(gst, RATES, st.builds(lambda rate: TaxComponent("CESS", parse_micro(rate)), RATES)),
    st.builds(
        lambda one, two, bag: Treatment(
            None,
            "Mixed",
            "standard",
            (TaxComponent("A", parse_micro(one)), TaxComponent("B", parse_micro(two)), bag),
        ),
        RATES,
        RATES,
        PER_UNIT,
    ),
    st.just(Treatment(None, "Exempt", "exempt", ())),
)
LINES = st.lists(
    st.builds(TaxableLine, st.integers(-20, 20) | st.integers(-(10**9), 10**9), st.integers(1, 10**8), TREATMENTS),
    max_size=12,
)
POLICIES = st.builds(TaxPolicy, st.booleans(), st.sampled_from(["line", "document"]), st.sampled_from([0, 2, 3]))


@given(LINES, POLICIES)
def test_net_and_tax_always_make_the_total(lines: list[TaxableLine], rules: TaxPolicy) -> None:
    answers = tax(lines, rules)
    assert len(answers) == len(lines)
    for asked, answer in zip(lines, answers, strict=True):
        assert answer.net + answer.tax == answer.total
        assert (answer.total if rules.prices_include_tax else answer.net) == asked.amount
        assert sum(part.amount for part in answer.components) == answer.tax
        assert [part.code for part in answer.components] == [each.code for each in asked.treatment.components]
        sign = -1 if asked.amount < 0 else 1
        assert sign * answer.net >= 0
        assert all(sign * part.amount >= 0 and part.taxable == answer.net for part in answer.components)


@given(LINES, POLICIES)
def test_a_return_mirrors_its_sale(lines: list[TaxableLine], rules: TaxPolicy) -> None:
    returned = [TaxableLine(-each.amount, each.quantity, each.treatment) for each in lines]
    assert tax(returned, rules) == [mirrored(answer) for answer in tax(lines, rules)]


def mirrored(answer: TaxedLine) -> TaxedLine:
    rows = tuple(msgspec.structs.replace(row, taxable=-row.taxable, amount=-row.amount) for row in answer.components)
    return TaxedLine(-answer.net, -answer.tax, -answer.total, rows)


@given(LINES, POLICIES)
def test_central_and_state_tax_never_differ(lines: list[TaxableLine], rules: TaxPolicy) -> None:
    for answer in tax(lines, rules):
        amounts = {part.code: part.amount for part in answer.components}
        assert amounts.get("CGST") == amounts.get("SGST")


@given(st.lists(st.integers(10, 10**9), min_size=1, max_size=20), RATES, st.booleans(), st.booleans())
def test_a_documents_tax_is_one_rounding_of_the_exact_sum(
    amounts: list[int], rate: str, included: bool, halves: bool
) -> None:
    share = Fraction(rate) / (100 + Fraction(rate) if included else 100)
    times, treatment = (2, gst(rate)) if halves else (1, vat(rate))
    answers = tax([TaxableLine(each, MICRO, treatment) for each in amounts], policy(included, "document"))
    expected = times * math.floor(sum(amounts) * share / times + Fraction(1, 2))
    assert sum(answer.tax for answer in answers) == expected
    for amount, answer in zip(amounts, answers, strict=True):
        assert abs(answer.tax - amount * share) < times * Fraction(3, 2)


@given(st.integers(-(10**12), 10**12), RATES, st.booleans())
def test_a_lines_tax_agrees_with_exact_fractions(amount: int, rate: str, included: bool) -> None:
    percent = Fraction(rate)
    exact = abs(amount) * percent / (100 + percent if included else 100)
    expected = math.floor(exact + Fraction(1, 2)) * (-1 if amount < 0 else 1)
    (answer,) = tax([TaxableLine(amount, MICRO, vat(rate))], policy(included))
    assert answer.tax == expected


@given(LINES, POLICIES)
def test_tax_per_line_knows_nothing_of_the_other_lines(lines: list[TaxableLine], rules: TaxPolicy) -> None:
    per_line = msgspec.structs.replace(rules, rounding="line")
    assert tax(lines, per_line) == [answer for each in lines for answer in tax([each], per_line)]


# What a shop enters


def test_a_plain_percentage_becomes_the_regions_usual_taxes_in_equal_parts() -> None:
    assert spread(16 * MICRO, [PackComponent("VAT", "16")]) == (TaxComponent("VAT", 16 * MICRO),)
    pair = [PackComponent("CGST", "9", "SGST"), PackComponent("SGST", "9", "CGST")]
    assert spread(18 * MICRO, pair) == (
        TaxComponent("CGST", 9 * MICRO, twin="SGST"),
        TaxComponent("SGST", 9 * MICRO, twin="CGST"),
    )


@pytest.mark.parametrize(("rate", "parts"), [(1, ["CGST", "SGST"]), (16 * MICRO, [])])
def test_a_percentage_that_does_not_divide_is_refused(rate: int, parts: list[str]) -> None:
    with pytest.raises(ValueError, match="equal taxes"):
        spread(rate, [PackComponent(code, "0") for code in parts])


@pytest.mark.parametrize(
    ("name", "taken", "code"),
    [
        ("Reduced rate 5 %", (), "reduced-rate-5"),
        ("Standard", ("standard",), "standard-2"),
        ("Standard", ("standard", "standard-2"), "standard-3"),
        ("शून्य", (), "class"),
    ],
)
def test_a_code_is_made_from_the_name(name: str, taken: tuple[str, ...], code: str) -> None:
    assert code_from(name, taken) == code
