"""Failing: the provider is away, slow, wrong or busy; a process dies on the way; a gateway is switched off."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import ClassVar

import pytest
import sqlalchemy as sa

from kernel.auth.businesses.switching import disable
from kernel.db import Phase
from kernel.errors import DukaError
from kernel.work import Work, secret_names
from plugins.payments.models import Operation
from plugins.payments.schemas.told import Subject
from plugins.payments.services.timing import FAILURES
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Call, Way
from plugins.payments.testing.transport import ELSEWHERE

DONE_UNHEARD: tuple[Way, ...] = ("answer lost", "error after", "broken answer", "empty answer", "strange letters")
WRONG = "not-the-one-it-was"


class Failing:
    """Cases 29 to 33, 35 to 41, 63, 74, 78, 80."""

    askers: ClassVar[int] = 8
    """How many want a token at once."""

    async def test_29_nobody_is_there(self, stage: Stage) -> None:
        """Known as not sent: another request is made at once."""
        payment = await stage.ask(way="nobody there")
        assert await stage.state(payment) == ("failed", 0)
        assert (await stage.payment(payment)).fault["kind"] == "provider_down"
        await _goes_on(stage, payment)

    async def test_30_31_33_it_is_done_and_nobody_hears(self, stage: Stage) -> None:
        """Never sent again unasked; paid, it counts once, where the provider can tell."""
        payments = []
        for way in DONE_UNHEARD:
            payments.append(await stage.ask(way=way, word="never"))
            assert (await stage.state(payments[-1]))[0] != "failed", "what nobody knows is taken for known"
            await stage.ask(payer="declines")
            assert len(stage.simulator.ledger) == 2 * len(payments), "a payer was asked twice"
        await stage.pass_by(hours=25)
        assert len(stage.simulator.ledger) == 2 * len(DONE_UNHEARD), "a payer was asked twice"
        for payment in payments:
            state, captured = await stage.state(payment)
            assert (state, captured) in (("captured", stage.amount), ("unknown", 0), ("pending", 0))
            assert captured or not stage.gateway.capabilities.finds_by_reference
            assert captured or "unknown" in await stage.reviews()

    async def test_31_an_error_page_and_nothing_done(self, stage: Stage) -> None:
        """No crash, no money; it ends known or unknown, never paid."""
        payment = await stage.ask(way="error page")
        await stage.pass_by(minutes=10)
        state, captured = await stage.state(payment)
        assert captured == 0 or (state == "captured" and len(stage.simulator.ledger) == 1)
        await stage.agree()

    async def test_32_a_good_answer_says_that_it_is_not_taken_on(self, stage: Stage) -> None:
        """Refused, with its reason; another request may follow."""
        if stage.simulator.refusal() is None:
            pytest.skip("its simulator writes down no refusal")
        payment = await stage.ask(way="refused")
        assert await stage.state(payment) == ("failed", 0)
        assert (await stage.payment(payment)).fault["said"]
        assert not stage.simulator.ledger
        await _goes_on(stage, payment)

    async def test_35_36_a_request_is_told_again_after_a_process_died(self, stage: Stage) -> None:
        """Where one reference is one payment it is told again, to the letter; no second payment comes of it. Elsewhere
        it is never told again.
        """
        payment = await stage.ask(payer="waits", word="never", way="answer lost")
        await _forget_the_end(stage, payment)
        await stage.pass_by(minutes=10)
        told = [one for one in stage.simulator.calls if _asks_for(one, stage.last().reference)]
        assert len(told) == (2 if stage.gateway.capabilities.retry_is_safe else 1)
        assert len({one.body for one in told}) == 1, "the same request was told in other words"
        assert len(stage.simulator.ledger) == 1, "the payer was asked twice"
        stage.simulator.decide(stage.last().id)
        await stage.pass_by(hours=2)
        state, captured = await stage.state(payment)
        assert captured == stage.amount or (state, captured) == ("unknown", 0)
        assert captured or not stage.gateway.capabilities.retry_is_safe

    async def test_37_its_token_is_worth_nothing_any_more(self, stage: Stage) -> None:
        """Fetched once more, told once more, done once."""
        await stage.ask()
        if not stage.simulator.end_tokens():
            pytest.skip("the provider gives no tokens")
        before = stage.simulator.tokens
        payment = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        assert stage.simulator.tokens == before + 1
        assert len(stage.simulator.ledger) == 2
        await stage.agree()

    async def test_38_many_want_a_token_at_once(self, stage: Stage) -> None:
        """One is fetched: at some providers the second would end the first."""
        payment = await stage.ask(payer="waits", word="never")
        ways = [await stage.way_to(payment) for _ in range(self.askers)]
        if not stage.simulator.end_tokens():
            pytest.skip("the provider gives no tokens")
        before = stage.simulator.tokens
        await asyncio.gather(*(stage.gateway.find(line, known) for line, known in ways))
        assert stage.simulator.tokens == before + 1

    async def test_39_the_key_is_wrong(self, stage: Stage) -> None:
        """Said as such; no second request, no loop; with the right key it goes on."""
        key, right = next(iter(stage.simulator.config().items()))
        await stage.change({key: WRONG})
        payment = await stage.ask()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("failed", 0)
        assert (await stage.payment(payment)).fault["kind"] in ("authentication", "configuration")
        assert not stage.simulator.ledger
        assert stage.way.tries < 10
        await stage.change({key: right})
        stage.simulator.next()
        await _goes_on(stage, payment)

    @pytest.mark.parametrize("way", ["busy", "busy for nobody knows how long"])
    async def test_40_the_provider_is_busy(self, stage: Stage, way: Way) -> None:
        """A request is known as not done, and may be made again; a question is asked later."""
        payment = await stage.ask(way=way)
        await stage.hear()
        await stage.pass_by(minutes=10)
        assert len(stage.simulator.ledger) <= 1
        if not (await stage.state(payment))[1]:
            await _goes_on(stage, payment)
        later = await stage.ask(payer="waits", word="never")
        stage.simulator.decide(stage.last().id)
        stage.simulator.way = way
        await stage.pass_by(hours=1)
        assert await stage.state(later) == ("captured", stage.amount)
        await stage.agree()

    async def test_41_the_provider_is_away_for_an_hour(self, stage: Stage) -> None:
        """Calls stop after a few; what was paid meanwhile counts when it is back, and then it goes on."""
        payment = await stage.ask(payer="waits", word="never")
        stage.simulator.decide(stage.last().id)
        stage.simulator.is_away, before = True, stage.way.tries
        for nth in range(12):
            with contextlib.nullcontext() if nth < FAILURES else pytest.raises(DukaError):
                await stage.ask()
        assert stage.way.tries - before <= 10, "the breaker did not open"
        await stage.pass_by(hours=1)
        assert stage.way.tries - before < 60
        stage.simulator.is_away = False
        await stage.pass_by(minutes=20)
        assert await stage.state(payment) == ("captured", stage.amount)
        again = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=3)
        assert await stage.state(again) == ("captured", stage.amount)
        await stage.agree()

    async def test_63_a_process_dies_while_it_asks(self, stage: Stage) -> None:
        """The request left, nobody heard; the sweeper alone finds out."""
        payment = await stage.ask(word="never", run=False)
        await _forget_the_end(stage, payment)
        await stage.run()
        if not stage.gateway.capabilities.retry_is_safe:
            assert not stage.simulator.ledger, "what was sent is sent again"
        await stage.pass_by(hours=2)
        assert len(stage.simulator.ledger) <= 1
        assert (await stage.state(payment))[1] in (0, stage.amount)
        await stage.agree()

    async def test_74_the_gateway_is_switched_off_with_payments_under_way(self, stage: Stage) -> None:
        """Nothing new begins; what was begun ends, and can be given back."""
        payment = await stage.ask(payer="waits", word="never")
        await stage.box.act(lambda work: disable(work, stage.plugin), shop=stage.shop, phase=Phase.SWITCH)
        with pytest.raises(DukaError):
            await stage.declare()
        stage.simulator.decide(stage.last().id)
        await stage.hear()
        await stage.pass_by(minutes=30)
        assert await stage.state(payment) == ("captured", stage.amount)
        assert (await stage.payment(payment)).refundable == stage.amount
        await stage.agree()

    async def test_78_it_is_led_to_another_host(self, stage: Stage) -> None:
        """Never followed: nothing is said to a host that the gateway does not name."""
        payment = await stage.ask(way="sent elsewhere")
        await stage.pass_by(minutes=10)
        assert (await stage.state(payment))[1] == 0 or len(stage.simulator.ledger) == 1
        assert ELSEWHERE not in stage.way.hosts
        await stage.agree()

    async def test_80_secrets_are_never_shown(self, stage: Stage) -> None:
        """Not by the account, not by any list, not in the trail."""
        owner = stage.box.client("owner", stage.shop)
        config, names = await stage.config(), secret_names(stage.gateway.config)
        hidden = [str(getattr(config, name)) for name in names if getattr(config, name)]
        assert hidden
        for path in (f"accounts/{stage.account_id}", "accounts", "gateways", "payments"):
            said = (await owner.get(f"/api/v1/payments/{path}")).text
            assert not any(one in said for one in hidden), path
        said = (await owner.get("/api/v1/audit")).text
        assert not any(one in said for one in hidden)


async def _forget_the_end(stage: Stage, payment: uuid.UUID) -> None:
    """Let it be as if a process had died while it sent the request."""

    async def sent(work: Work) -> None:
        table = Operation.__table__
        here = sa.and_(table.c.business_id == work.business_id, table.c.attempt_id == payment)
        await work.execute(sa.update(Operation).where(here).values(state="sent", sent_at=work.now))

    await stage.box.act(sent, shop=stage.shop)


async def _goes_on(stage: Stage, payment: uuid.UUID) -> None:
    """Another request for the same document is made, and paid."""
    row = await stage.payment(payment)
    again = await stage.ask(subject=Subject(row.subject_kind, row.subject_id, row.subject_number))
    await stage.hear()
    await stage.pass_by(minutes=3)
    assert await stage.state(again) == ("captured", stage.amount)
    await stage.agree()


def _asks_for(call: Call, reference: str) -> bool:
    """Whether a call asks for the payment of a reference."""
    return call.method == "POST" and reference.encode() in call.body
