"""Values of fields of a business's own: what each kind takes, and that keys sort as values do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.custom import Field, WrongValue, key_of, read_text, read_value, written
from kernel.custom.values import Kind

ID = "0193b6a0-0000-7000-8000-000000000001"


def field(kind: Kind) -> Field:
    return Field(uuid.UUID(int=1), "catalog.product", "it", "It", kind, False, ("red", "dark blue"), None)


@pytest.mark.parametrize(
    ("kind", "said", "stored"),
    [
        ("text", "Grain, long", "Grain, long"),
        ("text", "é" * 500, "é" * 500),
        ("number", "2.50", "2.5"),
        ("number", "-0", "0"),
        ("number", "-0.000001", "-0.000001"),
        ("number", "999999999999.999999", "999999999999.999999"),
        ("date", "2026-02-28", "2026-02-28"),
        ("choice", "dark blue", "dark blue"),
        ("reference", ID.upper(), ID),
        ("bool", True, True),
        ("bool", False, False),
    ],
)
def test_a_kind_takes_its_values_and_writes_each_in_one_way(kind: Kind, said: Any, stored: Any) -> None:
    assert read_value(field(kind), said) == stored
    assert read_text(field(kind), written(stored)) == stored


WRONG: Mapping[Kind, Sequence[Any]] = {
    "text": ("", " x", "x ", "a\nb", "a\x00b", "x" * 501, 5, True, [], {}),
    "number": ("", "1e3", "+1", "01", "1.", ".5", "NaN", "1.1234567", "1" * 13, "٣", 5, 1.5),
    "date": ("2026-02-30", "20260228", "2026-2-3", "0000-01-01", "", 5),
    "choice": ("blue", "RED", "", 5),
    "reference": ("x", ID[:-1], f"{{{ID}}}", 5),
    "bool": ("true", 1, 0, ""),
}


@pytest.mark.parametrize(("kind", "said"), [(kind, said) for kind, many in WRONG.items() for said in many])
def test_what_a_kind_does_not_take_is_refused_without_being_repeated(kind: Kind, said: Any) -> None:
    with pytest.raises(WrongValue):
        read_value(field(kind), said)


def test_cells_and_query_strings_may_say_yes_and_no_and_midnight() -> None:
    assert [read_text(field("bool"), said) for said in ("yes", "No", "TRUE", "0")] == [True, False, True, False]
    assert read_text(field("date"), "2026-02-28T00:00:00") == "2026-02-28"
    with pytest.raises(WrongValue):
        read_text(field("bool"), "perhaps")


numbers = st.decimals(min_value=Decimal(-(10**12)) + 1, max_value=Decimal(10**12) - 1, places=6, allow_nan=False)


@given(numbers, numbers)
def test_keys_of_numbers_are_in_the_order_of_the_numbers(one: Decimal, other: Decimal) -> None:
    low, high = (read_value(field("number"), f"{said:f}") for said in sorted((one, other)))
    assert (key_of("number", low) < key_of("number", high)) == (min(one, other) < max(one, other))
    assert Decimal(str(low)) == min(one, other)
