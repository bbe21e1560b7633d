"""What a payment comes to: whatever the order of its facts, money that came wins."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import CURRENCIES
from plugins.payments.rules import (
    CASH_STEPS,
    PRECEDENCE,
    STATE_OF,
    TRANSITIONS,
    Fact,
    FactKind,
    Source,
    State,
    came_late,
    cash_step,
    higher,
    project,
)
from plugins.payments.schemas.states import OPEN_STATES, PAYMENT_STATES

KINDS: tuple[FactKind, ...] = (
    "accepted",
    "pending",
    "action",
    "unknown",
    "expired",
    "cancelled",
    "failed",
    "authorised",
    "released",
    "captured",
    "settled",
    "refund_pending",
    "refund_failed",
    "refund_done",
)


def fact(kind: FactKind, source: Source = "provider", **more: object) -> Fact:
    """A fact of 8.50 KES with a name of its own kind."""
    given: dict[str, object] = {"dedupe_key": f"{source}:{kind}", "amount": 850, "currency": "KES", **more}
    return Fact(kind, source, **given)  # type: ignore[arg-type]


facts = st.builds(
    Fact,
    kind=st.sampled_from(KINDS),
    source=st.sampled_from(("hand", "provider", "query", "statement", "clock")),
    dedupe_key=st.sampled_from(("a", "b", "c")),
    amount=st.integers(0, 3),
    currency=st.sampled_from(("KES", "USD")),
    money_key=st.sampled_from((None, "m1", "m2")),
    refund_ref=st.sampled_from(("r1", "r2")),
)


@given(st.lists(facts, max_size=7), st.data())
def test_any_order_and_repetition_of_the_facts_gives_the_same_payment(said: list[Fact], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(said), max_size=4)) if said else []
    mixed = data.draw(st.permutations(said + again))
    assert project(2, "KES", mixed) == project(2, "KES", said)


def test_every_order_of_up_to_five_facts_comes_to_one_state() -> None:
    told = [fact(kind) for kind in ("pending", "unknown", "expired", "cancelled", "authorised", "released", "settled")]
    money = [fact("captured", money_key="m1"), fact("captured", "query", amount=None), fact("captured", currency="USD")]
    every = [*told, *money, fact("failed", "clock"), fact("refund_done")]
    for some in itertools.chain.from_iterable(itertools.combinations(every, size) for size in range(1, 6)):
        assert len({project(850, "KES", order) for order in itertools.permutations(some)}) == 1, some


@given(st.lists(facts, max_size=7), facts)
def test_one_more_fact_never_lowers_the_state_or_takes_money_back(said: list[Fact], more: Fact) -> None:
    before, after = project(2, "KES", said), project(2, "KES", [*said, more])
    assert higher(before.state, after.state) == after.state
    told_before = {one.money_key or one.dedupe_key for one in said if one.kind == "captured"}
    if more.kind != "captured" or (more.money_key or more.dedupe_key) not in told_before:
        assert after.captured >= before.captured


@given(st.lists(facts, max_size=7))
def test_refunds_never_take_a_capture_back(said: list[Fact]) -> None:
    without = [one for one in said if not one.kind.startswith("refund")]
    with_refunds, alone = project(2, "KES", said), project(2, "KES", without)
    assert (with_refunds.state, with_refunds.captured) == (alone.state, alone.captured)


@given(st.lists(facts, max_size=7))
def test_money_in_another_currency_is_never_credited(said: list[Fact]) -> None:
    foreign = [one for one in said if one.kind == "captured" and one.currency != "KES"]
    ours = [one for one in said if one not in foreign]
    assert project(2, "KES", said).captured == project(2, "KES", ours).captured
    assert ("needs_review" in project(2, "KES", said).flags) >= bool(foreign)


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ((), "created"),
        (("accepted",), "pending"),
        (("accepted", "action"), "requires_action"),
        (("accepted", "unknown"), "pending"),
        (("unknown", "failed"), "failed"),
        (("accepted", "cancelled", "expired"), "cancelled"),
        (("authorised", "failed"), "authorised"),
        (("authorised", "released"), "released"),
        (("released", "captured"), "captured"),
        (("captured", "failed"), "captured"),
        (("failed", "captured"), "captured"),
        (("expired", "captured"), "captured"),
        (("captured", "refund_done"), "captured"),
        (("captured", "settled"), "settled"),
        (("settled", "failed"), "settled"),
    ],
)
def test_the_best_news_is_the_state(kinds: tuple[FactKind, ...], state: State) -> None:
    assert project(850, "KES", [fact(kind) for kind in kinds]).state == state


def test_our_own_clock_ends_no_payment() -> None:
    for kind in ("expired", "failed", "cancelled"):
        assert project(850, "KES", [fact(kind, "clock")]).state == "unknown"
        assert project(850, "KES", [fact("accepted"), fact(kind, "clock")]).state == "pending"
        assert project(850, "KES", [fact(kind, "query")]).state == kind


def test_the_same_money_told_by_two_ways_is_credited_once() -> None:
    told = [
        fact("captured", money_key="QKL1", dedupe_key="callback"),
        fact("captured", "query", money_key="QKL1", dedupe_key="query"),
    ]
    assert project(850, "KES", told).captured == 850
    twice = [told[0], fact("captured", money_key="QKL2", dedupe_key="second")]
    assert project(850, "KES", twice) == project(850, "KES", reversed(twice))
    assert (project(850, "KES", twice).captured, project(850, "KES", twice).flags) == (1700, ("overpaid",))


def test_money_told_with_two_amounts_counts_as_the_lesser_and_asks_for_review() -> None:
    told = [
        fact("captured", money_key="QKL1", dedupe_key="callback"),
        fact("captured", "statement", money_key="QKL1", dedupe_key="statement", amount=800),
    ]
    come_to = project(850, "KES", told)
    assert (come_to.captured, come_to.flags) == (800, ("underpaid", "needs_review"))


def test_a_refund_is_what_the_most_telling_fact_says_of_it() -> None:
    said = [
        fact("captured"),
        fact("refund_done", refund_ref="r1", amount=100),
        fact("refund_pending", refund_ref="r1", amount=100),
        fact("refund_pending", refund_ref="r2", amount=200),
        fact("refund_failed", refund_ref="r3", amount=300),
        fact("refund_pending", refund_ref="r3", amount=300),
    ]
    come_to = project(850, "KES", said)
    assert (come_to.refunded, come_to.refund_pending) == (100, 200)


def test_only_money_after_bad_news_is_late() -> None:
    assert came_late([fact("accepted"), fact("expired"), fact("captured")])
    assert not came_late([fact("captured"), fact("failed")])
    assert not came_late([fact("expired", "clock"), fact("captured")])


def test_the_table_of_transitions_is_whole_and_never_leads_down() -> None:
    assert set(TRANSITIONS) == set(PRECEDENCE)
    for state, row in TRANSITIONS.items():
        assert set(row) == set(STATE_OF)
        assert all(PRECEDENCE.index(to) >= PRECEDENCE.index(state) for to in row.values())
    assert set(KINDS) - set(STATE_OF) == {"refund_pending", "refund_failed", "refund_done"}


def test_coins_are_rounded_only_where_no_smaller_ones_are_left() -> None:
    assert [cash_step(currency) for currency in ("CHF", "NZD", "SEK", "TZS")] == [5, 10, 100, 100]
    assert [cash_step(currency) for currency in ("KES", "INR", "UGX", "USD", "EUR")] == [1] * 5
    assert set(CASH_STEPS) <= set(CURRENCIES)


def test_every_state_of_a_payment_has_its_words_on_pages() -> None:
    assert set(PAYMENT_STATES) == set(get_args(State))
    assert set(OPEN_STATES) <= set(PAYMENT_STATES)
