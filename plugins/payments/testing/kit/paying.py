"""Paying: what is asked for comes, comes otherwise, comes late, or does not come."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from kernel.errors import DukaError, Invalid
from plugins.payments.schemas.told import Subject
from plugins.payments.testing.kit.stage import Stage

NOBODYS = ("sale", "T1-2026-000001")
"""A document that takes no money any more: a sale that is not there."""


class Paying:
    """Cases 1 to 4, 23 to 28, 34, 42, 43, 45, 49 to 52."""

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

    @pytest.mark.parametrize("steps", ["fraction", "below", "above", "zero"])
    async def test_27_28_amounts_that_cannot_be_paid_never_leave(self, stage: Stage, steps: str) -> None:
        """Refused here, saying what can be paid."""
        span = stage.span
        amounts = {
            "fraction": stage.amount + span.step // 2 if span.step > 1 else None,
            "below": span.least - span.step if span.least > span.step else None,
            "above": None if span.most is None else span.most + span.step,
            "zero": 0,
        }
        amount = amounts[steps]
        if amount is None:
            pytest.skip("every such amount can be paid")
        with pytest.raises(Invalid):
            await stage.declare(amount)
        assert not stage.simulator.ledger

    async def test_34_the_same_document_is_asked_for_twice_at_once(self, stage: Stage) -> None:
        """One live request; the second is told that one is under way."""
        subject = Subject("bill", uuid.uuid4(), "B-7")
        await stage.ask(payer="waits", subject=subject)
        with pytest.raises(DukaError):
            await stage.declare(subject=subject, same_payer=True)
        assert len(stage.simulator.ledger) == 1

    async def test_42_it_stays_pending_for_half_an_hour_and_is_paid(self, stage: Stage) -> None:
        """Asked about until it is known."""
        payment = await stage.ask(payer="waits", word="never")
        await stage.pass_by(minutes=30)
        stage.simulator.decide(stage.last().id)
        await stage.pass_by(hours=25)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_43_45_it_is_asked_about_at_its_times_and_no_oftener(self, stage: Stage) -> None:
        """Never before the first time, and a bounded number of times in all."""
        payment = await stage.ask(payer="waits", word="never")
        asked = len(stage.simulator.calls)
        first = stage.gateway.capabilities.asks_after_s[0]
        stage.box.clock.pass_by(seconds=first * 0.7)
        await stage.run()
        assert len(stage.simulator.calls) == asked
        await stage.pass_by(hours=2)
        most = 4 * (len(stage.gateway.capabilities.asks_after_s) + 4)
        assert asked < len(stage.simulator.calls) <= asked + most
        assert (await stage.state(payment))[1] == 0

    @pytest.mark.parametrize("payer", ["declines", "lets it lapse", "has too little"])
    async def test_49_it_is_not_paid_and_another_request_may_follow(self, stage: Stage, payer: str) -> None:
        """The end is known with its reason; a new request is made."""
        subject = Subject("bill", uuid.uuid4(), "B-9")
        payment = await stage.ask(payer=payer, subject=subject)  # type: ignore[arg-type]
        await stage.hear()
        await stage.pass_by(minutes=3, seconds=stage.gateway.capabilities.lives_s)
        state, captured = await stage.state(payment)
        assert (state in {"cancelled", "expired", "failed"}, captured) == (True, 0)
        assert (await stage.payment(payment)).fault is not None
        again = await stage.ask(subject=subject)
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(again) == ("captured", stage.amount)

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
        """Whoever pays while it is called back has paid."""
        if not stage.gateway.capabilities.cancels:
            pytest.skip("the provider calls no request back")
        payment = await stage.ask(payer="waits", word="never")
        stage.simulator.decide(stage.last().id)
        owner = stage.box.client("owner", stage.shop)
        await owner.post(f"/api/v1/payments/payments/{payment}/cancel")
        await stage.run()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)

    async def test_73_months_end_and_leap_days_change_nothing(self, stage: Stage) -> None:
        """At the last second of February's last day, local time."""
        stage.box.clock.now = dt.datetime(2028, 2, 29, 20, 59, 59, tzinfo=dt.UTC)
        payment = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)


def _provable(stage: Stage, found: tuple[str, int]) -> None:
    """What was paid counts where the provider can be asked for it or leaves word; it never counts twice."""
    assert found in (("captured", stage.amount), ("unknown", 0))
    if stage.gateway.capabilities.finds_by_reference or stage.gateway.capabilities.notices == "signed":
        assert found[0] == "captured"
