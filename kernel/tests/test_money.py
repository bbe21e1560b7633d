"""Money: the vectors of the shop rules M1-M5 and T-allocations, and properties against exact fractions."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import money
from kernel.money import (
    CURRENCIES,
    MICRO,
    Amount,
    BadDecimal,
    Percent,
    Quantity,
    SignedAmount,
    UnitPrice,
    UnknownCurrency,
    allocate,
    exponent,
    extend,
    format_amount,
    format_micro,
    format_price,
    format_scaled,
    parse_amount,
    parse_micro,
    parse_scaled,
    percent_of,
    round_ratio,
    show_amount,
    show_price,
    show_text,
)

BIG = st.integers(-(10**24), 10**24)
NOT_A_NUMBER = [
    "", "-", ".", "1.", ".5", "+1", " 1", "1 ", "1\n", "1_000", "1,5", "1e3", "0x10", "NaN", "nan", "-inf",
    "Infinity", "1e999999", "٣", "\uff11\uff12", "²", "1.٣", "--1", "1.2.3", "1.-2", "01", "00", "-01", "-0",
    "-0.00", "1" * 41, "9" * 5000,
]  # fmt: skip


def fraction_round(exact: Fraction) -> int:
    """Half up, away from zero, said another way than the code says it."""
    return int(math.copysign(1, exact)) * math.floor(abs(exact) + Fraction(1, 2))


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """The textbook method in fractions."""
    size, sign = abs(total), -1 if total < 0 else 1
    shares = weights if sum(weights) else [1] * len(weights)
    exact = [Fraction(size * share, sum(shares)) for share in shares]
    parts = [math.floor(part) for part in exact]
    while sum(parts) < size:
        place = max(range(len(parts)), key=lambda at: (exact[at] - parts[at], -at))
        parts[place] += 1
    return [sign * part for part in parts]


# Currencies


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("KES", 2),
        ("INR", 2),
        ("TZS", 2),
        ("UGX", 0),
        ("RWF", 0),
        ("JPY", 0),
        ("KWD", 3),
        ("GBP", 2),
        ("USD", 2),
    ],
)
def test_a_currency_has_its_iso_minor_digits(currency: str, digits: int) -> None:
    assert exponent(currency) == digits == CURRENCIES[currency]


@pytest.mark.parametrize("code", ["usd", "XXX", "XTS", "XAU", "KES ", "", "KESS", "DEM", "BGN", "ANG"])
def test_a_code_that_no_till_can_use_is_unknown(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        exponent(code)


def test_the_list_of_currencies_is_well_formed_and_cannot_be_changed() -> None:
    assert len(CURRENCIES) > 150
    assert all(re.fullmatch("[A-Z]{3}", code) for code in CURRENCIES)
    assert sum(len(codes.split()) for codes in money._MINOR_DIGITS.values()) == len(CURRENCIES)
    with pytest.raises(TypeError):
        CURRENCIES["DUK"] = 2  # type: ignore[index]


# Rounding


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("2.345", "2.35"), ("14.595", "14.60"), ("13.275", "13.28"), ("0.004999", "0.00"), ("0.005", "0.01")],
)
def test_halves_go_away_from_zero_on_both_sides(exact: str, rounded: str) -> None:
    micro = parse_micro(exact)
    assert format_amount(round_ratio(micro, 10_000), 2) == rounded
    assert round_ratio(-micro, 10_000) == -round_ratio(micro, 10_000)


@given(BIG, st.integers(1, 10**18))
def test_rounding_agrees_with_exact_fractions(numerator: int, denominator: int) -> None:
    assert round_ratio(numerator, denominator) == fraction_round(Fraction(numerator, denominator))
    assert round_ratio(-numerator, denominator) == -round_ratio(numerator, denominator)


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_denominator_is_positive(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        round_ratio(1, denominator)


def test_fourteen_times_1_0425_is_the_same_sold_and_refunded() -> None:
    price = parse_micro("1.0425")
    assert extend(14 * MICRO, price, 2) == 1460
    assert extend(-14 * MICRO, price, 2) == -1460


# Reading and writing


@pytest.mark.parametrize("text", NOT_A_NUMBER)
@pytest.mark.parametrize("digits", [0, 2, 6])
def test_what_is_not_a_plain_decimal_is_refused(text: str, digits: int) -> None:
    with pytest.raises(BadDecimal):
        parse_scaled(text, digits)


@pytest.mark.parametrize(("text", "digits"), [("0.005", 2), ("5.000", 2), ("1.0", 0), ("0.0000001", 6)])
def test_more_decimals_than_the_number_holds_are_refused_not_rounded(text: str, digits: int) -> None:
    with pytest.raises(BadDecimal):
        parse_scaled(text, digits)


@pytest.mark.parametrize(
    ("text", "minor", "digits", "written"),
    [
        ("1250.00", 125000, 2, "1250.00"),
        ("1250", 125000, 2, "1250.00"),
        ("0.5", 50, 2, "0.50"),
        ("-12.5", -1250, 2, "-12.50"),
        ("-0.01", -1, 2, "-0.01"),
        ("0", 0, 2, "0.00"),
        ("1500", 1500, 0, "1500"),
        ("1.234", 1234, 3, "1.234"),
    ],
)
def test_an_amount_is_read_and_written_with_its_currencys_decimals(
    text: str, minor: int, digits: int, written: str
) -> None:
    assert parse_amount(text, digits) == minor
    assert format_amount(minor, digits) == written


@pytest.mark.parametrize(
    ("text", "written"), [("2", "2"), ("0.750", "0.75"), ("40.000000", "40"), ("0", "0"), ("-0.5", "-0.5")]
)
def test_a_quantity_is_written_short(text: str, written: str) -> None:
    assert format_micro(parse_micro(text)) == written


@pytest.mark.parametrize(
    ("text", "digits", "written"),
    [("380", 2, "380.00"), ("310.125", 2, "310.125"), ("310.1", 2, "310.10"), ("7", 0, "7"),
     ("7.5", 0, "7.5"), ("0.000001", 2, "0.000001"), ("1", 3, "1.000")],
)  # fmt: skip
def test_a_price_shows_at_least_the_currencys_decimals(text: str, digits: int, written: str) -> None:
    assert format_price(parse_micro(text), digits) == written


@given(st.integers(-(10**30), 10**30), st.integers(0, 6))
def test_writing_and_reading_an_amount_loses_nothing(value: int, digits: int) -> None:
    text = format_amount(value, digits)
    assert parse_amount(text, digits) == value
    assert Fraction(text) == Fraction(value, 10**digits)


@given(st.integers(-(10**20), 10**20), st.integers(0, 6))
def test_short_forms_lose_nothing_either(value: int, least: int) -> None:
    text = format_scaled(value, 6, least)
    assert parse_micro(text) == value
    decimals = text.partition(".")[2]
    assert len(decimals) == least or (len(decimals) > least and not decimals.endswith("0"))


@given(st.text(max_size=12) | st.text("0123456789.-+eE_ \n٣", max_size=12), st.integers(0, 6))
def test_whatever_is_read_is_exactly_what_the_pattern_says(text: str, digits: int) -> None:
    pattern = rf"-?(0|[1-9][0-9]*)(\.[0-9]{{1,{digits}}})?" if digits else r"-?(0|[1-9][0-9]*)"
    welcome = re.fullmatch(pattern, text) is not None and not re.fullmatch(r"-[0.]+", text)
    try:
        value = parse_scaled(text, digits)
    except BadDecimal:
        assert not welcome
    else:
        assert welcome
        assert Fraction(value, 10**digits) == Fraction(text)


# Wire types

NON_NEGATIVE = [Amount, Quantity, UnitPrice, Percent]


def decode(text: str, kind: object) -> str:
    return msgspec.json.decode(msgspec.json.encode(text), type=kind)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", [*NON_NEGATIVE, SignedAmount])
@pytest.mark.parametrize("text", [text for text in NOT_A_NUMBER if len(text) < 50])
def test_the_wire_refuses_what_is_not_a_plain_decimal(kind: object, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(text, kind)


@pytest.mark.parametrize("kind", NON_NEGATIVE)
@pytest.mark.parametrize("text", ["-1", "-0.01", "1234567890123", "1.0000000"])
def test_the_wire_refuses_negatives_and_numbers_too_long_to_store(kind: object, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(text, kind)


@pytest.mark.parametrize("kind", [*NON_NEGATIVE, SignedAmount])
@pytest.mark.parametrize("text", ["0", "0.00", "1", "999.999999", "16", "2.5"])
def test_the_wire_takes_plain_decimals(kind: object, text: str) -> None:
    assert decode(text, kind) == text


@pytest.mark.parametrize("text", ["-1", "-0.01", "-999999999999.999999"])
def test_a_signed_amount_may_be_negative(text: str) -> None:
    assert decode(text, SignedAmount) == text


def test_the_largest_number_on_the_wire_fits_a_bigint() -> None:
    assert parse_micro(decode("999999999999.999999", UnitPrice)) < 2**63


@pytest.mark.parametrize("kind", [*NON_NEGATIVE, SignedAmount])
def test_every_wire_type_carries_an_example_that_it_takes(kind: object) -> None:
    meta = get_args(kind)[1]
    assert isinstance(meta, msgspec.Meta)
    assert meta.description
    assert meta.examples
    assert all(decode(example, kind) == example for example in meta.examples)


def test_a_bare_json_number_is_no_amount() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"0.1", type=Amount)


# Multiplying


@pytest.mark.parametrize(
    ("quantity", "price", "digits", "gross"),
    [("2", "50.00", 2, "100.00"), ("3", "19.99", 2, "59.97"), ("0.750", "120.00", 2, "90.00"),
     ("1", "310.125", 2, "310.13"), ("3", "33.5", 0, "101"), ("0.000001", "0.000001", 2, "0.00")],
)  # fmt: skip
def test_a_quantity_times_a_price_is_rounded_once(quantity: str, price: str, digits: int, gross: str) -> None:
    assert format_amount(extend(parse_micro(quantity), parse_micro(price), digits), digits) == gross


@given(st.integers(-(10**18), 10**18), st.integers(0, 10**18), st.integers(0, 4))
def test_extending_agrees_with_exact_fractions(quantity: int, price: int, digits: int) -> None:
    exact = Fraction(quantity, MICRO) * Fraction(price, MICRO) * 10**digits
    assert extend(quantity, price, digits) == fraction_round(exact)


@given(BIG, st.integers(0, 1000 * MICRO))
def test_a_percentage_agrees_with_exact_fractions(amount: int, percent: int) -> None:
    assert percent_of(amount, percent) == fraction_round(Fraction(amount) * percent / (100 * MICRO))


# Splitting


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (1000, [3333, 3333, 3334], [333, 333, 334]),
        (1, [1, 1, 1], [1, 0, 0]),
        (10000, [1, 1, 1], [3334, 3333, 3333]),
        (500, [18, 15], [273, 227]),
        (15, [20, 2, 3], [12, 1, 2]),
        (1250, [9000, 3000, 5697], [636, 212, 402]),
        (-1, [1, 1, 1], [-1, 0, 0]),
        (7, [0, 0], [4, 3]),
        (7, [0, 5], [0, 7]),
        (0, [], []),
    ],
)
def test_a_total_is_split_by_largest_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    assert allocate(total, weights) == parts


@given(BIG, st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_parts_are_fair_and_lose_nothing(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    assert parts == [-part for part in allocate(-total, weights)]
    if whole:
        assert all(abs(part - Fraction(total * weight, whole)) < 1 for part, weight in zip(parts, weights, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)
    else:
        assert max(parts) - min(parts) <= 1


@given(st.integers(-5000, 5000), st.lists(st.integers(0, 500), min_size=1, max_size=12))
def test_splitting_agrees_with_the_textbook(total: int, weights: list[int]) -> None:
    assert allocate(total, weights) == largest_remainder(total, weights)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12), st.data())
def test_no_part_exceeds_its_weight_while_the_total_fits(weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    assert all(part <= weight for part, weight in zip(allocate(total, weights), weights, strict=True))


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [2, -1]), (-1, [2, -1])])
def test_a_split_that_makes_no_sense_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"allocate|negative"):
        allocate(total, weights)


# What people read


@pytest.mark.parametrize(
    ("minor", "currency", "region", "read"),
    [
        (0, "INR", "IN", "₹0.00"),
        (99_999, "INR", "IN", "₹999.99"),
        (100_000, "INR", "IN", "₹1,000.00"),
        (123_456_750, "INR", "IN", "₹12,34,567.50"),
        (1_234_567_890_12, "INR", "IN", "₹1,23,45,67,890.12"),
        (123_456_750, "KES", "KE", "KSh 1,234,567.50"),
        (1_234_567, "UGX", "UG", "USh 1,234,567"),
        (1_234_567, "KWD", "KW", "KWD 1,234.567"),
        (-123_456_750, "INR", "IN", "-₹12,34,567.50"),
        (-300, "GBP", "GB", "-£3.00"),
        (123_456_750, "BDT", "BD", "৳12,34,567.50"),
    ],
)
def test_people_read_amounts_as_their_region_writes_them(minor: int, currency: str, region: str, read: str) -> None:
    assert show_amount(minor, currency, region) == read


def test_a_unit_price_keeps_its_finer_decimals_where_people_read_it() -> None:
    assert show_price(1_234_310_125_000, "KES", "KE") == "KSh 1,234,310.125"
    assert show_price(380_000_000, "INR", "IN") == "₹380.00"
    assert show_text("-0.50", "KES", "KE") == "-KSh 0.50"


@given(st.integers(-(10**14), 10**14), st.sampled_from(["IN", "KE"]))
def test_grouping_changes_no_digit(minor: int, region: str) -> None:
    plain = show_amount(minor, "KES", region).replace(",", "").replace("KSh ", "")
    assert plain == format_amount(minor, 2)
