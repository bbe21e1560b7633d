"""P9 for refunds: many at once, to a provider whose answers are lost, give back no more than came, each one once.

A twin that sends again what it does not know the end of is caught by the same check.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from plugins.payments.models import Attempt, Refund
from plugins.payments.testing.toy_box import ToyBox, a_paid_one
from plugins.payments.tests.test_giving_back import give_back, rows

FEW = 12
MANY = 50


async def refund_at_once(toy: ToyBox, count: int) -> list[str]:
    """Ask for more refunds at once than there is money for, all answers lost; what is wrong at the end."""
    box, each = toy.box, 25_000 * 2 // count // 100 * 100
    payment_id = await a_paid_one(toy)
    toy.provider.always("refund", "lose")
    answers = await asyncio.gather(*(give_back(box, payment_id, f"{each / 100:.2f}") for _ in range(count)))
    fits = 25_000 // each
    assert sorted(one.status_code for one in answers) == [201] * fits + [409] * (count - fits)
    for _ in range(3):
        await asyncio.gather(box.run_jobs(), box.run_jobs())
        box.clock.pass_by(minutes=10)
    await box.run_jobs()
    sent = Counter(body["id"] for kind, _, body in toy.provider.calls if kind == "refund")
    given = sum(one["amount"] for one in toy.provider.refunds.values())
    booked = {str(one.id): one.amount for one in await rows(box, Refund) if one.state == "done"}
    [payment] = await rows(box, Attempt)
    wrong = [f"{id_} was sent {times} times" for id_, times in sent.items() if times > 1]
    if given > 25_000:
        wrong.append(f"{given} went back of 25000")
    if booked != {id_: one["amount"] for id_, one in toy.provider.refunds.items()}:
        wrong.append("what is booked is not what went back")
    if payment.refundable != payment.captured - sum(booked.values()):
        wrong.append("what is left is not what did not go back")
    return wrong


async def test_refunds_at_once_whose_answers_are_lost_go_back_once_each(toy: ToyBox) -> None:
    assert await refund_at_once(toy, FEW) == []


@pytest.mark.prove
async def test_fifty_refunds_at_once_whose_answers_are_lost_go_back_once_each(toy: ToyBox) -> None:
    assert await refund_at_once(toy, MANY) == []


async def test_a_twin_that_sends_again_what_it_does_not_know_is_caught(toy: ToyBox, can: Callable[..., None]) -> None:
    can(retry_is_safe=True)  # which the provider is not
    assert any("was sent" in one for one in await refund_at_once(toy, FEW))
