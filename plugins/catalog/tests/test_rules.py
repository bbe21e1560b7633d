"""Barcodes and search words: known codes, mistyped codes, and words of the languages shops are kept in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from kernel.db import new_id
from kernel.money import MICRO, parse_micro
from plugins.catalog.rules.goods import (
    UNIT_DECIMALS,
    BadBarcode,
    BadCheckDigit,
    check_digit,
    check_gtin,
    fits_unit,
    ids_on,
    letters_of,
    mrp_of,
    path_below,
    search_keys,
    search_terms,
)

DIGITS = st.text("0123456789", min_size=7, max_size=13).filter(lambda digits: len(digits) in (7, 11, 12, 13))


@pytest.mark.parametrize(
    ("code", "normal"),
    [
        ("4006381333931", "4006381333931"),
        ("73513537", "73513537"),
        ("9780471117094", "9780471117094"),
        ("98412345678908", "98412345678908"),
        ("036000291452", "0036000291452"),
        ("0036000291452", "0036000291452"),
        ("00036000291452", "0036000291452"),
        ("04006381333931", "4006381333931"),
        ("0000073513537", "73513537"),
        ("2100001027506", "2100001027506"),
        ("2400412025505", "2400412025505"),
        ("6220010005008", "6220010005008"),
        (" 4006381333931 ", "4006381333931"),
    ],
)
def test_a_known_article_number_has_one_normal_form(code: str, normal: str) -> None:
    assert check_gtin(code) == normal


@pytest.mark.parametrize("code", ["2340119005006", "6220010001008", "4006381333932", "73513536", "036000291453"])
def test_a_mistyped_article_number_is_refused_and_told_its_digit(code: str) -> None:
    with pytest.raises(BadCheckDigit) as caught:
        check_gtin(code)
    assert caught.value.expected == check_digit(code[:-1]) != code[-1]


@pytest.mark.parametrize("code", ["RICE-2KG", "12345", "A 1/b", "x" * 48, "123456789", "7351353A", "0" * 15])
def test_other_codes_pass_as_they_are(code: str) -> None:
    assert check_gtin(code) == code


@pytest.mark.parametrize(
    "code", ["", "   ", "x" * 49, "caf\u00e9", "a\tb", "a\n", "4006381333931\n", "٤٠٠٦٣٨١٣", "a\x7fb"]
)
def test_what_no_scanner_prints_is_no_barcode(code: str) -> None:
    with pytest.raises(BadBarcode):
        check_gtin(code)


@pytest.mark.parametrize("digits", ["", "12a", "٣", "-1"])
def test_a_check_digit_is_of_ascii_digits(digits: str) -> None:
    with pytest.raises(ValueError, match="not digits"):
        check_digit(digits)


@given(DIGITS)
def test_check_digits_agree_with_an_independent_library(digits: str) -> None:
    assert check_digit(digits) == ean.calc_check_digit(digits)


@given(DIGITS)
def test_a_normal_form_is_its_own_and_survives_padding(digits: str) -> None:
    code = digits + check_digit(digits)
    normal = check_gtin(code)
    assert check_gtin(normal) == normal
    assert check_gtin(code.rjust(14, "0")) == normal
    assert int(normal) == int(code)


@given(DIGITS, st.data())
def test_any_single_wrong_digit_is_caught(digits: str, data: st.DataObject) -> None:
    code = digits + check_digit(digits)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != code[place]))
    with pytest.raises(BadCheckDigit):
        check_gtin(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Rice 2kg", ["rice", "2kg"]),
        ("RICE-2KG", ["rice", "2kg"]),
        ("Café-Crème 2KG", ["cafe", "creme", "2kg"]),
        ("Ng'ombe", ["ngombe"]),
        ("Mama Njeri\u2019s  Chai, Mama!", ["mama", "njeris", "chai"]),
        ("Straße", ["strasse"]),
        ("\uff32\uff49\uff43\uff45", ["rice"]),
        ("\u338f", ["kg"]),
        ("چای", ["چای"]),
        ("शक्कर चावल", ["शक्कर", "चावल"]),
        ("क\u094d\u200dष", ["क\u094dष"]),
        ("ガム", ["ガム"]),
        ("한국 라면", ["한국", "라면"]),
        ("a_b/c.d", ["a", "b", "c", "d"]),
        ("", []),
        (" -- ", []),
    ],
)
def test_a_name_is_found_by_its_words(text: str, words: list[str]) -> None:
    assert search_terms(text) == words


def test_devanagari_letters_that_differ_by_a_nukta_stay_apart() -> None:
    assert search_terms("क़") != search_terms("क")


@given(st.text(max_size=40))
def test_words_are_stable_distinct_and_without_spaces(text: str) -> None:
    words = search_terms(text)
    assert len(set(words)) == len(words)
    assert all(word and not any(char.isspace() for char in word) for word in words)
    assert search_terms(" ".join(words)) == words


@given(st.text("abcdefghijklmnopqrstuvwxyzàéîõüçñ0123456789 -./", max_size=40))
def test_case_does_not_matter(text: str) -> None:
    assert search_terms(text.upper()) == search_terms(text)


@pytest.mark.parametrize(
    ("quantity", "unit", "fits"),
    [("2", "piece", True), ("0.5", "piece", False), ("1.5", "pack", False), ("0.75", "kg", True),
     ("0.125", "litre", True), ("0.0005", "kg", False), ("1.5", "hour", True), ("0.000001", "metre", False)],
)  # fmt: skip
def test_pieces_are_whole_and_weights_go_to_the_gram(quantity: str, unit: str, fits: bool) -> None:
    assert fits_unit(parse_micro(quantity), unit) is fits


@given(st.sampled_from(sorted(UNIT_DECIMALS)), st.integers(0, 10**6))
def test_whole_units_always_fit(unit: str, count: int) -> None:
    assert fits_unit(count * MICRO, unit)


def test_a_path_leads_from_the_root_and_is_read_from_the_leaf() -> None:
    food, flour, maize = new_id(), new_id(), new_id()
    path = path_below(path_below(path_below(None, food), flour), maize)
    assert path == f"{food.hex}/{flour.hex}/{maize.hex}"
    assert ids_on(path) == (maize, flour, food)
    assert ids_on(None) == ()


@pytest.mark.parametrize(
    ("product", "code", "factor", "mrp"),
    [(None, None, None, None), (10, None, None, 10), (10, 12, None, 12), (None, 12, None, 12),
     (10, None, 12 * MICRO, 120), (10, 99, 12 * MICRO, 99), (None, None, 12 * MICRO, None), (1, None, MICRO // 2, 1)],
)  # fmt: skip
def test_a_packs_highest_price_is_its_own_or_that_of_its_units(
    product: int | None, code: int | None, factor: int | None, mrp: int | None
) -> None:
    assert mrp_of(product, code, factor) == mrp


def test_a_product_is_found_by_its_words_and_by_its_codes_from_both_ends() -> None:
    assert search_keys("Rice rice 2kg", "KE-RICE-007", ["6161100000018"]) == {
        *("rice", "2kg", "ke"),
        *("=kerice007", "~700ecirek", "=6161100000018", "~8100000011616"),
    }
    assert search_keys("Rice", "%") == {"rice", "=%", "~%"}
    assert max(map(len, search_keys("x" * 200, "y" * 64))) == 64


@pytest.mark.parametrize(("term", "pattern"), [("mlk", "m%l%k%"), ("m", None), ("2kg", None), ("200", None)])
def test_only_words_of_letters_are_taken_for_shortened_ones(term: str, pattern: str | None) -> None:
    assert letters_of(term) == pattern
