"""When a provider is asked, how long it is left alone, and what a payment is called there."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.payments.schemas.capabilities import Capabilities
from plugins.payments.services.timing import SLOW_ASKS, next_ask, pause, reference_of

BEGAN = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
CAN = Capabilities(regions=(), spans=(), notices="hint")
PLAN, LAST = CAN.asks_after_s, CAN.asks_last_s


def asked_at(payment_id: uuid.UUID) -> list[tuple[float, bool]]:
    """Seconds after the request at which a payment is asked about, and whether asking is slow by then."""
    found, now = [], BEGAN
    while (planned := next_ask(payment_id, BEGAN, now, PLAN, LAST)) is not None:
        now, is_slow = planned
        found.append(((now - BEGAN).total_seconds(), is_slow))
    return found


@given(st.uuids())
def test_the_plan_is_kept_within_a_fifth_and_then_asking_is_slow_and_ends(payment_id: uuid.UUID) -> None:
    asked = asked_at(payment_id)
    quick, slow = [at for at, is_slow in asked if not is_slow], [at for at, is_slow in asked if is_slow]
    assert PLAN[0] <= quick[0] <= PLAN[0] * 1.2
    assert sorted(quick) == quick
    for at, planned in zip(sorted(quick), PLAN, strict=True):
        assert 0.8 * planned <= at <= 1.2 * planned
    assert len(slow) == SLOW_ASKS
    assert {round(b - a) for a, b in zip([quick[-1], *slow], slow, strict=False)} == {LAST}


def test_payments_of_one_moment_do_not_ask_at_one_moment() -> None:
    assert len({asked_at(uuid.UUID(int=number))[3] for number in range(50)}) > 40


def test_after_a_night_without_asking_the_plan_goes_on_from_now() -> None:
    night = BEGAN + dt.timedelta(hours=9)
    planned = next_ask(uuid.UUID(int=1), BEGAN, night, PLAN, LAST)
    assert planned is not None
    assert planned[0] > night
    assert planned[1]
    assert next_ask(uuid.UUID(int=1), BEGAN, BEGAN + dt.timedelta(days=30), PLAN, LAST) is None


def test_a_closed_gateway_is_left_alone_for_half_a_minute_doubling_to_five() -> None:
    assert [pause(times).total_seconds() for times in range(6)] == [30, 60, 120, 240, 300, 300]
    assert pause(10_000).total_seconds() == 300


@pytest.mark.parametrize(
    ("number", "most", "head"), [("T1-2026-000123", 12, "000123"), ("B-1", 12, "B1"), ("T1", 6, "")]
)
def test_a_reference_ends_in_letters_of_its_own_and_begins_with_the_documents_number(
    number: str, most: int, head: str
) -> None:
    made = {reference_of(number, uuid.UUID(int=each), CAN.reference_letters, most) for each in range(300)}
    assert len(made) == 300
    for one in made:
        assert one.startswith(head)
        assert len(one) == len(head) + 6
        assert set(one) <= set(CAN.reference_letters)
