"""Sentences with places, told in another language."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from kernel.web.sentences import LONGEST, Sentences, filling_of, strays_of, taken_apart

TOLD = Sentences(
    {
        "Only {left} of {name} are left": "{name}: zimebaki {left}",
        "It is taken": "Imechukuliwa",
        "{name} ({sku}): {detail}, says the table": "{name} ({sku}): {detail}",
        "{number} more for {does}": "ongeza {number} upate {does}",
        "any {count} for {amount}": "zozote {count} kwa {amount}",
        "from {least} on {what}": "kuanzia {least}: {what}",
        "from {least} on {what}; {more}": "kuanzia {least}: {what}; {more}",
    }
)


def test_a_sentence_is_found_by_what_was_made_of_it() -> None:
    assert TOLD.said("Only 3 of Rice are left") == "Rice: zimebaki 3"
    assert TOLD.said("It is taken") == "Imechukuliwa"


def test_what_no_sentence_fits_stays_as_it_is() -> None:
    for text in ("", "Only  of Rice are left", "Only 3 of Rice are left.", "Rice", "It is taken ", "x" * (LONGEST + 1)):
        assert TOLD.said(text) == text


def test_what_fills_a_sentence_may_be_one_itself() -> None:
    assert TOLD.said("Rice (R1): It is taken, says the table") == "Rice (R1): Imechukuliwa"
    assert TOLD.said("1 more for any 3 for KSh 100") == "ongeza 1 upate zozote 3 kwa KSh 100"


def test_of_two_that_fit_the_one_with_more_places_is_meant() -> None:
    assert TOLD.said("from 2 on 5; from 6 on 9") == "kuanzia 2: 5; kuanzia 6: 9"


def test_a_place_may_say_what_stands_in_it() -> None:
    told = {"{amount:0} off": "punguzo la {amount}", "{code:c} is used up": "{code} imekwisha", "draft": "rasimu"}
    said = Sentences({**told, "It is {state:w}": "Ni {state}"}).said
    assert (said("KSh 5 off"), said("Turn off")) == ("punguzo la KSh 5", "Turn off")
    assert (said("X-MAS is used up"), said("All of it is used up")) == ("X-MAS imekwisha", "All of it is used up")
    assert (said("It is draft"), said("It is yours alone")) == ("Ni rasimu", "It is yours alone")


def test_a_sentence_that_is_nothing_but_places_is_told_of() -> None:
    assert strays_of(["{name}: {detail}", "{it} of", "Only {left} left", "Plain"]) == ["{name}: {detail}", "{it} of"]


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_characters="{}"), max_size=4), min_size=2, max_size=5),
    st.data(),
)
def test_what_was_filled_in_is_found_so_that_it_makes_the_text_again(pieces: list[str], data: st.DataObject) -> None:
    filled = [data.draw(st.text(min_size=1, max_size=6)) for _ in pieces[1:]]
    text = pieces[0] + "".join(one + piece for one, piece in zip(filled, pieces[1:], strict=True))
    found = filling_of(tuple(pieces), text)
    assert found is not None
    assert pieces[0] + "".join(one + piece for one, piece in zip(found, pieces[1:], strict=True)) == text


def test_a_text_made_to_take_long_takes_none() -> None:
    many = Sentences({"a{x}a{y}a{z}a{v}a{w}aaab{u}c": "?", "abc {x}": "?"})
    began = time.process_time()
    assert many.said("a" * LONGEST) == "a" * LONGEST
    assert time.process_time() - began < 0.1
    assert taken_apart("{").pieces == ("{",)
