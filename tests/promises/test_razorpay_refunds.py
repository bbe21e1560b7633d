"""P9 for Razorpay: refunds at once whose answers are lost give back no more than came, each one once."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter

import httpx
import msgspec
import pytest
from msgspec import structs

from kernel.errors import DukaError
from plugins.gateways_upi.gateway.razorpay import Razorpay
from plugins.payments.models import Refund
from plugins.payments.services.line import lead_over
from plugins.payments.testing import FaultyWay
from plugins.payments.testing.kit.opening import Staged
from plugins.payments.testing.kit.stage import Stage

FEW, MANY = 6, 50


class LosingWay(FaultyWay):
    """A way on which the answer to every refund is lost, and the refund made."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        heard = await super().handle_async_request(request)
        if request.method == "POST" and request.url.path.endswith("/refund"):
            raise httpx.ReadTimeout("no answer came", request=request)
        return heard


async def refund_at_once(stage: Stage, count: int) -> list[str]:
    """Ask for twice as much as came, in parts and at once; what is wrong at the end."""
    payment = await stage.ask()
    await stage.hear()
    each = stage.amount * 2 // count // 100 * 100
    lead_over(stage.box.deployment, LosingWay(stage.simulator))
    tries = (stage.refund(payment, each, run=False) for _ in range(count))
    made = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(one, (uuid.UUID, DukaError)) for one in made)
    for _ in range(3):
        await asyncio.gather(stage.run(), stage.run())
        stage.box.clock.pass_by(minutes=10)
    await stage.run()
    [pay] = stage.simulator.ledger.values()
    sent = Counter(
        msgspec.json.decode(call.body)["receipt"] for call in stage.simulator.calls if call.path.endswith("/refund")
    )
    booked = {str(row.id): row.amount for row in await stage.rows(Refund) if row.state == "done"}
    row = await stage.payment(payment)
    wrong = [f"{id_} was sent {times} times" for id_, times in sent.items() if times > 1]
    if len(booked) != stage.amount // each:
        wrong.append(f"{len(booked)} refunds were made of {stage.amount // each}")
    if sum(pay.returned.values()) > stage.amount or booked != pay.returned:
        wrong.append("what is booked is not what went back")
    if row.refundable != row.captured - sum(booked.values()):
        wrong.append("what is left is not what did not go back")
    return wrong


ONE_EACH = [pytest.param("sqlite", marks=pytest.mark.prove), "postgresql"]


class TestRefunds(Staged):
    plugin = "gateways_upi"
    gateway = "razorpay"

    @pytest.mark.parametrize("database", ONE_EACH, indirect=True)
    async def test_refunds_at_once_whose_answers_are_lost_go_back_once_each(self, stage: Stage) -> None:
        assert await refund_at_once(stage, FEW) == []
        await stage.agree()

    @pytest.mark.prove
    async def test_fifty_refunds_at_once_whose_answers_are_lost_go_back_once_each(self, stage: Stage) -> None:
        assert await refund_at_once(stage, MANY) == []
        await stage.agree()

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    async def test_a_twin_that_sends_again_what_it_does_not_know_is_caught(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        again = structs.replace(Razorpay.capabilities, retry_is_safe=True)
        monkeypatch.setattr(Razorpay, "capabilities", again)
        assert any("was sent" in one for one in await refund_at_once(stage, FEW))
