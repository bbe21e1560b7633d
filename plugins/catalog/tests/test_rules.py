"""Barcodes and search words: known codes, mistyped codes, and words of the languages shops are kept in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from plugins.catalog.rules import BadBarcode, BadCheckDigit, check_digit, check_gtin, search_terms

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
