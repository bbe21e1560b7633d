"""Prices over time: they never overlap, end when they are to, and give way to what is set since."""

from __future__ import annotations

import datetime as dt
import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.catalog.rules.spans import (
    WHILE,
    Span,
    amended,
    at_of,
    ended_at,
    priced_for_a_while,
    priced_from,
    repriced,
    resumed_from,
)

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
_ids = itertools.count(100)


def an_id() -> UUID:
    return UUID(int=next(_ids))


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from((1, 2, 3))), min_size=1, max_size=12))
def test_prices_over_time_never_overlap_and_each_holds_until_the_next(changes: list[tuple[int, int]]) -> None:
    spans: list[Span] = []
    said: dict[int, int] = {}
    for hour, price in changes:
        spans = amended(spans, priced_from(spans, NOON + hour * HOUR, price, NOON), an_id)
        said[hour] = price
    for one, after in itertools.pairwise(spans):
        assert one.ends_at == after.starts_at
    assert spans[-1].ends_at is None
    for hour in range(22):
        before = [at for at in said if at <= hour]
        now = at_of(spans, NOON + hour * HOUR)
        assert (now.price if now else None) == (said[max(before)] if before else None)


_HOURS = st.integers(0, 12)
Changes = list[tuple[int, int | None, int]]
CHANGES = st.lists(st.tuples(_HOURS, st.none() | st.integers(1, 8), st.sampled_from((1, 2, 3))), max_size=8)
"""(hour, hours or until further notice, price) of changes, one after the other."""


def changed_by(changes: Changes) -> list[Span]:
    spans: list[Span] = []
    for begin, lasts, price in changes:
        at, until = NOON + begin * HOUR, None if lasts is None else NOON + (begin + lasts) * HOUR
        spans = amended(spans, repriced(spans, at, until, price, NOON), an_id)
    return spans


def price_at(spans: list[Span], hour: int) -> int | None:
    found = at_of(spans, NOON + hour * HOUR)
    return found.price if found else None


def in_turn(spans: list[Span]) -> None:
    """Spans that follow each other."""
    for one, following in itertools.pairwise(spans):
        assert one.ends_at is not None
        assert one.starts_at < one.ends_at <= following.starts_at


@given(CHANGES, _HOURS, st.integers(1, 8), st.integers(0, 4))
def test_a_price_for_a_while_holds_for_that_long_and_nothing_else_changes(
    changes: Changes, hour: int, hours: int, price: int
) -> None:
    spans = changed_by(changes)
    at, until = NOON + hour * HOUR, NOON + (hour + hours) * HOUR
    after = amended(spans, priced_for_a_while(spans, at, until, price, NOON), an_id)
    in_turn(after)
    for n in range(24):
        assert price_at(after, n) == (price if hour <= n < hour + hours else price_at(spans, n))
    assert not priced_for_a_while(after, at, until, price, NOON).changes, "the same again"


@given(CHANGES, _HOURS, st.integers(0, 4))
def test_a_price_until_further_notice_goes_on_after_those_for_a_while_up_to_the_next_of_its_kind(
    changes: Changes, hour: int, price: int
) -> None:
    spans, at = changed_by(changes), NOON + hour * HOUR
    after = amended(spans, repriced(spans, at, None, price, NOON), an_id)
    in_turn(after)
    stop = min((one.starts_at for one in spans if one.mark is None and one.starts_at > at), default=NOON + 99 * HOUR)
    for n in range(24):
        there = at_of(spans, NOON + n * HOUR)
        stays = not at <= NOON + n * HOUR < stop or (there and there.mark == WHILE and there.starts_at > at)
        assert price_at(after, n) == (price_at(spans, n) if stays else price)


@given(CHANGES, CHANGES, _HOURS)
def test_former_prices_go_on_from_an_hour_and_those_before_it_stay(changes: Changes, since: Changes, hour: int) -> None:
    former, at = changed_by(changes), NOON + hour * HOUR
    spans = changed_by([*changes, *since])
    after = amended(spans, resumed_from(spans, former, at), an_id)
    in_turn(after)
    for n in range(24):
        assert price_at(after, n) == price_at(former if n >= hour else spans, n)


@pytest.mark.parametrize(
    ("changes", "then", "expected"),
    [
        ([(0, None, 50), (2, 2, 40)], (1, None, 60), [50, 60, 40, 40, 60, 60]),
        ([(0, None, 50), (2, 2, 40)], (3, None, 60), [50, 50, 40, 60, 60, 60]),
        ([(0, None, 50), (2, 2, 40), (5, None, 70)], (1, None, 60), [50, 60, 40, 40, 60, 70]),
        ([(0, None, 50), (3, None, 70), (2, 2, 40)], (1, None, 60), [50, 60, 40, 40, 70, 70]),
        ([(0, None, 50), (1, 1, 40), (3, 1, 45)], (0, None, 60), [60, 40, 60, 45, 60, 60]),
        ([(1, 2, 40)], (0, None, 60), [60, 40, 40, 60, 60, 60]),
        ([(0, None, 50), (1, 4, 40)], (2, 1, 30), [50, 40, 30, 40, 40, 50]),
    ],
)
def test_prices_that_are_set_over_each_other(
    changes: Changes, then: tuple[int, int | None, int], expected: list[int]
) -> None:
    spans = changed_by([*changes, then])
    assert [price_at(spans, hour) for hour in range(6)] == expected


def test_with_a_price_for_a_while_goes_its_end() -> None:
    spans = changed_by([(0, None, 50), (2, 2, 40)])
    running = amended(spans, ended_at(spans[1], NOON + 3 * HOUR, spans), an_id)
    assert [price_at(running, hour) for hour in range(5)] == [50, 50, 40, 50, 50]
    planned = amended(spans, ended_at(spans[1], NOON + HOUR, spans), an_id)
    assert [(one.price, one.ends_at) for one in planned] == [(50, None)]


def test_a_price_that_is_planned_goes_as_if_it_had_never_been_and_one_that_runs_ends() -> None:
    spans: list[Span] = []
    for hour in (0, 2, 4):
        spans = amended(spans, priced_from(spans, NOON + hour * HOUR, hour, NOON), an_id)
    without = amended(spans, ended_at(spans[1], NOON + HOUR, spans), an_id)
    assert [(one.price, one.ends_at) for one in without] == [(0, NOON + 4 * HOUR), (4, None)]
    ended = amended(spans, ended_at(spans[0], NOON + HOUR, spans), an_id)
    assert at_of(ended, NOON + HOUR) is None
    assert at_of(ended, NOON + 2 * HOUR) == spans[1]
