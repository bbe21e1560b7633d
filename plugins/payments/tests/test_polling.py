"""Asking providers how payments stand, on both databases: by plan, for a reason, and while a provider is down."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.errors import GatewayUnavailable, NotCancellable, PaymentUnderWay
from plugins.payments.models import Attempt, Health, Review
from plugins.payments.services import cancel_payment, polling, request_again
from plugins.payments.services.paths import notify_url
from plugins.payments.services.requesting import ASKING
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import ToyBox, a_toy_payment
from plugins.payments.tests.looking import rows, the

PLAN = Toy.capabilities.asks_after_s


async def let_pass(box: Box, seconds: int, step: int = 5) -> None:
    """Let time go by while jobs are run."""
    for _ in range(0, seconds, step):
        box.clock.pass_by(seconds=step)
        await box.run_jobs()


async def a_sent_payment(toy: ToyBox) -> uuid.UUID:
    payment_id = await a_toy_payment(toy.box)
    await toy.box.run_jobs()
    return payment_id


async def test_a_payment_of_which_nothing_is_told_is_asked_by_plan_then_slowly_and_a_person_is_asked_once(
    toy: ToyBox,
) -> None:
    box, provider = toy.box, toy.provider
    payment_id = await a_sent_payment(toy)
    await let_pass(box, PLAN[0] - 1, 9)
    assert provider.count("find") == 0
    row = await the(box, payment_id)
    for _ in range(2 * len(PLAN)):  # two that its jitter brings too close together are drawn apart
        if row.asks < len(PLAN):
            box.clock.now = row.next_ask_at
            await box.run_jobs()
            row = await the(box, payment_id)
    assert (provider.count("find"), row.asks, row.state) == (len(PLAN), len(PLAN), "pending")
    assert [one.kind for one in await rows(box, Review)] == ["unknown"]
    while (at := (await the(box, payment_id)).next_ask_at) is not None:
        box.clock.now = at
        await box.run_jobs()
    assert provider.count("find") == len(PLAN) + 7
    assert len(await rows(box, Review)) == 1
    provider.pay(provider.only()["id"])
    box.clock.pass_by(seconds=6)
    await box.act(lambda work: polling.ask_now(work, payment_id))
    await box.run_jobs()
    assert (await the(box, payment_id)).state == "captured"


async def test_money_that_a_query_proves_without_its_number_is_asked_about_until_the_number_is_known(
    toy: ToyBox,
) -> None:
    box, provider = toy.box, toy.provider
    payment_id = await a_sent_payment(toy)
    number = provider.pay(provider.only()["id"])
    provider.next("find", "numberless", "numberless")
    await let_pass(box, PLAN[0] + 3)
    row = await the(box, payment_id)
    assert (row.state, row.captured, row.reference) == ("captured", 25_000, None)
    await let_pass(box, 60, 10)
    row = await the(box, payment_id)
    assert (row.captured, row.reference, row.next_ask_at, provider.count("find")) == (25_000, number, None, 3)


async def test_of_many_that_would_ask_one_question_one_does(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await a_sent_payment(toy)
    box.clock.pass_by(seconds=15)

    async def everybody(work: Work) -> None:
        for nth in (0, 0, 0, None, None):
            work.later(ASKING, {"payment_id": str(payment_id)} | ({} if nth is None else {"asks": nth}))

    await box.act(everybody)
    await box.run_jobs()
    assert toy.provider.count("find") == 1
    await let_pass(box, 4, 4)
    assert toy.provider.count("find") == 2, "a reason to ask is kept until it may be asked"


async def test_who_has_a_reason_to_ask_waits_for_no_plan_to_begin(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    asked, hinted, left = [await a_sent_payment(toy) for _ in "123"]
    box.clock.pass_by(seconds=1)
    number = {one: provider.pay((await the(box, one)).provider_ids["payment"]) for one in (asked, hinted, left)}
    answer = await box.client("cashier").post(f"/api/v1/payments/payments/{asked}/ask")
    assert answer.status_code == 200, answer.text
    body, _signature = provider.notice_of((await the(box, hinted)).provider_ids["payment"])
    path = notify_url(box.deployment, box.shop.id, "payment", hinted).partition("/api")[2]
    assert (await box.http.post(f"/api{path}", content=body)).status_code == 200
    await box.run_jobs()
    assert [(await the(box, one)).reference for one in (asked, hinted, left)] == [number[asked], number[hinted], None]
    assert provider.count("find") == 2


async def test_a_provider_that_is_down_for_an_hour_costs_nothing_but_time(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    asked = [await a_sent_payment(toy) for _ in range(6)]
    for payment in list(provider.payments):
        provider.pay(payment)
    provider.always("find", "down")
    provider.always("ask", "html")
    for _ in range(5):
        await a_sent_payment(toy)
    with pytest.raises(GatewayUnavailable, match="cash"):
        await a_toy_payment(box)
    await let_pass(box, 3600, 240)
    assert provider.count("find") < 40, "one call at a time tries whether it is back"
    standing = {row.kind: (row.failed_in_a_row, row.closed_until) for row in await rows(box, Health)}
    assert standing["find"][1] is not None
    assert {(await the(box, one)).state for one in asked} == {"pending"}
    provider.always("find", "accept")
    provider.always("ask", "accept")
    await let_pass(box, 1800, 120)
    assert [(await the(box, one)).captured for one in asked] == [25_000] * 6
    assert {row.kind: row.closed_until for row in await rows(box, Health)}["find"] is None
    await a_sent_payment(toy)
    assert (await rows(box, Attempt))[-1].state == "pending"


async def test_what_a_provider_declines_says_that_it_is_well(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    for mode in ("html", "html", "html", "html", "refuse", "html"):
        provider.next("ask", mode)
        await a_sent_payment(toy)
    standing = next(row for row in await rows(box, Health) if row.kind == "ask")
    assert (standing.failed_in_a_row, standing.closed_until) == (1, None)


async def test_a_request_is_called_back_unless_it_was_paid_meanwhile(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    unsent = await a_toy_payment(box)
    await box.act(lambda work: cancel_payment(work, unsent))
    await box.run_jobs()
    assert ((await the(box, unsent)).state, provider.count("ask")) == ("cancelled", 0)
    sent, paid = await a_sent_payment(toy), await a_sent_payment(toy)
    provider.pay((await the(box, paid)).provider_ids["payment"])
    for one in (sent, paid):
        await box.act(lambda work, one=one: cancel_payment(work, one))  # type: ignore[misc]
    await box.run_jobs()
    assert [(await the(box, one)).state for one in (sent, paid)] == ["cancelled", "captured"]
    with pytest.raises(NotCancellable):
        await box.act(lambda work: cancel_payment(work, paid))


async def test_what_may_still_be_paid_is_not_sent_again_and_what_came_to_nothing_is(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    provider.next("ask", "lose")
    provider.next("find", "not_found")
    payment_id = await a_toy_payment(box)
    await box.run_jobs()
    with pytest.raises(PaymentUnderWay):
        await box.act(lambda work: request_again(work, payment_id, None))
    await let_pass(box, 15)
    assert (await the(box, payment_id)).state == "unknown"
    barrier = asyncio.Barrier(2)

    async def again(work: Work) -> uuid.UUID:
        await barrier.wait()
        return await request_again(work, payment_id, "0712 345 678")

    both = await asyncio.gather(*(box.act(again, read_first=True) for _ in "12"), return_exceptions=True)
    assert sorted(isinstance(one, PaymentUnderWay) for one in both) == [False, True], both
    await box.run_jobs()
    assert provider.count("ask") == 2
    assert len(await rows(box, Attempt)) == 2
