"""Statements fetched and held against the books, on both databases: what is planted is found, and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from plugins.payments.api import provider_money, stated_payments, stated_refunds
from plugins.payments.testing.toy_box import ToyBox, a_toy_payment
from plugins.reconciliation.models import Difference, Line, Match, Source
from plugins.reconciliation.tests.looking import days_later, differences, fetched, outcomes, paid, rows, table


def booked(toy: ToyBox, kind: str, number: str, amount: int, **more: Any) -> None:
    """A line that the provider states, whatever was paid."""
    at = toy.box.clock.now.isoformat()
    toy.provider.booked.append({"kind": kind, "number": number, "amount": amount, "currency": "KES", "at": at, **more})


async def test_planted_missing_extra_and_differing_payments_are_found_once_over_pages_and_windows(toy: ToyBox) -> None:
    toy.provider.page = 2
    good, differing, missing = [await paid(toy, amount) for amount in (25_000, 30_000, 40_000)]
    payments = {one["amount"]: one for one in toy.provider.payments.values()}
    payments[30_000]["money"][0]["amount"] = 29_000
    hidden = payments[40_000]["money"].copy()
    payments[40_000]["money"].clear()
    booked(toy, "payment", "X1", 12_300)
    booked(toy, "fee", "F1", 0, fee=300, tax=50, net=-300)
    await fetched(toy)
    expected = [
        ("fee", "fee_diff", 0),
        ("payment", "amount_diff", 29_000),
        ("payment", "matched", 25_000),
        ("payment", "missing_here", 12_300),
    ]
    assert await outcomes(toy) == expected
    found = [("amount_diff", "open", -1_000), ("fee_diff", "open", 50), ("missing_here", "open", 12_300)]
    assert await differences(toy) == found
    first = await rows(toy, Line)
    toy.box.clock.now += dt.timedelta(hours=7)
    await fetched(toy)
    assert (await rows(toy, Line), await differences(toy)) == (first, found), "overlapping windows add nothing"
    days_later(toy, 4)
    await fetched(toy)
    assert await differences(toy) == [*found, ("missing_there", "open", -40_000)]
    by_kind = {row.kind: row for row in await rows(toy, Difference)}
    assert by_kind["missing_there"].payment_id == missing
    assert {row.subject_id for row in await rows(toy, Match)} == {good, differing}
    tray = [row for row in await table(toy, provider_money()) if row.payment_id is None]
    assert [(row.money_key, row.amount, row.state) for row in tray] == [("X1", 12_300, "unclaimed")]
    [source] = await rows(toy, Source)
    assert (source.fetched_until, source.last_fault) == (toy.box.clock.now, None)
    payments[40_000]["money"].append(hidden[0] | {"at": toy.box.clock.now.isoformat()})
    await fetched(toy)
    assert await differences(toy) == [*found, ("missing_there", "cleared", -40_000)], "it was stated later"
    assert await outcomes(toy) == sorted([*expected, ("payment", "matched", 40_000)])


async def test_what_a_statement_alone_tells_of_is_heard_as_from_any_other_source(toy: ToyBox) -> None:
    toy.provider.next("ask", "lose")
    toy.provider.always("find", "not_found")
    payment = await a_toy_payment(toy.box, 25_000)
    await toy.box.run_jobs()
    id_ = toy.provider.only()["id"]
    number = toy.provider.pay(id_)
    toy.provider.refunds["elsewhere"] = {
        **{"id": "elsewhere", "payment": id_, "amount": 10_000, "currency": "KES", "status": "done"},
        **{"at": toy.box.clock.now.isoformat(), "reference": toy.provider.only()["reference"], "money": number},
    }
    await fetched(toy)
    [known] = await table(toy, stated_payments())
    assert (known.id, known.amount) == (payment, 25_000), "it captures the payment that waited for it"
    [back] = await table(toy, stated_refunds())
    assert (back.payment_id, back.amount) == (payment, 10_000), "a refund that was made elsewhere is recorded"
    assert ("payment", "matched", 25_000) in await outcomes(toy)
    assert ("refund", "matched", -10_000) in await outcomes(toy)
