"""Cash steps: amounts rounded to what there are coins for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import round_to_step

BIG = st.integers(-(10**24), 10**24)


@pytest.mark.parametrize(
    ("amount", "step", "rounded"),
    [(198, 5, 200), (2, 5, 0), (3, 5, 5), (63330, 100, 63300), (23089, 5, 23090), (750, 100, 800),
     (1944, 100, 1900), (1954, 100, 2000), (19833, 1, 19833)],
)  # fmt: skip
def test_cash_is_rounded_to_the_step_alike_for_sale_and_refund(amount: int, step: int, rounded: int) -> None:
    assert round_to_step(amount, step) == rounded
    assert round_to_step(-amount, step) == -rounded


@given(BIG, st.integers(1, 10_000))
def test_a_cash_rounding_is_the_nearest_multiple(amount: int, step: int) -> None:
    rounded = round_to_step(amount, step)
    assert rounded % step == 0
    assert abs(rounded - amount) * 2 <= step


def test_a_step_is_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        round_to_step(100, 0)


@pytest.mark.parametrize(
    ("amount", "step", "rounded"), [(195, 5, 195), (-195, 5, -195), (750, 100, 700), (-750, 100, -700), (198, 5, 195)]
)
def test_down_goes_towards_zero(amount: int, step: int, rounded: int) -> None:
    assert round_to_step(amount, step, "down") == rounded


def test_a_step_below_one_is_refused_whichever_way() -> None:
    for mode in ("half_up", "down"):
        with pytest.raises(ValueError, match="positive"):
            round_to_step(100, 0, mode)
