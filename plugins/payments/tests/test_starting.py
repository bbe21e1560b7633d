"""Asking a payer for money over a gateway, on both databases: sent once, whatever dies on the way."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from kernel.db.tables import Job
from kernel.testing.box import Box
from kernel.work import Work, deeds
from plugins.payments.errors import PaymentUnderWay
from plugins.payments.models import Event, Operation
from plugins.payments.services import starting
from plugins.payments.testing import a_subject
from plugins.payments.testing.toy import Toy
from plugins.payments.testing.toy_box import PHONE, ToyBox, a_toy_payment
from plugins.payments.tests.looking import rows, the


async def test_a_payer_is_asked_once_the_document_stands_and_pays(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    payment_id = await a_toy_payment(box)
    row = await the(box, payment_id)
    assert (row.state, row.account_id, provider.count("ask")) == ("created", toy.accounts["mama-njeri"], 0)
    await box.run_jobs()
    [operation] = await rows(box, Operation)
    row = await the(box, payment_id)
    assert (operation.kind, operation.state, row.state, row.show["kind"]) == ("ask", "accepted", "pending", "prompt")
    sent = provider.calls[-1][2]
    assert (sent["amount"], sent["phone"], sent["reference"]) == (25_000, PHONE, row.merchant_ref)
    assert row.provider_ids == {"payment": provider.only()["id"]}
    provider.pay(provider.only()["id"])
    box.clock.pass_by(seconds=13)
    await box.run_jobs()
    row = await the(box, payment_id)
    assert (row.state, row.captured, row.next_ask_at, row.asks) == ("captured", 25_000, None, 1)


ENDS = (
    ("accept", "pending", "accepted", None),
    ("capture", "captured", "accepted", None),
    ("decline", "failed", "accepted", "payer_declined"),
    ("refuse", "failed", "refused", "validation"),
    ("down", "failed", "refused", "provider_down"),
    ("lose", "unknown", "unsure", "timeout"),
    ("html", "unknown", "unsure", "provider_down"),
    ("junk", "unknown", "unsure", "provider_down"),
)


async def test_whatever_the_provider_answers_the_payment_says_what_is_known(toy: ToyBox) -> None:
    box, provider = toy.box, toy.provider
    for mode, state, sent, fault in ENDS:
        provider.next("ask", mode)  # type: ignore[arg-type]
        payment_id = await a_toy_payment(box, subject=a_subject())
        await box.run_jobs()
        row = await the(box, payment_id)
        operation = (await rows(box, Operation))[-1]
        assert (row.state, operation.state, (row.fault or {}).get("kind")) == (state, sent, fault), mode
        assert (row.next_ask_at is None) == (state not in ("pending", "unknown")), mode
    assert provider.count("ask") == len(ENDS)
    assert not await box.jobs("dead")


async def test_two_that_ask_one_payer_for_one_document_at_once_ask_once(toy: ToyBox) -> None:
    box, subject = toy.box, a_subject()
    await a_toy_payment(box, subject=subject)
    with pytest.raises(PaymentUnderWay):
        await a_toy_payment(box, subject=subject)
    await a_toy_payment(box, subject=subject, phone="254712345679")
    await a_toy_payment(box, subject=a_subject())


async def test_a_request_that_waited_longer_than_it_lives_is_never_sent(toy: ToyBox) -> None:
    box = toy.box
    payment_id = await a_toy_payment(box)
    box.clock.pass_by(seconds=Toy.capabilities.lives_s + 1)
    await box.run_jobs()
    row = await the(box, payment_id)
    assert (row.state, row.fault["kind"], toy.provider.count("ask")) == ("failed", "timeout", 0)


class Killed(BaseException):
    """A process that died; nothing of it catches this."""


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Points at which whoever passes dies, each once."""
    armed: list[str] = []

    def crashpoint(name: str) -> None:
        if name in armed:
            armed.remove(name)
            raise Killed(name)

    for module in (starting, deeds):
        monkeypatch.setattr(module, "crashpoint", crashpoint)
    return armed


async def kill_at(box: Box, killer: list[str], point: str) -> None:
    """Run jobs until one dies at a point; then throw every job away, so that only the sweeper is left."""
    killer.append(point)
    with pytest.raises(Killed):
        await box.run_jobs()

    async def forget(work: Work) -> None:
        await work.execute(sa.delete(Job).where(Job.business_id == work.business_id))

    await box.act(forget)


DEATHS = (
    ("deed.before_commit", 0),
    ("payments.before_call", 0),
    ("payments.after_call", 1),
    ("payments.outcome_kept", 1),
)


async def test_wherever_it_dies_the_sweeper_alone_finds_out_and_nothing_is_sent_twice(
    toy: ToyBox, killer: list[str]
) -> None:
    box, provider = toy.box, toy.provider
    for point, arrived in DEATHS:
        before = provider.count("ask")
        payment_id = await a_toy_payment(box, subject=a_subject())
        if was_paid := point == "payments.outcome_kept":  # between what came of the request and its money
            provider.next("ask", "capture")
        await kill_at(box, killer, point)
        assert provider.count("ask") == before + arrived, point
        if arrived and not was_paid:
            provider.pay(max(provider.payments))
        row = await the(box, payment_id)
        for _ in range(12):
            box.clock.pass_by(minutes=1)
            await box.run_jobs()
        row = await the(box, payment_id)
        if arrived:
            assert (row.state, row.captured) == ("captured", 25_000), point
        else:
            assert (row.state, row.captured) == ("failed" if point.startswith("deed") else "unknown", 0), point
        assert provider.count("ask") == before + arrived, point


async def test_a_twin_that_sends_again_asks_the_payer_twice(
    toy: ToyBox, killer: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps the others from it is that what was sent is not sent again."""
    box, provider = toy.box, toy.provider
    monkeypatch.setattr(
        Toy, "capabilities", __import__("msgspec").structs.replace(Toy.capabilities, retry_is_safe=True, lives_s=900)
    )
    await a_toy_payment(box)
    await kill_at(box, killer, "payments.after_call")
    for _ in range(8):
        box.clock.pass_by(minutes=1)
        await box.run_jobs()
    assert provider.count("ask") == 2


async def test_a_gateway_that_fails_over_an_answer_leaves_an_unknown_payment_and_is_asked(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = toy.box

    async def stumble(*_: Any) -> None:
        raise KeyError("status")

    with monkeypatch.context() as patch:
        patch.setattr(Toy, "ask", stumble)
        payment_id = await a_toy_payment(box)
        await box.run_jobs()
    row = await the(box, payment_id)
    assert row.state == "unknown"
    assert row.next_ask_at is not None
    box.clock.pass_by(seconds=15)
    await box.run_jobs()
    assert toy.provider.count("find") == 1
    assert [one.source for one in await rows(box, Event) if one.kind == "unknown"] == ["clock", "query"]
