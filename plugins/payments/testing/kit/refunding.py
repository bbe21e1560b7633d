"""Giving back: whole, in parts, twice at once, and with answers that get lost."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from kernel.errors import DukaError
from plugins.payments.testing.kit.stage import Stage


class Refunding:
    """Cases 53 to 58."""

    async def _paid(self, stage: Stage) -> uuid.UUID:
        if stage.gateway.capabilities.refunds == "none":
            pytest.skip("the provider gives nothing back")
        payment = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        return payment

    async def test_53_all_of_it_goes_back(self, stage: Stage) -> None:
        """Done, and the provider holds nothing."""
        payment = await self._paid(stage)
        refund = await stage.refund(payment)
        await stage.hear()
        await stage.pass_by(minutes=10)
        assert await stage.refund_state(refund) == "done"
        assert stage.simulator.holds() == 0
        await stage.agree()

    async def test_54_two_parts_go_back_and_a_third_is_too_much(self, stage: Stage) -> None:
        """The third is refused here."""
        payment = await self._paid(stage)
        capabilities = stage.gateway.capabilities
        if capabilities.refunds != "parts" and not capabilities.pays_out:
            with pytest.raises(DukaError):
                await stage.refund(payment, stage.amount // 2)
            return
        part = stage.amount // 2 // stage.span.step * stage.span.step
        for _ in "12":
            refund = await stage.refund(payment, part)
            await stage.hear()
            await stage.pass_by(minutes=10)
            assert await stage.refund_state(refund) == "done"
        with pytest.raises(DukaError):
            await stage.refund(payment, stage.amount)
        await stage.agree()

    async def test_55_refunds_at_once_never_exceed_what_came(self, stage: Stage) -> None:
        """One of them wins."""
        payment = await self._paid(stage)
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
        payment = await self._paid(stage)
        stage.simulator.way = "answer lost"
        refund = await stage.refund(payment)
        stage.simulator.way = "good"
        await stage.hear()
        await stage.pass_by(hours=25)
        assert stage.simulator.holds() == 0
        assert await stage.refund_state(refund) in ("done", "pending")
        if await stage.refund_state(refund) == "pending":
            assert "refund_unknown" in await stage.reviews()

    async def test_57_the_provider_refuses_to_give_it_back(self, stage: Stage) -> None:
        """It may be given back again, and a person is asked."""
        payment = await self._paid(stage)
        stage.simulator.refuses_refunds = True
        refund = await stage.refund(payment)
        await stage.hear()
        await stage.pass_by(hours=2)
        assert await stage.refund_state(refund) == "failed"
        assert "refund_failed" in await stage.reviews()
        assert (await stage.payment(payment)).refundable == stage.amount

    async def test_58_word_of_a_refund_comes_again(self, stage: Stage) -> None:
        """Given back once."""
        payment = await self._paid(stage)
        refund = await stage.refund(payment)
        for _ in "123":
            for due in list(stage.simulator.due):
                assert await stage.post(due) < 500
        await stage.hear()
        await stage.pass_by(hours=1)
        assert await stage.refund_state(refund) == "done"
        await stage.agree()
