"""Notices: again, together, out of order, about nothing, and as no provider should send them. Forged: `forging`."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from msgspec import structs

from kernel.work import Work
from plugins.payments.models import Attempt, Money, ProviderNotice
from plugins.payments.rules import FINAL
from plugins.payments.services.digesting import read_notice
from plugins.payments.services.hearing import hear
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Due

JUNK = (
    b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{" * 5_000, b"[" * 5_000 + b"]" * 5_000,
    b'{"Body": null}', b"x" * 70_000, b"<xml/>", b'{"a": 1e999}', b'{"a": 1, "a": 2}', gzip.compress(b"{}"),
)  # fmt: skip
TYPES = ("application/json", "text/plain", "application/x-www-form-urlencoded", "")


class Died(Exception):
    """A process dies here."""


class Noticing:
    """Cases 5 to 10, 17, 20, 64, 65, 67, 68."""

    async def test_05_the_same_notice_comes_five_times(self, stage: Stage) -> None:
        """One credit, every one answered."""
        payment = await stage.ask(word="five times")
        answered = await stage.hear()
        await stage.pass_by(minutes=3)
        assert len(answered) == 5
        assert all(200 <= status < 300 for status in answered)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_06_the_same_notice_comes_twenty_times_at_once(self, stage: Stage) -> None:
        """One credit, no error of ours."""
        payment = await stage.ask()
        [due] = stage.simulator.due
        stage.simulator.due = []
        answered = await asyncio.gather(*(stage.post(due) for _ in range(20)))
        await stage.run()
        await stage.pass_by(minutes=3)
        assert all(status < 500 for status in answered)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_07_the_same_money_is_told_as_several_events(self, stage: Stage) -> None:
        """By a notice, by an answer, and as events of other names: one credit, for it has one number."""
        payment = await stage.ask()
        pay, [due] = stage.last(), stage.simulator.due
        facts = stage.gateway.read(await stage.config(), stage.notice(due))
        numbers = {fact.money_key for fact in facts if fact.kind == "captured"}
        assert numbers == {pay.receipt}, "a notice of money names it by the provider's number"
        await stage.hear()
        if (other := stage.simulator.notice_of(pay)) is not None:
            assert await stage.post(other) < 300
        await stage.run()
        await stage.pass_by(minutes=3)
        for event in ("first", "second"):
            named = [structs.replace(fact, key=f"{fact.key}:{event}") for fact in facts]
            await stage.hear_of(payment, named)
        assert await stage.state(payment) == ("captured", stage.amount)
        assert [row.money_key for row in await stage.rows(Money)] == [pay.receipt]
        await stage.agree()

    async def test_07_a_request_is_paid_twice(self, stage: Stage) -> None:
        """Two pieces of money: the second is a payment of its own, or a person is asked."""
        payment = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=3)
        stage.simulator.pay_again(stage.last().id)
        await stage.hear()
        await stage.pass_by(hours=25)
        assert await stage.state(payment) == ("captured", stage.amount)
        others = [row.captured for row in await stage.rows(Attempt) if row.id != payment]
        assert others == [stage.amount] or await stage.reviews()

    async def test_08_bad_news_then_money(self, stage: Stage) -> None:
        """The money wins, and came late."""
        payment = await stage.ask(payer="declines")
        await stage.hear()
        await stage.pass_by(minutes=1)  # a hint is asked about first
        has_ended = (await stage.state(payment))[0] in FINAL
        stage.last().state = "waiting"
        stage.simulator.decide(stage.last().id)
        await stage.hear()
        await stage.pass_by(hours=1)
        state, captured = await stage.state(payment)
        if captured:
            assert (state, captured) == ("captured", stage.amount)
            assert ("late" in (await stage.payment(payment)).flags) == has_ended
            await stage.agree()
        else:
            assert stage.gateway.capabilities.notices != "signed", "a signed notice of money was not believed"

    async def test_09_10_money_then_bad_news(self, stage: Stage) -> None:
        """The money stays."""
        payment = await stage.ask()
        await stage.hear()
        await stage.pass_by(minutes=3)
        pay = stage.last()
        kept = pay.state
        for worse in ("declined", "lapsed", "waiting", *(["held"] if stage.gateway.capabilities.holds else [])):
            pay.state = worse
            if (due := stage.simulator.notice_of(pay)) is not None:
                assert await stage.post(due) < 500
        pay.state = kept
        await stage.run()
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_17_a_genuine_notice_comes_again_a_day_later(self, stage: Stage) -> None:
        """No effect."""
        payment = await stage.ask()
        [due] = stage.simulator.due
        await stage.hear()
        await stage.pass_by(hours=25)
        assert await stage.post(due) < 500
        await stage.run()
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_20_a_notice_about_a_payment_that_nobody_knows(self, stage: Stage) -> None:
        """Taken; after a day it stands among incoming payments, or a person is asked."""
        payment = await stage.ask(payer="waits", word="never")
        pay = stage.last()
        stranger = stage.simulator.ask("NOBODYS1", pay.asked, pay.currency, pay.notify, pay.payer)
        due = stage.simulator.notice_of(stranger)
        assert due is not None
        assert 200 <= await stage.post(due) < 300
        await stage.run()
        await stage.pass_by(hours=25)
        assert (await stage.state(payment))[1] == 0
        tray = [row.money_key for row in await stage.rows(Money) if row.attempt_id is None]
        assert tray == [stranger.receipt] or {"orphan", "contradicted"} & set(await stage.reviews())

    async def test_64_a_process_dies_while_it_reads_a_notice(self, stage: Stage) -> None:
        """Before its end nothing is written; whoever reads it next applies all of it, once."""
        payment = await stage.ask()
        [due] = stage.simulator.due
        facts = stage.gateway.read(await stage.config(), stage.notice(due))
        await stage.simulator.deliver()
        [notice] = await stage.rows(ProviderNotice)
        before = await stage.state(payment)

        async def read(work: Work) -> None:
            await read_notice(work, notice.id)
            raise Died

        async def apply(work: Work) -> None:
            await hear(work, payment, facts, "provider")
            raise Died

        for dies in (read, apply):
            with pytest.raises(Died):
                await stage.box.act(dies, shop=stage.shop)
            assert await stage.state(payment) == before
        await stage.run()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_65_the_answer_to_a_notice_gets_lost(self, stage: Stage) -> None:
        """The provider sends it again: no double effect."""
        payment = await stage.ask()
        [due] = stage.simulator.due
        await stage.hear()
        await stage.post(due)
        await stage.run()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    async def test_67_a_notice_is_answered_before_it_is_read(self, stage: Stage) -> None:
        """Kept and answered at once; what follows from it is a job."""
        payment = await stage.ask()
        before = await stage.state(payment)
        answered = await stage.simulator.deliver()
        assert all(200 <= status < 300 for status in answered)
        assert await stage.state(payment) == before
        await stage.run()
        await stage.pass_by(minutes=3)
        assert await stage.state(payment) == ("captured", stage.amount)

    async def test_68_what_no_provider_should_send(self, stage: Stage) -> None:
        """Never an error of ours, and nothing changes."""
        payment = await stage.ask(payer="waits", word="never")
        before = await stage.state(payment)
        address = stage.last().notify
        for place, body in enumerate(JUNK):
            kind = TYPES[place % len(TYPES)]
            assert await stage.post(Due("POST", address, {"content-type": kind} if kind else {}, body)) < 500, body[:20]
        packed = {"content-type": "application/json", "content-encoding": "gzip"}
        assert await stage.post(Due("POST", address, packed, gzip.compress(b"{}"))) < 500
        assert await stage.post(Due("GET", address, {}, b"")) < 500
        await stage.run()
        assert await stage.state(payment) == before
