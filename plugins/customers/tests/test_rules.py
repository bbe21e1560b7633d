"""Phone and tax numbers, and what a customer is found by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.customers.rules import (
    WrongNumber,
    phone_number,
    place_of_supply,
    search_terms,
    search_text,
    tax_number,
)


@pytest.mark.parametrize(
    ("text", "region", "kept"),
    [
        ("0712345678", "KE", "+254712345678"),
        ("0712 345-678", "KE", "+254712345678"),
        ("+254 712 345 678", "IN", "+254712345678"),
        ("98000 00101", "IN", "+919800000101"),
    ],
)
def test_a_phone_number_is_kept_as_e164(text: str, region: str, kept: str) -> None:
    assert phone_number(text, region) == kept


@pytest.mark.parametrize("text", ["12", "112", "+999123456789", "()", "0712345"])
def test_a_number_that_cannot_be_called_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(WrongNumber) as refused:
        phone_number(text, "KE")
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "region", "kept"),
    [
        ("P051365947M", "KE", "P051365947M"),
        ("a004416331m", "KE", "A004416331M"),
        ("27AAPFU0939F1ZV", "IN", "27AAPFU0939F1ZV"),
        ("GB 980 7806 84", "GB", "980780684"),
        ("100-123-456", "TZ", "100123456"),
        ("000111111", "RW", "000111111"),
        ("12-3456789", "US", "12-3456789"),
    ],
)
def test_a_tax_number_is_kept_in_its_plain_form(text: str, region: str, kept: str) -> None:
    assert tax_number(text, region) == kept


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("27AAPFU0939F1ZO", "IN"),
        ("P05136594M", "KE"),
        ("Z051365947M", "KE"),
        ("P051365947M", "IN"),
        ("GB 980 7806 85", "GB"),
        ("10012345", "TZ"),
        ("1001234567", "RW"),
        ("TIN 100123456", "TZ"),
    ],
)
def test_a_tax_number_of_another_kind_or_with_a_wrong_check_digit_is_refused(text: str, region: str) -> None:
    with pytest.raises(WrongNumber):
        tax_number(text, region)


def test_a_gstin_names_the_state_and_a_kra_pin_no_place() -> None:
    assert place_of_supply("27AAPFU0939F1ZV", "IN") == "27"
    assert place_of_supply("P051365947M", "KE") is None
    assert place_of_supply(None, "IN") is None


@pytest.mark.parametrize("said", ["0712 345 678", "+254712345678", "712345", "345678"])
def test_a_phone_is_found_as_it_is_dialled_at_home_and_abroad(said: str) -> None:
    kept = search_text("Grace Wambui", "+254712345678", None, None)
    assert all(term in kept for term in search_terms(said))


def test_short_digits_and_words_are_looked_up_as_they_are() -> None:
    assert search_terms("Shop 12") == ["shop", "12"]
    assert search_terms("12 3") == ["12", "3"]
    assert search_terms("") == []


@given(st.text(min_size=1, max_size=30))
def test_everybody_is_found_by_their_own_name(name: str) -> None:
    kept = search_text(name, None, None, None)
    terms = search_terms(name)
    digits = "".join(letter for letter in name if letter in "0123456789")
    assert all(term in kept for term in terms) or terms == [digits]
