"""Notices: again, together, out of order, forged, about nothing, and as no provider should send them."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from plugins.payments.rules import FINAL
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Due


class Noticing:
    """Cases 5 to 14, 17 to 20, 22, 65, 67, 68."""

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

    async def test_08_bad_news_then_money(self, stage: Stage) -> None:
        """The money wins, and came late."""
        payment = await stage.ask(payer="declines")
        await stage.hear()
        await stage.pass_by(minutes=1)  # a hint is asked about first
        has_ended = (await stage.state(payment))[0] in FINAL
        stage.last().state = "waiting"
        stage.simulator.decide(stage.last().id)
        await stage.hear()
        await stage.pass_by(hours=25)
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
        for worse in ("declined", "lapsed", "waiting"):
            pay.state = worse
            if (due := stage.simulator.notice_of(pay)) is not None:
                assert await stage.post(due) < 500
        pay.state = kept
        await stage.run()
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()

    @pytest.mark.parametrize("how", ["no signature", "wrong signature", "one byte changed", "written again"])
    async def test_11_to_14_a_notice_that_is_not_what_was_signed(self, stage: Stage, how: str) -> None:
        """Refused, and nothing changes."""
        if stage.gateway.capabilities.notices != "signed":
            pytest.skip("the provider signs nothing")
        payment = await stage.ask(payer="waits", word="never")
        stage.simulator.decide(stage.last().id)
        due = stage.simulator.notice_of(stage.last())
        assert due is not None
        before = await stage.state(payment)
        signature = next(name for name in due.headers if "sign" in name.lower() or "hash" in name.lower())
        without = {name: value for name, value in due.headers.items() if name != signature}
        headers = without if how == "no signature" else dict(due.headers)
        if how == "wrong signature":
            headers[signature] = "0" * len(due.headers[signature])
        body = due.body
        if how == "one byte changed":
            body = body[:-1] + b" " + body[-1:]
        if how == "written again":
            body = json.dumps(json.loads(body), indent=1).encode()
        status = await stage.post(due, headers=headers, body=body)
        await stage.run()
        assert 400 <= status < 500 or how == "no signature"
        assert await stage.state(payment) == before
        await stage.pass_by(minutes=3)

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

    async def test_18_a_notice_at_a_path_that_nobody_was_given(self, stage: Stage) -> None:
        """Not there, and nothing kept."""
        payment = await stage.ask(payer="waits", word="never")
        pay = stage.last()
        pay.state, pay.paid, pay.paid_in, pay.receipt = "paid", pay.asked, pay.currency, stage.simulator.new_receipt()
        due = stage.simulator.notice_of(pay)
        assert due is not None
        wrong = due.address[:-32] + uuid.uuid4().hex
        assert await stage.post(Due(due.method, wrong, due.headers, due.body)) in (401, 403, 404)
        await stage.run()
        assert (await stage.state(payment))[1] == 0
        pay.state, pay.paid = "waiting", 0

    async def test_19_a_forged_notice_at_the_right_path(self, stage: Stage) -> None:
        """Not credited: the provider says that nothing was paid."""
        if stage.gateway.capabilities.notices == "signed":
            pytest.skip("a signed notice cannot be forged; see 11 to 14")
        payment = await stage.ask(payer="waits", word="never")
        pay = stage.last()
        pay.state, pay.paid, pay.paid_in, pay.receipt = "paid", pay.asked, pay.currency, stage.simulator.new_receipt()
        due = stage.simulator.notice_of(pay)
        pay.state, pay.paid = "waiting", 0
        assert due is not None
        assert await stage.post(due) < 500
        await stage.pass_by(minutes=10)
        assert (await stage.state(payment))[1] == 0

    async def test_20_a_notice_about_a_payment_that_nobody_knows(self, stage: Stage) -> None:
        """Kept and answered; a person is asked where money may be in it."""
        payment = await stage.ask(payer="waits", word="never")
        pay = stage.last()
        stranger = stage.simulator.ask("NOBODYS1", pay.asked, pay.currency, pay.notify, pay.payer)
        due = stage.simulator.notice_of(stranger)
        assert due is not None
        assert await stage.post(due) < 500
        await stage.run()
        await stage.pass_by(hours=25)
        assert (await stage.state(payment))[1] == 0

    async def test_21_word_of_one_payment_at_the_path_of_another(self, stage: Stage) -> None:
        """The other is not paid by it, whatever comes of it."""
        paid = await stage.ask(payer="waits", word="never")
        first = stage.last()
        other = await stage.ask(payer="waits", word="never")
        second = stage.last()
        stage.simulator.decide(first.id)
        due = stage.simulator.notice_of(first)
        assert due is not None
        assert await stage.post(Due(due.method, second.notify, due.headers, due.body)) < 500
        await stage.pass_by(minutes=3)
        assert (await stage.state(other))[1] == 0
        assert await stage.state(paid) == ("captured", stage.amount)
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

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{" * 5_000, b"[" * 5_000 + b"]" * 5_000,
            b'{"Body": null}', b"x" * 70_000, b"<xml/>", b'{"a": 1e999}',
        ],
        ids=range(12),
    )  # fmt: skip
    async def test_68_what_no_provider_should_send(self, stage: Stage, body: bytes) -> None:
        """Never an error of ours, and nothing changes."""
        payment = await stage.ask(payer="waits", word="never")
        before = await stage.state(payment)
        address = stage.last().notify
        for headers in ({"content-type": "application/json"}, {"content-type": "text/plain"}, {}):
            assert await stage.post(Due("POST", address, headers, body)) < 500
        assert await stage.post(Due("GET", address, {}, b"")) < 500
        await stage.run()
        assert await stage.state(payment) == before
