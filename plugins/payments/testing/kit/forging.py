"""Forging: word that its provider did not leave, or left for somebody else, at another time, of play money."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from urllib.parse import urlencode

import pytest

from plugins.payments.models import Money
from plugins.payments.testing.kit.stage import Stage
from plugins.payments.testing.simulator import Due, Pay

REFUSED = (401, 403)


class Forging:
    """Cases 11 to 16, 18, 19, 21, 22, 44, 75."""

    async def test_11_to_14_a_notice_that_is_not_what_was_signed(self, stage: Stage) -> None:
        """Refused, nothing changes, and a person is told; the genuine one is taken."""
        _need_signatures(stage)
        payment, due = await _a_paid_one(stage)
        before = await stage.state(payment)
        signature = next(name for name in due.headers if "sign" in name.lower() or "hash" in name.lower())
        bare = {name: value for name, value in due.headers.items() if name != signature}
        wrong = bare | {signature: _one_other(due.headers[signature])}
        for headers, body in (
            (wrong, due.body),
            (bare, due.body),
            (due.headers, _one_other(due.body.decode()).encode()),
            (due.headers, due.body + b" "),
            (due.headers, json.dumps(json.loads(due.body), indent=1, sort_keys=True).encode()),
        ):
            assert await stage.post(due, headers=headers, body=body) in REFUSED
        await stage.run()
        assert await stage.state(payment) == before
        assert "forged" in await stage.reviews()
        assert await stage.post(due) < 300
        await stage.run()
        assert await stage.state(payment) == ("captured", stage.amount)

    async def test_15_the_secret_changes(self, stage: Stage) -> None:
        """Word signed with the former one is taken while it is kept beside the new one, and refused afterwards."""
        _need_signatures(stage)
        (early, by_former), (late, too_late) = await _a_paid_one(stage), await _a_paid_one(stage)
        changes = stage.simulator.rotate()
        if changes is None:
            pytest.skip("an account keeps no former secret")
        await stage.change(changes)
        now, by_new = await _a_paid_one(stage)
        for payment, due in ((early, by_former), (now, by_new)):
            assert await stage.post(due) < 300
            await stage.run()
            assert await stage.state(payment) == ("captured", stage.amount)
        await stage.change(stage.simulator.forget_rotation())
        assert await stage.post(too_late) in REFUSED
        await stage.run()
        assert (await stage.state(late))[1] == 0
        await stage.pass_by(minutes=10)
        assert await stage.state(late) == ("captured", stage.amount)
        await stage.agree()

    async def test_16_a_notice_was_signed_long_ago_or_will_be(self, stage: Stage) -> None:
        """Refused, for it may be somebody's who kept it; within the tolerance it is taken."""
        holds_s = stage.gateway.capabilities.notices_hold_s
        if holds_s is None:
            pytest.skip("a signature bears no time")
        payment, _ = await _a_paid_one(stage)
        for seconds in (-holds_s - 60, holds_s + 60):
            assert await stage.post(_signed_at(stage, seconds)) in REFUSED
        await stage.run()
        assert (await stage.state(payment))[1] == 0
        assert await stage.post(_signed_at(stage, -holds_s // 2)) < 300
        await stage.run()
        assert await stage.state(payment) == ("captured", stage.amount)

    async def test_18_a_notice_at_a_path_that_nobody_was_given(self, stage: Stage) -> None:
        """Not there, and nothing kept."""
        payment = await stage.ask(payer="waits", word="never")
        due = _made_up(stage, stage.last())
        wrong = due.address[:-32] + uuid.uuid4().hex
        assert await stage.post(Due(due.method, wrong, due.headers, due.body)) in (*REFUSED, 404)
        await stage.run()
        assert (await stage.state(payment))[1] == 0

    async def test_19_a_forged_notice_at_the_right_path(self, stage: Stage) -> None:
        """Not credited: the provider says that nothing was paid; a person is told."""
        if stage.gateway.capabilities.notices == "signed":
            pytest.skip("a signed notice cannot be forged; see 11 to 14")
        payment = await stage.ask(payer="waits", word="never")
        assert await stage.post(_made_up(stage, stage.last())) < 500
        await stage.pass_by(hours=25)
        assert (await stage.state(payment))[1] == 0
        assert {"contradicted", "forged"} & set(await stage.reviews())

    async def test_21_word_of_one_payment_at_the_path_of_another(self, stage: Stage) -> None:
        """The other is not paid by it, whatever comes of it."""
        paid, due = await _a_paid_one(stage)
        other = await stage.ask(payer="waits", word="never")
        assert await stage.post(Due(due.method, stage.last().notify, due.headers, due.body)) < 500
        await stage.pass_by(minutes=3)
        assert (await stage.state(other))[1] == 0
        assert await stage.state(paid) == ("captured", stage.amount)
        await stage.agree()

    async def test_21_word_for_the_account_of_somebody_else(self, stage: Stage) -> None:
        """Their account is paid nothing by it: signed, it is refused; else no question confirms it."""
        theirs = await stage.another_account()
        paid, due = await _a_paid_one(stage)
        status = await stage.post(Due(due.method, theirs, due.headers, due.body))
        assert status in REFUSED if stage.gateway.capabilities.notices == "signed" else status < 500
        await stage.pass_by(minutes=3)
        assert await stage.state(paid) == ("captured", stage.amount)
        assert {row.account_id for row in await stage.rows(Money)} <= {stage.account_id}
        await stage.agree()

    async def test_22_word_of_another_mode(self, stage: Stage) -> None:
        """Play money pays nothing that is real, nor the other way round: refused."""
        if not stage.gateway.capabilities.notices_tell_mode:
            pytest.skip("notices bear no mode: live and test accounts have keys of their own")
        payment, _ = await _a_paid_one(stage)
        for mode, taken in (("live", False), ("test", True)):
            stage.simulator.mode = mode  # type: ignore[assignment]
            due = stage.simulator.notice_of(stage.last())
            assert due is not None
            assert (await stage.post(due) < 300) == taken
            await stage.run()
            assert await stage.state(payment) == (("captured", stage.amount) if taken else ("pending", 0))

    async def test_44_the_answer_contradicts_the_notice(self, stage: Stage) -> None:
        """The provider denies what the notice says when it is asked: nothing counts, and a person is asked."""
        if stage.gateway.capabilities.notices == "signed":
            pytest.skip("a signed notice is the provider's own word; see 8")
        payment = await stage.ask(payer="declines", word="never")
        assert await stage.post(_made_up(stage, stage.last())) < 500
        await stage.pass_by(hours=25)
        state, captured = await stage.state(payment)
        assert (state in {"cancelled", "failed", "expired"}, captured) == (True, 0)
        assert "contradicted" in await stage.reviews()

    async def test_75_a_payer_comes_back_and_says_that_it_is_paid(self, stage: Stage) -> None:
        """What a browser says by the address it comes back to makes Duka ask at most."""
        payment = await stage.ask(payer="waits", word="never")
        pay = stage.last()
        said = {"status": "success", "state": "paid", "ResultCode": "0", "id": pay.id, "reference": pay.reference}
        form = urlencode(said | {"amount": str(pay.asked), "currency": pay.currency, "receipt": "R1"})
        address, kind = f"{pay.notify}?{form}", {"content-type": "application/x-www-form-urlencoded"}
        for due in (
            Due("GET", address, {}, b""),
            Due("POST", address, {}, b""),
            Due("POST", pay.notify, kind, form.encode()),
        ):
            assert await stage.post(due) < 500
        await stage.pass_by(minutes=3)
        assert (await stage.state(payment))[1] == 0
        stage.simulator.decide(pay.id)
        await stage.pass_by(minutes=30)
        assert await stage.state(payment) == ("captured", stage.amount)
        await stage.agree()


async def _a_paid_one(stage: Stage) -> tuple[uuid.UUID, Due]:
    """A payment that was made and not told of yet, with the word of it."""
    payment = await stage.ask(payer="waits", word="never")
    due = stage.simulator.notice_of(stage.simulator.decide(stage.last().id))
    assert due is not None
    return payment, due


def _signed_at(stage: Stage, seconds: float) -> Due:
    """Word of the last payment, signed so long after now."""
    clock = stage.simulator.clock
    stage.simulator.clock = lambda: clock() + dt.timedelta(seconds=seconds)
    due = stage.simulator.notice_of(stage.last())
    stage.simulator.clock = clock
    assert due is not None
    return due


def _need_signatures(stage: Stage) -> None:
    if stage.gateway.capabilities.notices != "signed":
        pytest.skip("the provider signs nothing")


def _made_up(stage: Stage, pay: Pay) -> Due:
    """Word that a payment was made which was not, as its provider would write it."""
    kept = pay.state
    pay.state, pay.paid, pay.paid_in, pay.receipt = "paid", pay.asked, pay.currency, stage.simulator.new_receipt()
    due = stage.simulator.notice_of(pay)
    pay.state, pay.paid = kept, 0
    assert due is not None
    return due


def _one_other(text: str) -> str:
    """A text with one letter or figure of its middle changed."""
    middle = len(text) // 2
    place = next(place for place in range(middle, len(text)) if text[place].isalnum())
    return text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
