"""Asking for money, against the simulator: what each payer does, and what each fault comes to."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from plugins.gateways_mpesa.rules.credentials import prompt_password
from plugins.gateways_mpesa.simulator import Answer, Step
from plugins.gateways_mpesa.simulator.paying import pay
from plugins.gateways_mpesa.tests.desk import ATTEMPT, NOW, SAFARICOM, Desk, a_config, a_till
from plugins.payments.api import GatewayFact, GatewayFailed


def kinds(facts: Any) -> list[str]:
    return [fact.kind for fact in facts]


async def failed(doing: Any) -> GatewayFailed:
    with pytest.raises(GatewayFailed) as caught:
        await doing
    return caught.value


async def test_a_prompt_is_asked_for_paid_told_and_confirmed() -> None:
    desk = Desk(a_config(pulls=False))
    started = await desk.ask()
    assert started.show is not None
    assert started.show.kind == "prompt"
    assert kinds(started.facts) == ["accepted"], "being taken on is not being paid"
    assert kinds(await desk.find(started)) == ["pending"]
    await desk.wait(5)
    [told] = desk.told
    [entry] = desk.app.state.ledger.entries
    assert (told.kind, told.money_key, told.amount) == ("captured", entry.receipt, 25_000)
    assert told.ids == {"checkout": started.ids["checkout"]}
    assert [one.trust for one in desk.verdicts] == ["hint"], "nobody signs it"
    [found] = await desk.find(started)
    assert (found.kind, found.money_key, found.amount) == ("captured", None, None), "a question names no receipt"
    assert desk.answers[0].body == b'{"ResultCode":0,"ResultDesc":"Accepted"}'


async def test_what_is_sent_is_what_safaricom_documents() -> None:
    desk = Desk()
    await desk.ask(words="Öl & Brot für Wanjikũ, 3 Stück")
    _, url, body = desk.line.sent[-1]
    assert url == "https://sandbox.safaricom.co.ke/mpesa/stkpush/v1/processrequest"
    password = body.pop("Password")
    assert body == {
        "BusinessShortCode": "174379",
        "Timestamp": "20261121101500",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": 250,
        "PartyA": "254712345001",
        "PartyB": "174379",
        "PhoneNumber": "254712345001",
        "CallBackURL": ATTEMPT,
        "AccountReference": "DUKA0001",
        "TransactionDesc": "Ol Brot fur W",
    }
    assert password == prompt_password("174379", desk.config.passkey, "20261121101500")
    assert base64.b64decode(password).startswith(b"174379")


async def test_words_that_no_phone_shows_are_never_sent_empty() -> None:
    desk = Desk()
    await desk.ask(words="दुकान")
    assert desk.line.sent[-1][2]["TransactionDesc"] == "Payment"


async def test_a_till_is_asked_for_as_goods_with_its_store_number() -> None:
    desk = Desk(a_till())
    started = await desk.ask()
    body = desk.line.sent[-1][2]
    assert (body["BusinessShortCode"], body["PartyB"]) == ("600100", "5200100")
    assert body["TransactionType"] == "CustomerBuyGoodsOnline"
    await desk.wait(5)
    assert kinds(desk.told) == ["captured"]
    assert kinds(await desk.find(started))[0] == "captured"


async def test_a_till_set_up_as_a_paybill_is_told_as_the_owners_fault() -> None:
    desk = Desk(
        a_config(consumer_key="simulated-till-key", consumer_secret="simulated-till-secret", shortcode="600100")
    )
    await desk.ask()
    await desk.wait(5)
    assert [(fact.kind, fact.fault) for fact in desk.told] == [("failed", "configuration")]


@pytest.mark.parametrize(
    ("payer", "wait_s", "told", "found"),
    [
        ("001", 10, ["captured"], ["captured"]),
        ("002", 10, ["cancelled"], ["cancelled"]),
        ("003", 70, ["expired"], ["expired"]),
        ("004", 10, ["failed"], ["failed"]),
        ("005", 10, ["failed"], ["failed"]),
        ("006", 10, [], ["captured"]),
        ("007", 10, ["captured"] * 3, ["captured"]),
        ("008", 0, ["captured"], ["captured"]),
        ("010", 10, ["captured"], ["captured"]),
        ("011", 10, ["captured"], ["captured"]),
        ("012", 400, ["expired", "captured"], ["captured"]),
        ("013", 10, ["captured", "cancelled"], ["captured"]),
        ("014", 60, [], ["pending"]),
        ("014", 1900, [], ["captured"]),
        ("015", 60, [], ["pending"]),
        ("015", 100, ["captured"], ["captured"]),
        ("016", 10, ["unknown"], ["unknown"]),
        ("017", 10, ["failed"], ["failed"]),
        ("021", 10, ["cancelled", "captured"], ["captured"]),
        ("022", 10, ["unknown"], ["unknown"]),
    ],
)
async def test_every_payer_is_told_of_and_found_out_about(
    payer: str, wait_s: float, told: list[str], found: list[str]
) -> None:
    desk = Desk(a_config(pulls=False))
    started = await desk.ask(payer=f"254712345{payer}")
    await desk.wait(wait_s)
    assert (kinds(desk.told), kinds(await desk.find(started))) == (told, found)
    captured = [fact for fact in desk.told if fact.kind == "captured"]
    [*entries] = desk.app.state.ledger.entries
    assert len({fact.key for fact in captured}) <= len(entries) <= 1
    for fact in captured:
        assert (fact.money_key, fact.amount) == (entries[0].receipt, entries[0].amount * 100)


async def test_a_payer_who_pays_another_amount_is_told_of_as_it_was() -> None:
    desk = Desk()
    await desk.ask(payer="254712345010")
    await desk.wait(5)
    assert [fact.amount for fact in desk.told] == [24_900]


async def test_a_notice_may_come_before_the_answer_and_still_fits() -> None:
    desk = Desk()
    started = await desk.ask(payer="254712345008")
    assert [fact.ids["checkout"] for fact in desk.told] == [started.ids["checkout"]]


async def test_a_lost_answer_is_unsure_and_the_money_is_found_by_our_reference() -> None:
    desk = Desk()
    lost = await failed(desk.ask(payer="254712345009"))
    assert lost.is_unsure
    await desk.gateway.enrol(desk.line)
    assert list(await desk.find(None)) == []
    await desk.wait(5)
    [found] = await desk.find(None)
    assert (found.kind, found.money_key) == ("captured", desk.app.state.ledger.entries[0].receipt)
    assert list(await desk.find(None, reference="DUKA0002")) == [], "another reference is another payment"
    assert kinds(desk.told) == ["captured"], "its own path tells of it as well"


async def test_nothing_is_found_of_a_lost_answer_where_payments_are_not_listed() -> None:
    desk = Desk(a_config(pulls=False))
    await failed(desk.ask(payer="254712345009"))
    await desk.wait(5)
    assert list(await desk.find(None)) == []


async def test_where_payments_are_listed_a_question_brings_the_receipt() -> None:
    desk = Desk()
    await desk.gateway.enrol(desk.line)
    started = await desk.ask(payer="254712345006")
    await desk.wait(5)
    by_question, listed = await desk.find(started)
    assert listed.amount == 25_000
    assert (by_question.money_key, listed.money_key) == (None, desk.app.state.ledger.entries[0].receipt)


async def test_a_list_that_fails_takes_nothing_from_what_was_answered() -> None:
    desk = Desk()
    started = await desk.ask(payer="254712345006")
    await desk.wait(5)
    desk.will(on="pull", answer=Answer("html", status=503))
    assert kinds(await desk.find(started)) == ["captured"]


@pytest.mark.parametrize("pending", ["500.001.1001", "4999"])
async def test_pending_is_told_in_two_ways(pending: str) -> None:
    desk = Desk()
    desk.will(decisions=[Step("0", 50)], pending=pending)
    started = await desk.ask()
    await desk.wait(10)
    [fact] = await desk.find(started)
    assert (fact.kind, fact.code) == ("pending", pending)


@pytest.mark.parametrize(
    ("answer", "kind", "is_unsure"),
    [
        (Answer("lost", does=True), "timeout", True),
        (Answer("empty", does=True), "provider_down", True),
        (Answer("garbled", does=True), "provider_down", True),
        (Answer("html", status=503), "provider_down", True),
        (Answer("html", status=502), "provider_down", True),
        (Answer("html", status=429), "rate_limited", False),
        (Answer("html", status=302), "configuration", False),
        (Answer("error", status=200, code="400.002.02", message="Bad"), "validation", False),
        (Answer("error", status=503, code="500.003.02", message="System is busy"), "rate_limited", False),
        (Answer("error", status=500, code="500.001.1001", message="Merchant does not exist"), "configuration", False),
        (Answer("error", status=500, code="500.001.1001", message="Unable to lock subscriber"), "payer_busy", False),
        (Answer("error", status=500, code="500.009.99", message="New"), "provider_down", True),
    ],
)
async def test_every_bad_answer_says_whether_it_may_have_been_done(answer: Answer, kind: str, is_unsure: bool) -> None:
    desk = Desk()
    desk.will(answer=answer, decisions=[Step("0", 3)])
    fault = await failed(desk.ask())
    assert (fault.fault.kind, fault.is_unsure) == (kind if answer.kind != "lost" else fault.fault.kind, is_unsure)
    assert fault.fault.said
    await desk.wait(10)
    assert len(desk.app.state.ledger.entries) == (1 if answer.does else 0)


async def test_a_refused_token_is_fetched_once_more_and_the_call_made_once_more() -> None:
    desk = Desk()
    await desk.ask()
    other = Desk()
    other.line = type(desk.line)(desk.app, desk.config, now=NOW)
    await other.gateway.check(other.line)
    started = await desk.ask(payer="254712345678", reference="DUKA0002")
    assert started.ids["checkout"]
    assert desk.line.fetched == 2
    assert len(desk.app.state.prompts) == 2, "one prompt each"


async def test_a_token_that_lapsed_is_fetched_anew() -> None:
    desk = Desk()
    started = await desk.ask()
    await desk.wait(4_000)
    assert kinds(await desk.find(started))[0] == "captured"
    assert desk.line.fetched == 2


async def test_wrong_keys_are_said_once_and_not_tried_again() -> None:
    desk = Desk(a_config(consumer_secret="wrong"))
    fault = await failed(desk.ask())
    assert (fault.fault.kind, fault.is_unsure, fault.fault.again) == ("authentication", False, False)
    assert len(desk.line.sent) == 1


async def test_a_token_that_cannot_be_fetched_leaves_nothing_unsure() -> None:
    desk = Desk()
    for kind in ("html", "empty", "lost", "garbled"):
        desk.will(on="token", answer=Answer(kind, status=503), times=1)
        assert not (await failed(desk.ask())).is_unsure, kind
    assert desk.app.state.prompts == {}


async def test_a_wrong_passkey_is_the_accounts_fault() -> None:
    fault = await failed(Desk(a_config(passkey="0" * 64)).ask())
    assert (fault.fault.kind, fault.fault.code) == ("authentication", "500.001.1001")


async def test_a_payer_with_an_open_prompt_is_busy_for_a_minute() -> None:
    desk = Desk(holds=True)
    await desk.ask(payer="254712345678")
    fault = await failed(desk.ask(payer="254712345678", reference="DUKA0002"))
    assert (fault.fault.kind, fault.after_s, fault.is_unsure) == ("payer_busy", 60, False)


async def test_the_same_amount_twice_within_two_minutes_meets_the_rule() -> None:
    desk = Desk()
    await desk.ask()
    await desk.wait(10)
    await desk.ask(reference="DUKA0002")
    await desk.wait(5)
    assert [(fact.kind, fact.code) for fact in desk.told] == [("captured", "0"), ("failed", "17")]
    await desk.wait(130)
    await desk.ask(reference="DUKA0003")
    await desk.wait(5)
    assert desk.told[-1].kind == "captured"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"amount": 0}, "limit"),
        ({"amount": -100}, "limit"),
        ({"amount": 99}, "limit"),
        ({"amount": 25_000_100}, "limit"),
        ({"amount": 25_050}, "validation"),
        ({"currency": "TZS"}, "validation"),
        ({"reference": "SALE-2026-000123"}, "validation"),
        ({"reference": ""}, "validation"),
    ],
)
async def test_what_safaricom_would_not_take_never_leaves(changes: dict[str, Any], kind: str) -> None:
    desk = Desk()
    fault = await failed(desk.ask(**changes))
    assert (fault.fault.kind, fault.is_unsure, desk.line.sent) == (kind, False, [])


async def test_without_a_phone_a_picture_is_made_and_the_money_comes_unasked() -> None:
    desk = Desk()
    await desk.gateway.enrol(desk.line)
    started = await desk.ask(payer=None)
    assert started.show is not None
    assert (started.show.kind, started.show.text[:22]) == ("picture", "data:image/png;base64,")
    assert await desk.find(started) == []
    state = desk.app.state
    await pay(state, state.shops["simulated-key"], "174379", "254712345678", 250, "DUKA0001")
    assert kinds(await desk.find(started)) == ["captured"]
    assert [(fact.reference, fact.amount) for fact in desk.told] == [("DUKA0001", 25_000)]


async def test_a_forged_notice_is_a_hint_that_a_question_does_not_confirm() -> None:
    desk = Desk(holds=True)
    started = await desk.ask(payer="254712345678")
    answer = await desk.line._http.post(
        "http://sim/_sim/forge", json={"checkout": started.ids["checkout"], "code": "0"}
    )
    assert answer.status_code == 200
    assert (kinds(desk.told), [one.trust for one in desk.verdicts]) == (["captured"], ["hint"])
    assert kinds(await desk.find(started)) == ["pending"]
    assert desk.app.state.ledger.entries == []


async def test_a_prompt_told_as_a_payment_too_is_one_piece_of_money() -> None:
    desk = Desk()
    await desk.gateway.enrol(desk.line)
    await desk.ask(payer="254712345020")
    await desk.wait(10)
    assert sorted(kinds(desk.told)) == ["captured", "captured"]
    assert {fact.money_key for fact in desk.told} == {desk.app.state.ledger.entries[0].receipt}


async def test_a_provider_that_restarts_loses_notices_and_tokens_and_no_money() -> None:
    desk = Desk(a_config(pulls=False))
    started = await desk.ask()
    await desk.wait(3)
    desk.app.state.restart()
    await desk.wait(60)
    assert desk.told == []
    assert kinds(await desk.find(started)) == ["captured"]


async def test_many_at_once_share_one_token_and_are_told_apart() -> None:
    desk = Desk()
    await desk.ask(reference="DUKA0000", payer="254712300001")
    started = await asyncio.gather(
        *(desk.ask(reference=f"DUKA{n:04}", payer=f"2547123{n:02}001") for n in range(1, 21))
    )
    assert desk.line.fetched == 1
    await desk.wait(10)
    assert len({one.ids["checkout"] for one in started}) == 20
    receipts = [fact.money_key for fact in desk.told]
    assert len(receipts) == len(set(receipts)) == 21
    assert sum(fact.amount or 0 for fact in desk.told) == sum(e.amount for e in desk.app.state.ledger.entries) * 100


def test_facts_know_nothing_of_whole_numbers() -> None:
    assert {"payer"} <= set(GatewayFact.__struct_fields__)
    assert SAFARICOM in a_config(initiator=None).sources
