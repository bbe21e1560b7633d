"""Giving money back, unasked payments, lists and trials of an account, against the simulator."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import msgspec
import pytest

from plugins.gateways_mpesa.simulator import Answer, Step
from plugins.gateways_mpesa.simulator.paying import pay
from plugins.gateways_mpesa.tests.desk import ACCOUNT, NOW, Desk, a_config, a_till
from plugins.payments.api import GatewayFailed

PAYER = "254712345678"


async def paid(desk: Desk, amount: int = 25_000) -> None:
    await desk.ask(amount)
    await desk.wait(10)
    desk.told.clear()
    desk.verdicts.clear()


async def failed(doing: Any) -> GatewayFailed:
    with pytest.raises(GatewayFailed) as caught:
        await doing
    return caught.value


def told(desk: Desk) -> list[tuple[str, str]]:
    return [(fact.kind, fact.code) for fact in desk.told]


async def test_a_whole_payment_is_reversed_and_told() -> None:
    desk = Desk()
    await paid(desk)
    back = desk.back(25_000)
    started = await desk.gateway.give_back(desk.line, back)
    assert [(fact.kind, fact.refund_id, fact.amount) for fact in started.facts] == [("refund_pending", back.id, 25_000)]
    assert set(started.ids) == {"conversation", "originator"}
    body = desk.line.sent[-1][2]
    assert (body["Amount"], body["RecieverIdentifierType"], body["ReceiverParty"]) == (250, "11", "174379")
    await desk.wait(5)
    [fact] = desk.told
    assert (fact.kind, fact.refund_id, fact.amount) == ("refund_done", back.id, 25_000)
    assert [one.trust for one in desk.verdicts] == ["trusted"]
    assert [(one.kind, one.amount) for one in desk.app.state.ledger.entries] == [("prompt", 250), ("reversal", 250)]


async def test_a_part_is_paid_out_to_who_paid_once_however_often_it_is_sent() -> None:
    desk = Desk()
    await paid(desk)
    back = desk.back(10_000)
    first = await desk.gateway.give_back(desk.line, back)
    again = await desk.gateway.give_back(desk.line, back)
    assert first.ids["originator"] == again.ids["originator"] == back.id
    await desk.wait(5)
    assert [(fact.kind, fact.amount) for fact in desk.told] == [("refund_done", 10_000)]
    assert [(one.kind, one.amount) for one in desk.app.state.ledger.entries] == [("prompt", 250), ("payout", 100)]


async def test_a_second_reversal_finds_it_done_and_moves_nothing() -> None:
    desk = Desk()
    await paid(desk)
    for _ in range(2):
        await desk.gateway.give_back(desk.line, desk.back(25_000))
        await desk.wait(5)
    assert told(desk) == [("refund_done", "0"), ("refund_done", "R000001")]
    assert len([one for one in desk.app.state.ledger.entries if one.kind == "reversal"]) == 1


@pytest.mark.parametrize("kind", ["lost", "empty", "garbled", "html"])
@pytest.mark.parametrize("amount", [25_000, 10_000])
async def test_a_lost_answer_is_unsure_and_its_result_still_tells(kind: Any, amount: int) -> None:
    desk = Desk()
    await paid(desk)
    on: Any = "reversal" if amount == 25_000 else "payout"
    desk.will(on=on, answer=Answer(kind, does=True, status=503))
    assert (await failed(desk.gateway.give_back(desk.line, desk.back(amount)))).is_unsure
    await desk.wait(5)
    assert told(desk) == [("refund_done", "0")]


async def test_what_became_of_a_refund_is_asked_for_and_told() -> None:
    desk = Desk()
    await paid(desk)
    desk.will(on="payout", notices=[])
    started = await desk.gateway.give_back(desk.line, desk.back(10_000))
    await desk.wait(5)
    assert desk.told == []
    assert await desk.gateway.find_refund(desk.line, desk.back(10_000, ids=dict(started.ids))) == ()
    await desk.wait(5)
    assert [(fact.kind, fact.amount, fact.refund_id) for fact in desk.told] == [
        ("refund_done", 10_000, desk.back(10_000).id)
    ]


async def test_a_payout_whose_answer_was_lost_can_be_asked_about_and_a_reversal_cannot() -> None:
    desk = Desk()
    await paid(desk)
    sent = len(desk.line.sent)
    assert await desk.gateway.find_refund(desk.line, desk.back(25_000)) == ()
    assert len(desk.line.sent) == sent, "without a conversation it would be asked about the payment itself"
    desk.will(on="payout", answer=Answer(does=True), notices=[])
    await failed(desk.gateway.give_back(desk.line, desk.back(10_000)))
    await desk.wait(5)
    await desk.gateway.find_refund(desk.line, desk.back(10_000))
    await desk.wait(5)
    assert [fact.kind for fact in desk.told] == ["refund_done"]


async def test_a_request_that_waits_too_long_is_pending_until_its_result() -> None:
    desk = Desk()
    await paid(desk)
    desk.will(on="reversal", queues=True, decisions=[Step("0", 60)])
    await desk.gateway.give_back(desk.line, desk.back(25_000))
    await desk.wait(40)
    assert (desk.told, [one.trust for one in desk.verdicts]) == ([], ["hint"])
    await desk.wait(30)
    assert told(desk) == [("refund_done", "0")]


@pytest.mark.parametrize(
    ("on", "amount", "code", "kind"),
    [
        ("reversal", 25_000, "1", "refund_failed"),
        ("reversal", 25_000, "R000002", "refund_failed"),
        ("reversal", 25_000, "8006", "refund_failed"),
        ("reversal", 25_000, "4242", "refund_pending"),
        ("payout", 10_000, "2040", "refund_failed"),
        ("payout", 10_000, "21", "refund_failed"),
    ],
)
async def test_every_result_without_success_says_why(on: Any, amount: int, code: str, kind: str) -> None:
    desk = Desk()
    await paid(desk)
    desk.will(on=on, decisions=[Step(code, 1)])
    await desk.gateway.give_back(desk.line, desk.back(amount))
    await desk.wait(5)
    assert told(desk) == [(kind, code)]
    assert all(one.is_in for one in desk.app.state.ledger.entries)


async def test_a_wrong_password_of_the_initiator_is_told_by_the_result() -> None:
    desk = Desk(a_config(initiator_password="wrong"))
    await paid(desk)
    await desk.gateway.give_back(desk.line, desk.back(25_000))
    await desk.wait(5)
    assert [(fact.kind, fact.fault) for fact in desk.told] == [("refund_failed", "authentication")]


async def test_results_from_elsewhere_are_hints() -> None:
    desk = Desk()
    await paid(desk)
    desk.address = "203.0.113.5"
    await desk.gateway.give_back(desk.line, desk.back(25_000))
    await desk.wait(5)
    assert [one.trust for one in desk.verdicts] == ["hint"]


@pytest.mark.parametrize(
    ("config", "amount", "changes", "kind"),
    [
        ({"initiator": None}, 25_000, {}, "configuration"),
        ({"initiator": None}, 10_000, {}, "configuration"),
        ({"certificate": "nonsense"}, 25_000, {}, "configuration"),
        ({}, 25_000, {"money_keys": ()}, "validation"),
        ({}, 10_000, {"phone": None}, "not_supported"),
        ({}, 900, {}, "limit"),
        ({}, 10_050, {}, "validation"),
    ],
)
async def test_what_cannot_be_given_back_never_leaves(
    config: dict[str, Any], amount: int, changes: dict[str, Any], kind: str
) -> None:
    desk = Desk(a_config(**config))
    await paid(desk)
    sent = len(desk.line.sent)
    fault = await failed(desk.gateway.give_back(desk.line, desk.back(amount, **changes)))
    assert (fault.fault.kind, fault.is_unsure, len(desk.line.sent)) == (kind, False, sent)


async def test_payments_nobody_asked_for_are_told_at_the_registered_address() -> None:
    desk = Desk()
    said = await desk.gateway.enrol(desk.line)
    assert "174379" in said
    state = desk.app.state
    entry = await pay(state, state.shops["simulated-key"], "174379", PAYER, 90, "till 2")
    assert entry is not None
    [fact] = desk.told
    assert (fact.money_key, fact.amount, fact.reference, fact.payer) == (entry.receipt, 9_000, "till 2", "2547*****678")
    assert [one.trust for one in desk.verdicts] == ["trusted"]
    assert desk.answers[0].body == b'{"ResultCode":"0","ResultDesc":"Accepted"}'


async def test_registering_twice_says_what_to_do() -> None:
    desk = Desk(a_config(pulls=False))
    await desk.gateway.enrol(desk.line)
    assert "already" in await desk.gateway.enrol(desk.line)


@pytest.mark.parametrize("kind", [a_config, a_till])
async def test_a_payment_is_asked_about_before_it_is_made_and_counted_after(kind: Any) -> None:
    desk = Desk(kind())
    state = desk.app.state
    await desk.gateway.enrol(desk.line)
    shop = msgspec.structs.replace(state.shops[desk.config.consumer_key], validates=True)
    assert await pay(state, shop, shop.numbers[-1], PAYER, 90, "x") is not None
    assert [fact.kind for fact in desk.told] == ["captured"]
    assert [one.trust for one in desk.verdicts] == ["hint", "trusted"]
    desk.is_deaf = True
    assert await pay(state, shop, shop.numbers[-1], PAYER, 91, "x") is not None, "unanswered: completed, as registered"


async def test_unanswered_validations_may_cancel() -> None:
    desk = Desk(a_config(when_unanswered="Cancelled"))
    state = desk.app.state
    await desk.gateway.enrol(desk.line)
    shop = msgspec.structs.replace(state.shops["simulated-key"], validates=True)
    desk.is_deaf = True
    assert await pay(state, shop, "174379", PAYER, 90, "x") is None
    assert state.ledger.entries == []


async def test_an_address_with_a_word_that_safaricom_refuses_is_not_sent() -> None:
    desk = Desk()
    desk.line.notify = "https://mpesa.duka.example/api/v1/payments/notices/1b"
    fault = await failed(desk.gateway.enrol(desk.line))
    assert (fault.fault.kind, desk.line.sent) == ("configuration", [])
    assert "mpesa" in fault.fault.said


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_payments_are_listed_page_by_page_each_once(method: Any) -> None:
    desk = Desk(a_config(pull_method=method))
    await desk.gateway.enrol(desk.line)
    state = desk.app.state
    desk.is_deaf = True
    for n in range(1, 121):
        await pay(state, state.shops["simulated-key"], "174379", PAYER, n, f"R{n}")
    found = await desk.gateway.incoming(desk.line, NOW - dt.timedelta(days=30), NOW + dt.timedelta(seconds=1))
    assert [fact.money_key for fact in found] == [one.receipt for one in state.ledger.entries]
    assert sum(fact.amount or 0 for fact in found) == sum(range(1, 121)) * 100
    assert {fact.key for fact in found} == {f"c2b:{one.receipt}" for one in state.ledger.entries}, "as a notice's key"


async def test_the_list_reaches_two_days_back_and_stays_empty_where_it_is_off() -> None:
    desk = Desk()
    await desk.gateway.enrol(desk.line)
    state = desk.app.state
    await pay(state, state.shops["simulated-key"], "174379", PAYER, 90, "x")
    await desk.wait(49 * 3600)
    assert list(await desk.gateway.incoming(desk.line, NOW, desk.line.now)) == []
    off = Desk(a_config(pulls=False))
    assert list(await off.gateway.incoming(off.line, NOW - dt.timedelta(hours=1), NOW)) == []
    assert off.line.sent == []


async def test_trying_an_account_moves_no_money_and_says_what_it_found() -> None:
    desk = Desk()
    assert "Safaricom accepts the consumer key" in await desk.gateway.check(desk.line)
    await desk.wait(5)
    assert (desk.told, desk.notices[0].query) == ([], {"of": "balance"})
    assert desk.line.sent[-1][2]["ResultURL"].startswith(ACCOUNT)
    bare = Desk(a_config(initiator=None))
    assert "no money can be given back" in await bare.gateway.check(bare.line)
    wrong = Desk(a_config(consumer_key="nobody"))
    assert (await failed(wrong.gateway.check(wrong.line))).fault.kind == "authentication"


def test_only_safaricoms_hosts_are_called_and_a_simulator_in_test_mode_only() -> None:
    gateway = Desk().gateway
    config = a_config(initiator=None, test_address="http://127.0.0.1:8917")
    assert list(gateway.hosts(config, "live")) == ["api.safaricom.co.ke"]
    assert list(gateway.hosts(config, "test")) == ["127.0.0.1:8917"]
    assert list(gateway.hosts(a_config(initiator=None), "test")) == ["sandbox.safaricom.co.ke"]


async def test_nothing_of_payers_or_secrets_stands_in_what_the_simulator_keeps() -> None:
    desk = Desk()
    await paid(desk)
    await desk.gateway.give_back(desk.line, desk.back(10_000))
    kept = str(desk.app.state.diary.requests) + str(desk.app.state.diary.notices)
    for secret in ("254712345001", desk.config.passkey, "Simulated-1", "simulated-secret"):
        assert secret not in kept
    passwords = [body["Password"] for _, _, body in desk.line.sent if body and "Password" in body]
    assert passwords
    assert all(one not in kept for one in passwords)


async def test_the_simulator_is_steered_over_http_and_by_its_own_page_only() -> None:
    desk = Desk(holds=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://sim") as http:
        page = await http.get("/")
        assert "Simulated M-PESA" in page.text
        assert "http://" not in page.text
        assert "https://" not in page.text
        started = await desk.ask(payer=PAYER)
        [shown] = (await http.get("/_sim/phones")).json()["prompts"]
        assert (shown["checkout"], shown["amount"]) == (started.ids["checkout"], 250)
        foreign = await http.post(
            f"/_sim/phones/{shown['checkout']}", json={"code": "0"}, headers={"origin": "https://x"}
        )
        assert foreign.status_code == 403
        assert (await http.post(f"/_sim/phones/{shown['checkout']}", json={"code": "0"})).status_code == 200
        assert (await http.post(f"/_sim/phones/{shown['checkout']}", json={"code": "0"})).status_code == 404
        await http.post("/_sim/advance", json={"seconds": 2})
        assert [fact.kind for fact in desk.told] == ["captured"]
        ledger = (await http.get("/_sim/ledger")).json()
        assert (ledger["came"], ledger["went"], ledger["balances"]["174379"]) == (250, 0, 10_250)
        assert (await http.post("/_sim/scenario", json={"payer": "9", "decisions": [{"code": "1"}]})).status_code == 200
        assert (await http.post("/_sim/scenario", json={"wrong": 1})).status_code == 422
        assert (await http.get("/_sim/nowhere")).status_code == 404
        assert (await http.delete("/_sim/scenarios")).json() == {"scenarios": []}
        await http.post("/_sim/pay", json={"amount": 5, "payer": PAYER})
        assert (await http.get("/_sim/ledger")).json()["came"] == 255
        assert (await http.post("/_sim/pay", json={"amount": 5, "payer": "1"})).status_code == 422
        assert PAYER not in str((await http.get("/_sim/requests")).json())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"TransactionDesc": None}, "400.002.02"),
        ({"AccountReference": "DUKA000000123"}, "400.002.02"),
        ({"Amount": "10.50"}, "400.002.02"),
        ({"Amount": 250_001}, "400.002.02"),
        ({"PhoneNumber": "0712345678"}, "400.002.02"),
        ({"CallBackURL": "http://duka.example/x"}, "400.002.02"),
        ({"Timestamp": "20261121101501"}, "500.001.1001"),
        ({"BusinessShortCode": "600000"}, "500.001.1001"),
    ],
)
async def test_the_simulator_holds_a_caller_to_what_is_documented(change: dict[str, Any], code: str) -> None:
    desk = Desk()
    await desk.ask(payer="254712345002")
    await desk.wait(10)
    _, url, body = desk.line.sent[-1]
    token = await desk.line.token(lambda: pytest.fail("there is one"))
    sent = {name: value for name, value in (body | change).items() if value is not None}
    answer = await desk.line.send("POST", url, json=sent, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["errorCode"] == code


async def test_a_lenient_simulator_takes_long_references_as_safaricoms_own_does() -> None:
    for lenient in (False, True):
        desk = Desk(lenient=lenient)
        await desk.ask(payer="254712345002")
        await desk.wait(10)
        _, url, body = desk.line.sent[-1]
        token = await desk.line.token(lambda: pytest.fail("there is one"))
        sent = body | {"AccountReference": "DUKA00000000123"}
        answer = await desk.line.send("POST", url, json=sent, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status == 200) == lenient
