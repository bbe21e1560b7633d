"""What a spec declares is kept: policies, budgets, shapes of answers, strikes."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from msgspec import Struct

from kernel.errors import Conflict, Failure, PluginFailed
from kernel.hooks import HookSet, LeftOut, Policy, Strikes, answers, policy_of, recent_of, spec
from kernel.hooks.answering import Answering, NotYours, is_answering, refuse_to_answers
from kernel.hooks.shapes import shape_of

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SHOP, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


class Off(Struct, frozen=True):
    """An answer."""

    percent: int


class Named(Protocol):
    """Whatever has a name."""

    @property
    def name(self) -> str:
        """Its name."""


def _positive(value: Any, arguments: Any) -> str | None:
    return None if all(one.percent > arguments["line"] for one in value) else "takes off too little"


@spec(failing="skip", budget_ms=30, check=_positive)
def price(line: int) -> Sequence[Off] | None:
    """Ask for a price."""


@spec(failing="refuse", budget_ms=30)
async def sold(work: Any) -> None:
    """Tell of a sale."""


@spec
async def filled(demo: Any) -> str | None:
    """Fill a demo."""


@spec
def bare() -> int | None:
    """Ask for a number."""


def module(name: str, **functions: Callable[..., Any]) -> ModuleType:
    made = ModuleType(name)
    for called, function in functions.items():
        function.__name__ = called
        setattr(made, called, function)
    return made


def hooks(**functions: Callable[..., Any]) -> HookSet:
    """What one plugin called `apple` answers."""
    listeners = module("listeners", **{name: answers(function) for name, function in functions.items()})
    return HookSet([module("hooks", price=price, sold=sold, filled=filled, bare=bare)], [("apple", listeners)])


def test_a_bare_spec_refuses_and_has_time_by_its_kind() -> None:
    assert policy_of(bare) == Policy("refuse", 500)
    assert policy_of(filled) == Policy("refuse", 3_000)
    assert (policy_of(price).failing, policy_of(price).budget_ms) == ("skip", 30)


@pytest.mark.parametrize("said", [{"failing": "maybe"}, {"budget_ms": 0}, {"budget_ms": -1}])
def test_nonsense_in_a_spec_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="failing is"):
        spec(**said)


class Raising(list[Off]):
    """A list that cannot be looked through."""

    def __iter__(self) -> Iterator[Off]:
        raise MemoryError


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([Off(0)], "takes off too little"),
        ("garbage", "answered a str"),
        ([1], "answered a list"),
        (iter([Off(5)]), "answered a list_iterator"),
        ({"percent": 5}, "answered a dict"),
        (Raising([Off(5)]), "answered a Raising"),
        (float("nan"), "answered a float"),
    ],
)
def test_an_answer_that_is_none_is_left_out_where_the_hook_does_without(value: Any, words: str) -> None:
    with pytest.raises(LeftOut) as told:
        hooks(price=lambda line: value).ask(price, line=1)
    assert told.value.failure == Failure("apple", "price", "skip", told.value.failure.words)
    assert words in told.value.failure.words


def test_a_good_answer_comes_through() -> None:
    [answer] = hooks(price=lambda line: (Off(5),)).ask(price, line=1)
    assert answer.value == (Off(5),)


def test_a_late_answer_has_failed_although_it_came() -> None:
    def slow(line: int) -> list[Off]:
        time.sleep(0.05)
        return [Off(5)]

    with pytest.raises(LeftOut, match=r"took [0-9]+ ms, and may take 30"):
        hooks(price=slow).ask(price, line=1)


async def test_an_asynchronous_answer_is_ended_when_its_time_is_over() -> None:
    async def hangs(work: Any) -> None:
        await asyncio.sleep(60)

    begun = time.monotonic()
    with pytest.raises(PluginFailed, match="apple failed") as told:
        await hooks(sold=hangs).tell(sold, work=None)
    assert time.monotonic() - begun < 5
    assert "may take 30" in told.value.failure.words


async def test_an_answer_that_burns_its_time_or_keeps_its_end_to_itself_is_late() -> None:
    async def burns(work: Any) -> None:
        time.sleep(0.05)  # noqa: ASYNC251 - it is what is tested

    async def clings(work: Any) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return

    for answer in (burns, clings):
        with pytest.raises(PluginFailed) as told:
            await hooks(sold=answer).tell(sold, work=None)
        assert "may take 30" in told.value.failure.words


async def test_what_is_said_where_nothing_is_asked_is_a_failure() -> None:
    async def says(work: Any) -> str:
        return "thanks"

    with pytest.raises(PluginFailed):
        await hooks(sold=says).tell(sold, work=None)


async def test_a_refusal_on_purpose_is_raised_as_it_is_and_counts_as_no_failure() -> None:
    async def refuses(work: Any) -> None:
        raise Conflict("no")

    made = hooks(sold=refuses)
    with pytest.raises(Conflict, match="no"):
        await made.tell(sold, work=None)
    assert made._meter["apple", "sold"].failures == 0
    assert made._meter["apple", "sold"].calls == 1


async def test_a_request_that_is_given_up_is_no_failure_of_the_plugin() -> None:
    begun = asyncio.Event()

    async def waits(demo: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    made = hooks(filled=waits)
    task = asyncio.create_task(made.tell(filled, demo=None))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert made._meter["apple", "filled"].failures == 0


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), MemoryError(), RecursionError()])
async def test_an_answer_that_ends_the_process_or_cancels_itself_has_failed(error: BaseException) -> None:
    async def ends(work: Any) -> None:
        raise error

    with pytest.raises(PluginFailed) as told:
        await hooks(sold=ends).tell(sold, work=None)
    assert type(error).__name__ in told.value.failure.words


async def test_an_answer_inside_a_unit_of_work_may_not_steer_it_and_one_outside_may() -> None:
    async def commits(work: Any) -> None:
        try:
            refuse_to_answers("commit the transaction")
        except NotYours:
            return

    async def fills(demo: Any) -> str:
        refuse_to_answers("commit the transaction")
        return "filled"

    with pytest.raises(PluginFailed) as told:
        await hooks(sold=commits).tell(sold, work=None)
    assert told.value.failure.words == "tried to commit the transaction"
    assert [one.value for one in await hooks(filled=fills).tell(filled, demo=None)] == ["filled"]
    assert not is_answering()


def test_what_an_answer_within_an_answer_tried_is_held_against_both() -> None:
    with Answering("a", "outer") as outer:
        with Answering("b", "inner"), pytest.raises(NotYours, match="b tried"):
            refuse_to_answers("commit")
        assert outer.tried == "commit"


def test_what_is_tripped_is_not_asked_unless_it_is_needed() -> None:
    async def hears(work: Any) -> None:
        """Hears."""

    listeners = module("listeners", price=answers(lambda line: [Off(5)]), sold=answers(hears))
    specs = [module("hooks", price=price, sold=sold)]
    tripped = frozenset({("apple", "price"), ("apple", "sold")})
    made = HookSet(specs, [("apple", listeners)], tripped=tripped)
    assert made.ask(price, line=1) == []
    assert (made.listeners("price"), made.listeners("sold")) == ([], ["apple"])


def returning(kind: Any) -> Callable[..., Any]:
    def asked() -> None:
        """Ask."""

    asked.__annotations__["return"] = kind
    return asked


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (int | None, [1, 0], [True, 1.0, "1"]),
        (bool | None, [True, False], [1, "yes"]),
        (str, ["a"], [b"a", 1]),
        (Sequence[Off | str] | None, [[Off(1), "a"], (), []], ["a", [1], {Off(1)}, Off(1)]),
        (list[int], [[1]], [[1.0], 1]),
        (Struct | None, [Off(1)], [Off, 1, {}]),
        (Named, [Path("x")], [1]),
        (None, [None], [0, "", False]),
        (Any, [1, None, object()], []),
        (dict[str, int], [{}, {"a": 1}], [[], 1]),
    ],
)
def test_a_specs_annotation_says_what_an_answer_is(kind: Any, good: list[Any], bad: list[Any]) -> None:
    fits = shape_of(returning(kind))
    assert [fits(one) for one in good] == [True for _ in good]
    assert [fits(one) for one in bad] == [False for _ in bad]


def failure(plugin: str = "apple", failing: Any = "skip") -> Failure:
    return Failure(plugin, "price", failing, "raised KeyError")


@pytest.mark.parametrize(
    ("minutes", "trips", "kept"),
    [
        ((0,), False, 1),
        ((0, 4), False, 2),
        ((0, 4, 11), False, 2),
        ((0, 4, 10), True, 3),
        ((12, 4, 11, 0), True, 3),
        ((0, 6, 12), False, 2),
        ((0, 1, 2, 30), True, 1),
    ],
)
def test_three_strikes_within_the_window_trip_in_whatever_order_they_came(
    minutes: tuple[int, ...], trips: bool, kept: int
) -> None:
    times = [NOON + dt.timedelta(minutes=one) for one in minutes]
    counting, tripped = recent_of(times, 3, dt.timedelta(minutes=10))
    assert (tripped, len(counting)) == (trips, kept)


def test_strikes_are_kept_apart_by_business_and_plugin() -> None:
    strikes = Strikes(3, dt.timedelta(minutes=10))
    for business, plugin, minutes in [(SHOP, "a", 0), (OTHER, "a", 0), (SHOP, "b", 0), (SHOP, "a", 6)]:
        strikes.note(business, failure(plugin), NOON + dt.timedelta(minutes=minutes))
    assert {key[:2]: len(one.times) for key, one in strikes.take().items()} == {
        (SHOP, "a"): 2,
        (OTHER, "a"): 1,
        (SHOP, "b"): 1,
    }
    assert not strikes.waiting


def test_what_is_needed_is_counted_and_never_trips() -> None:
    strikes = Strikes(1)
    for _ in range(5):
        strikes.note(SHOP, failure(failing="refuse"), NOON)
    assert [(one.strikes, one.times) for one in strikes.take().values()] == [(5, ())]
    assert recent_of((), 1, dt.timedelta(minutes=10)) == ([], False)


def test_what_could_not_be_written_is_kept_and_a_reset_forgets() -> None:
    strikes = Strikes(9)
    strikes.note(SHOP, failure(), NOON)
    taken = strikes.take()
    strikes.note(SHOP, failure(), NOON + dt.timedelta(minutes=1))
    strikes.put_back(taken)
    [noted] = strikes.take().values()
    assert (noted.strikes, noted.first_at, len(noted.times)) == (2, NOON, 2)
    strikes.put_back({(SHOP, "apple", "price"): noted, (OTHER, "apple", "price"): noted})
    strikes.forget(SHOP, "apple")
    assert list(strikes.take()) == [(OTHER, "apple", "price")]
    strikes.note(uuid.UUID(int=0), failure(), NOON)
    assert not strikes.waiting, "above all businesses there is nothing to trip"
