"""What a form's fields become."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import BadRequest, MalformedJson, TooDeep
from kernel.testing.box import Box
from plugins.console.services.forms import body_of, filled, read_form
from plugins.console.services.showing import Showing
from plugins.console.testing import Browser


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ([("name", "Rice"), ("_to", "/x")], {"name": "Rice"}),
        ([("price:opt", " "), ("note:null", ""), ("sku:opt", "A")], {"note": None, "sku": "A"}),
        ([("n:int", "5"), ("m:int", "five"), ("o:intopt", "")], {"n": 5, "m": "five"}),
        ([("on:bool", "on"), ("off:bool", "false")], {"on": True, "off": False}),
        ([("tags:list", "a, b\nc,,")], {"tags": ["a", "b", "c"]}),
        ([("tags:list", "a"), ("tags:list", "b")], {"tags": ["a", "b"]}),
        ([("lines.10.q", "3"), ("lines.2.q", "1")], {"lines": [{"q": "1"}, {"q": "3"}]}),
        ([("a.b.c:json", '{"x":1}')], {"a": {"b": {"c": {"x": 1}}}}),
        ([("text", "one\r\ntwo")], {"text": "one\ntwo"}),
        ([("/limits/sales.void:null", "")], {"limits": {"sales.void": None}}),
        ([("held:list", ""), ("held:list", "a")], {"held": ["a"]}),
        ([("n:intnull", ""), ("m:intnull", "5")], {"n": None, "m": 5}),
        ([("lines:rows", "")], {"lines": []}),
        ([("lines:rows", ""), ("lines.0.q", "3")], {"lines": [{"q": "3"}]}),
        ([("lines.0.q", "3"), ("lines:rows", "")], {"lines": [{"q": "3"}]}),
        ([("range:group", ""), ("range.step:opt", "")], {"range": None}),
        ([("range:group", ""), ("range.step:opt", "1")], {"range": {"step": "1"}}),
        (
            [
                ("r:rows", ""),
                ("r.0.n:row", ""),
                ("r.0.p:row", " "),
                ("r.0.u", "kg"),
                ("r.1.n:row", ""),
                ("r.1.p:row", "5"),
            ],
            {"r": [{"n": "", "p": "5"}]},
        ),
    ],
)
def test_fields_become_a_body(fields: list[tuple[str, str]], body: dict[str, Any]) -> None:
    assert body_of(fields) == body


@pytest.mark.parametrize("fields", [[("a", "1"), ("a.b", "2")], [("a..b", "1")], [(".".join("abcdefghij"), "1")]])
def test_fields_that_contradict_one_another_are_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest):
        body_of(fields)


@pytest.mark.parametrize("text", ['{"a":' * 600 + "1" + "}" * 600, "[" * 40 + "]" * 40])
def test_json_that_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(TooDeep):
        body_of([("rest:json", text)])


@pytest.mark.parametrize("zone", ["Nope/Nope", "Africa", "../../etc/passwd", "a\0b", ""])
def test_a_time_by_a_clock_that_there_is_none_of_is_left_to_the_api(zone: str) -> None:
    said = [("_zone", zone), ("at:momentopt", "2026-01-01T10:00")]
    assert body_of(said) == {"at": "2026-01-01T10:00"}


def test_many_lists_of_one_name_take_no_time() -> None:
    begun = time.process_time()
    body = body_of([("tags:list", "1," * 100)] * 4_900)
    assert len(body["tags"]) == 490_000
    assert time.process_time() - begun < 1.0


def test_json_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedJson):
        body_of([("a:json", "{")])


@given(st.binary(max_size=300))
def test_no_form_whatsoever_is_a_fault(body: bytes) -> None:
    try:
        body_of(read_form(body))
    except (BadRequest, MalformedJson):
        return


def test_where_a_form_leads_is_filled_in_from_the_answer() -> None:
    assert filled("/sales/{id}", {"id": "7"}) == "/sales/7"
    assert filled("/sales/{id}", None) == "/sales/"


@pytest.mark.parametrize(
    ("language", "region", "currency", "amount", "written"),
    [
        ("en", "KE", "KES", "1234567.5", "KSh 1,234,567.50"),
        ("en", "KE", "KES", "-12", "-KSh 12.00"),
        ("hi", "IN", "INR", "1234567.5", "₹12,34,567.50"),
        ("hi", "KE", "KES", "1234567.5", "KSh 1,234,567.50"),
        ("ar", "KE", "KES", "-1234.5", "\u200e-KSh 1,234.50"),
        ("en", "UG", "UGX", "1500", "USh 1,500"),
        ("en", "KE", "KES", "0.125", "KSh 0.125"),
        ("en", "KE", "KES", None, "–"),
    ],
)
def test_money_is_written_as_the_country_writes_it(
    language: str, region: str, currency: str, amount: str | None, written: str
) -> None:
    assert Showing(language, region, "UTC", currency).money(amount).replace("\xa0", " ") == written


def test_moments_are_written_by_the_clock_on_the_shops_wall() -> None:
    shown = Showing("en", "KE", "Africa/Nairobi", "KES")
    assert shown.moment("2026-11-21T21:30:00Z") == "22 Nov 2026, 00:30"
    assert shown.day("2026-11-21") == "21 Nov 2026"
    assert shown.moment("nonsense") == "–"
    assert Showing("ar", "KE", "Africa/Nairobi").moment("2026-11-21T21:30:00Z") == "22 نوفمبر 2026، 00:30"


def test_a_sign_stands_before_its_number_also_where_lines_run_leftward() -> None:
    """Without the mark a browser puts the sign behind it: 3-."""
    arabic, english = Showing("ar"), Showing("en")
    assert [arabic.number(one, signed=True) for one in ("3", "-3", "0", None)] == ["\u200e+3", "\u200e-3", "0", "–"]
    assert [english.number(one, signed=True) for one in ("3", "-3", "0")] == ["+3", "-3", "0"]
    assert arabic.number("3") == "3"


async def test_a_tick_is_taken_away_without_scripts(box: Box) -> None:
    """A box that is not ticked sends nothing: the field before it says no."""
    place = await box.location()
    owner = Browser(box)
    form = (await owner.get(f"/places/{place}")).form("/locations/*")
    assert [text for name, text in form.fields if name == "is_active:bool"] == ["", "true"]
    assert body_of([("is_active:bool", ""), ("is_active:bool", "true")]) == {"is_active": True}
    form.fields.remove(("is_active:bool", "true"))
    await owner.submit(form)
    assert (await box.client("owner").get(f"/api/v1/locations/{place}")).json()["is_active"] is False
