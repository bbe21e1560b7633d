"""Statements fetched and held against the books, on both databases: what is planted is found, and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from plugins.payments.models import Attempt, Money
from plugins.payments.testing.toy_box import ToyBox, a_toy_payment
from plugins.reconciliation.models import Difference, Line, Match, Source
from plugins.reconciliation.tests.looking import days_later, differences, fetched, outcomes, paid, rows


def booked(toy: ToyBox, kind: str, number: str, amount: int, **more: Any) -> None:
    """A line that the provider states, whatever was paid."""
    at = toy.box.clock.now.isoformat()
    toy.provider.booked.append({"kind": kind, "number": number, "amount": amount, "currency": "KES", "at": at, **more})


async def test_planted_missing_extra_and_differing_payments_are_found_and_nothing_else(toy: ToyBox) -> None:
    good, differing, missing = [await paid(toy, amount) for amount in (25_000, 30_000, 40_000)]
    payments = {one["amount"]: one for one in toy.provider.payments.values()}
    payments[30_000]["money"][0]["amount"] = 29_000
    payments[40_000]["money"].clear()
    booked(toy, "payment", "X1", 12_300)
    await fetched(toy)
    assert await outcomes(toy) == [
        ("payment", "amount_diff", 29_000),
        ("payment", "matched", 25_000),
        ("payment", "missing_here", 12_300),
    ]
    assert await differences(toy) == [("amount_diff", "open", -1_000), ("missing_here", "open", 12_300)]
    days_later(toy, 4)
    await fetched(toy)
    assert await differences(toy) == [
        ("amount_diff", "open", -1_000),
        ("missing_here", "open", 12_300),
        ("missing_there", "open", -40_000),
    ]
    found = {row.kind: row for row in await rows(toy, Difference)}
    assert found["missing_there"].payment_id == missing
    assert {row.subject_id for row in await rows(toy, Match)} == {good, differing}
    tray = [row for row in await rows(toy, Money) if row.attempt_id is None]
    assert [(row.money_key, row.amount, row.known_by) for row in tray] == [("X1", 12_300, "statement")]


async def test_overlapping_windows_and_paging_state_no_line_twice(toy: ToyBox) -> None:
    toy.provider.page = 2
    for amount in (10_000, 20_000, 30_000, 40_000, 50_000):
        await paid(toy, amount)
    await fetched(toy)
    first = await rows(toy, Line)
    assert len(first) == 5
    toy.box.clock.now += dt.timedelta(hours=7)
    await fetched(toy)
    assert await rows(toy, Line) == first
    assert toy.provider.count("statement") >= 6
    [source] = await rows(toy, Source)
    assert (source.fetched_until, source.last_fault) == (toy.box.clock.now, None)


async def test_money_that_a_statement_alone_tells_of_captures_the_payment_that_waits_for_it(toy: ToyBox) -> None:
    toy.provider.next("ask", "lose")
    toy.provider.always("find", "not_found")
    payment = await a_toy_payment(toy.box, 25_000)
    await toy.box.run_jobs()
    toy.provider.pay(toy.provider.only()["id"])
    await fetched(toy)
    [attempt] = await rows(toy, Attempt)
    assert (attempt.id, attempt.state, attempt.captured) == (payment, "captured", 25_000)
    assert await outcomes(toy) == [("payment", "matched", 25_000)]
    assert await differences(toy) == []


async def test_a_payment_that_is_stated_later_clears_its_difference(toy: ToyBox) -> None:
    await paid(toy, 25_000)
    kept = toy.provider.only()["money"].copy()
    toy.provider.only()["money"].clear()
    await fetched(toy)
    days_later(toy, 4)
    await fetched(toy)
    assert await differences(toy) == [("missing_there", "open", -25_000)]
    toy.provider.only()["money"].extend([kept[0] | {"at": toy.box.clock.now.isoformat()}])
    toy.box.clock.now += dt.timedelta(hours=1)
    await fetched(toy)
    assert await differences(toy) == [("missing_there", "cleared", -25_000)]
    assert await outcomes(toy) == [("payment", "matched", 25_000)]
