"""Giving back: whole, in parts, twice at once, with answers that get lost, and without Duka."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from kernel.errors import DukaError
from plugins.payments.models import Refund
from plugins.payments.testing.kit.stage import Stage


class Refunding:
    """Cases 53 to 59."""

    async def test_53_all_of_it_goes_back(self, stage: Stage) -> None:
        """Done, and the provider holds nothing."""
        payment = await _paid(stage)
        refund = await stage.refund(payment)
        await stage.hear()
        await stage.pass_by(minutes=10)
        assert await stage.refund_state(refund) == "done"
        assert stage.simulator.holds() == 0
        await stage.agree()

    async def test_54_two_parts_go_back_and_a_third_is_too_much(self, stage: Stage) -> None:
        """The third is refused here."""
        payment = await _paid(stage)
        part = _part(stage)
        capabilities = stage.gateway.capabilities
        if capabilities.refunds != "parts" and not capabilities.pays_out:
            with pytest.raises(DukaError):
                await stage.refund(payment, part)
            return
        for _ in "12":
            refund = await stage.refund(payment, part)
            await stage.hear()
            await stage.pass_by(minutes=10)
            assert await stage.refund_state(refund) == "done"
        tries = stage.way.tries
        with pytest.raises(DukaError):
            await stage.refund(payment, stage.amount)
        assert stage.way.tries == tries
        await stage.agree()

    async def test_55_refunds_at_once_never_exceed_what_came(self, stage: Stage) -> None:
        """One of them wins."""
        payment = await _paid(stage)
        tries = (stage.refund(payment, run=False) for _ in range(4))
        made = await asyncio.gather(*tries, return_exceptions=True)
        await stage.run()
        await stage.hear()
        await stage.pass_by(minutes=10)
        assert sum(isinstance(one, uuid.UUID) for one in made) == 1
        assert all(isinstance(one, (uuid.UUID, DukaError)) for one in made)
        assert stage.simulator.holds() == 0
        await stage.agree()

    async def test_56_it_goes_back_and_nobody_hears(self, stage: Stage) -> None:
        """One refund, found by asking."""
        payment = await _paid(stage)
        amount = _part(stage) if stage.gateway.capabilities.refunds == "parts" else stage.amount
        stage.simulator.way = "answer lost"
        refund = await stage.refund(payment, amount)
        stage.simulator.way = "good"
        await stage.hear()
        await stage.pass_by(hours=25)
        assert stage.simulator.holds() == stage.amount - amount
        assert await stage.refund_state(refund) in ("done", "pending")
        if await stage.refund_state(refund) == "pending":
            assert "refund_unknown" in await stage.reviews()

    async def test_57_the_provider_refuses_to_give_it_back(self, stage: Stage) -> None:
        """It may be given back again, and a person is asked."""
        payment = await _paid(stage)
        stage.simulator.refuses_refunds = True
        refund = await stage.refund(payment)
        await stage.hear()
        await stage.pass_by(hours=2)
        await _has_failed(stage, payment, refund)

    async def test_57_it_is_on_its_way_back_and_fails(self, stage: Stage) -> None:
        """What was taken for gone may be given back again, and a person is asked."""
        if not stage.simulator.refunds_take_time:
            pytest.skip("the provider gives back at once, or not")
        payment = await _paid(stage)
        stage.simulator.delays_refunds = True
        refund = await stage.refund(payment)
        await stage.hear()
        assert await stage.refund_state(refund) == "pending"
        assert (await stage.payment(payment)).refundable == 0
        stage.simulator.end_refund(str(refund), made=False)
        await stage.hear()
        await stage.pass_by(hours=1)
        await _has_failed(stage, payment, refund)
        await stage.agree()

    async def test_58_word_of_a_refund_comes_again(self, stage: Stage) -> None:
        """Before its request is answered, and after: given back once."""
        payment = await _paid(stage)
        stage.simulator.next(word="first")
        refund = await stage.refund(payment)
        pay = stage.last()
        if (due := stage.simulator.refund_notice_of(pay, str(refund))) is not None:
            stage.simulator.due.append(due)
        for _ in "123":
            for due in list(stage.simulator.due):
                assert await stage.post(due) < 500
        await stage.hear()
        await stage.pass_by(hours=1)
        assert await stage.refund_state(refund) == "done"
        assert len(await stage.rows(Refund)) == 1
        await stage.agree()

    async def test_59_money_is_given_back_on_the_providers_pages(self, stage: Stage) -> None:
        """Recorded once, as soon as word of it comes; no more than the rest can be given back here."""
        payment = await _paid(stage)
        pay, part = stage.last(), _part(stage)
        stage.simulator.give_back(pay, "made-on-its-pages", part)
        if not stage.simulator.due:
            pay.returned.clear()
            pytest.skip("the provider leaves no word of refunds; its statement tells of them")
        stage.simulator.leave_word(stage.simulator.refund_notice_of(pay, "made-on-its-pages"), "five times")
        for due in stage.simulator.due:
            assert await stage.post(due) < 300
            await stage.run()
        await stage.pass_by(hours=1)
        assert [(one.state, one.amount) for one in await stage.rows(Refund)] == [("done", part)]
        assert (await stage.payment(payment)).refundable == stage.amount - part
        with pytest.raises(DukaError):
            await stage.refund(payment, stage.amount)
        await stage.agree()


async def _paid(stage: Stage) -> uuid.UUID:
    if stage.gateway.capabilities.refunds == "none":
        pytest.skip("the provider gives nothing back")
    payment = await stage.ask()
    await stage.hear()
    await stage.pass_by(minutes=3)
    assert await stage.state(payment) == ("captured", stage.amount)
    return payment


async def _has_failed(stage: Stage, payment: uuid.UUID, refund: uuid.UUID) -> None:
    assert await stage.refund_state(refund) == "failed"
    assert "refund_failed" in await stage.reviews()
    assert (await stage.payment(payment)).refundable == stage.amount


def _part(stage: Stage) -> int:
    """Half of it, in whole steps."""
    return stage.amount // 2 // stage.span.step * stage.span.step
