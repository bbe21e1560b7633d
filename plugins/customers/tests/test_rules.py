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
