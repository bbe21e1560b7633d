"""Paying: what is asked for comes, comes otherwise, comes late, or does not come."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid

import pytest

from kernel.errors import DukaError, Invalid
from plugins.payments.rules import FINAL
from plugins.payments.schemas.told import Subject
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Payer

NOBODYS = ("sale", "T1-2026-000001")
"""A document that takes no money any more: a sale that is not there."""
MIDNIGHTS = ((2027, 1, 31), (2028, 2, 29), (2028, 12, 31))
"""Days whose last second, in Nairobi, ends a month, a February with a leap day, a year."""


class Paying:
    """Cases 1 to 4, 23 to 25, 27, 28, 34, 42, 43, 45, 49 to 52, 60, 61, 73."""

    async def test_01_a_payment_is_made_and_its_notice_comes(self, stage: Stage) -> None:
        """By notice: captured, with its number, once."""
        payment = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=2)
        assert await stage.state(payment) == ("captured", stage.amount)
        assert (await stage.payment(payment)).reference == stage.last().receipt
        await stage.agree()

    async def test_02_no_notice_ever_comes(self, stage: Stage) -> None:
        """Captured by asking; its number may come later."""
        payment = await stage.ask(word="never")
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_03_the_notice_comes_before_the_request_is_answered(self, stage: Stage) -> None:
        """Matched all the same, once."""
        payment = await stage.ask(word="first")
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_04_the_notice_comes_and_the_answer_does_not(self, stage: Stage) -> None:
        """Found by the path of the notice, or by asking."""
        payment = await stage.ask(way="answer lost")
        await stage.hear()
        await stage.pass_by(minutes=10)
        _provable(stage, await stage.state(payment))

    async def test_23_less_comes_than_was_asked(self, stage: Stage) -> None:
        """What came counts, and a person is asked."""
        payment = await stage.ask(payer="pays less")
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.last().paid)
        assert "underpaid" in await stage.reviews()
        await stage.agree()

    async def test_24_more_comes_than_was_asked(self, stage: Stage) -> None:
        """What came counts, and a person is asked about the rest."""
        payment = await stage.ask(payer="pays more")
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.last().paid)
        assert "overpaid" in (await stage.payment(payment)).flags
        await stage.agree()

    async def test_25_another_currency_comes(self, stage: Stage) -> None:
        """Never credited; a person is asked."""
        payment = await stage.ask(payer="pays in another currency")
        if stage.last().paid_in == stage.last().currency:
            pytest.skip("the provider knows one currency")
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert (await stage.state(payment))[1] == 0
        assert "currency" in await stage.reviews()

    async def test_27_28_amounts_that_cannot_be_paid_never_leave(self, stage: Stage) -> None:
        """Parts of a step, too little, too much, nothing, and less than nothing: refused here, before any call."""
        span = stage.span
        amounts = {0, -stage.amount, span.least - span.step}
        amounts |= {stage.amount + span.step // 2} if span.step > 1 else set()
        amounts |= set() if span.most is None else {span.most + span.step}
        for amount in amounts:
            with pytest.raises(Invalid):
                await stage.declare(amount)
        await stage.run()
        assert not stage.simulator.ledger
        assert stage.way.tries == 0

    async def test_34_two_ask_for_the_same_document_at_once(self, stage: Stage) -> None:
        """One live request; the other is told that one is under way, then and later."""
        subject = Subject("bill", uuid.uuid4(), "B-7")
        stage.simulator.next(payer="waits")
        one = stage.declare(subject=subject)
        other = stage.declare(subject=subject, same_payer=True)
        made = await asyncio.gather(one, other, return_exceptions=True)
        assert sorted(isinstance(done, DukaError) for done in made) == [False, True], made
        await stage.run()
        with pytest.raises(DukaError):
            await stage.declare(subject=subject, same_payer=True)
        await stage.run()
        assert len(stage.simulator.ledger) == 1

    async def test_42_it_stays_pending_for_half_an_hour_and_is_paid(self, stage: Stage) -> None:
        """Asked about until it is known."""
        payment = await stage.ask(payer="waits", word="never")
        await stage.pass_by(minutes=30)
        stage.simulator.decide(stage.last().id)
        await stage.pass_by(hours=25)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_43_the_provider_does_not_know_it_yet(self, stage: Stage) -> None:
        """That it knows nothing of a payment ends none."""
        payment = await stage.ask(payer="waits", word="never")
        stage.simulator.hides = True
        await stage.pass_by(seconds=stage.gateway.capabilities.asks_after_s[1] * 1.5)
        state, captured = await stage.state(payment)
        assert (state in FINAL, captured) == (False, 0), state
        stage.simulator.hides = False
        stage.simulator.decide(stage.last().id)
        await stage.pass_by(minutes=15)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_45_it_is_asked_about_at_its_times_and_no_oftener(self, stage: Stage) -> None:
        """Never before the first time, and a bounded number of times in all."""
        payment = await stage.ask(payer="waits", word="never")
        asked = stage.way.tries
        first = stage.gateway.capabilities.asks_after_s[0]
        stage.box.clock.pass_by(seconds=first * 0.7)
        await stage.run()
        assert stage.way.tries == asked
        await stage.pass_by(hours=2)
        most = 4 * (len(stage.gateway.capabilities.asks_after_s) + 4)
        assert asked < stage.way.tries <= asked + most
        assert (await stage.state(payment))[1] == 0

    async def test_49_it_is_not_paid_and_another_request_may_follow(self, stage: Stage) -> None:
        """The end is known with its reason; a new request is made."""
        payers: tuple[Payer, ...] = ("declines", "lets it lapse", "has too little")
        for payer in payers:
            subject = Subject("bill", uuid.uuid4(), "B-9")
            payment = await stage.ask(payer=payer, subject=subject)
            await stage.hear()
            await stage.pass_by(minutes=3, seconds=stage.gateway.capabilities.lives_s)
            state, captured = await stage.state(payment)
            assert (state in {"cancelled", "expired", "failed"}, captured) == (True, 0)
            assert (await stage.payment(payment)).fault is not None
            again = await stage.ask(subject=subject)
            await stage.hear()
            await stage.pass_by(minutes=3)
            assert await stage.state(again) == ("captured", stage.amount)
        await stage.agree()

    async def test_50_51_money_comes_for_what_is_over(self, stage: Stage) -> None:
        """Kept, flagged, and a person is asked; nothing is dropped."""
        payment = await stage.ask(subject=Subject(NOBODYS[0], uuid.uuid4(), NOBODYS[1]))
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        assert (await stage.payment(payment)).applied == 0
        assert await stage.reviews() == ["late"]
        await stage.agree()

    async def test_52_a_payment_wins_over_being_called_back(self, stage: Stage) -> None:
        """Whoever pays while it is called back has paid, and may be given it back."""
        if not stage.gateway.capabilities.cancels:
            pytest.skip("the provider calls no request back")
        payment = await stage.ask(payer="waits", word="never")
        stage.simulator.decide(stage.last().id)
        owner = stage.box.client("owner", stage.shop)
        assert (await owner.post(f"/api/v1/payments/payments/{payment}/cancel")).status_code < 500
        await stage.run()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        assert (await stage.payment(payment)).refundable == stage.amount
        await stage.agree()

    async def test_60_a_part_of_held_money_is_taken_and_the_rest_let_go(self, stage: Stage) -> None:
        """The part alone counts, and no more than it can be given back."""
        payment = await _held(stage)
        part = stage.amount // 2 // stage.span.step * stage.span.step
        stage.simulator.take(stage.last().id, part)
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", part)
        assert (await stage.payment(payment)).refundable == part
        with pytest.raises(DukaError):
            await stage.refund(payment, stage.amount)
        assert "underpaid" in await stage.reviews()
        await stage.agree()

    async def test_61_held_money_is_let_go(self, stage: Stage) -> None:
        """Nothing came, nothing can be given back, and another request may follow."""
        payment = await _held(stage)
        stage.simulator.let_go(stage.last().id)
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("released", 0)
        with pytest.raises(DukaError):
            await stage.refund(payment)
        row = await stage.payment(payment)
        again = await stage.ask(subject=Subject(row.subject_kind, row.subject_id, row.subject_number))
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(again) == ("captured", stage.amount)
        await stage.agree()

    async def test_73_clocks_are_wrong_and_days_end(self, stage: Stage) -> None:
        """At the last second of a month, and with the provider's clock ten minutes before ours or behind it."""
        for (year, month, day), minutes in zip(MIDNIGHTS, (10, 0, -10), strict=True):
            stage.box.clock.now = dt.datetime(year, month, day, 20, 59, 59, tzinfo=dt.UTC)
            skew = dt.timedelta(minutes=minutes)
            stage.simulator.clock = lambda skew=skew: stage.box.clock() + skew  # type: ignore[misc]
            payment = await stage.ask()
            await stage.hear()
            await stage.pass_by(minutes=3)
            assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()


async def _held(stage: Stage) -> uuid.UUID:
    """A payment whose money is held, and not taken."""
    if not stage.gateway.capabilities.holds:
        pytest.skip("the provider holds no money first")
    payment = await stage.ask(payer="is held")
    await stage.hear()
    await stage.pass_by(minutes=1)
    assert await stage.state(payment) == ("authorised", 0)
    return payment


def _provable(stage: Stage, found: tuple[str, int]) -> None:
    """What was paid counts where the provider can be asked for it or leaves word; it never counts twice."""
    assert found in (("captured", stage.amount), ("unknown", 0))
    if stage.gateway.capabilities.finds_by_reference or stage.gateway.capabilities.notices == "signed":
        assert found[0] == "captured"
