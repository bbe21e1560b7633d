"""Razorpay's ways of writing, against its published samples and the vectors computed from them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

import plugins.gateways_upi
from kernel.work.configuring import secret_names
from plugins.gateways_upi.gateway.razorpay import Razorpay, RazorpayConfig
from plugins.gateways_upi.rules.razorpay import reasons, refusals
from plugins.gateways_upi.rules.razorpay.facts import notice_facts, payment_facts, qr_facts, refund_facts
from plugins.gateways_upi.rules.razorpay.lines import stated
from plugins.gateways_upi.rules.razorpay.redacting import redacted
from plugins.gateways_upi.rules.razorpay.refusals import refusal
from plugins.gateways_upi.rules.razorpay.signing import SIGNATURE, basic, is_signed, sign, sign_checkout
from plugins.gateways_upi.rules.razorpay.values import masked, moment, paise, without_payers
from plugins.gateways_upi.tests.desk import NOW, SECRET, a_config
from plugins.payments.api import Notice

VECTOR = (
    b'{"entity":"event","event":"payment.captured","payload":{"payment":{"entity":{"id":"pay_DESlfW9H8K9uqM",'
    b'"amount":100,"currency":"INR","status":"captured"}}}}'
)
VECTOR_SIGNATURE = "93e7ff73d3efd59c407fec195b23c01baeb79248f0cfa326904ccdd1584db780"
RZP = "duka_rzp_webhook_secret"

CREDITED: dict[str, Any] = msgspec.json.decode(
    b'{"entity":"event","account_id":"acc_x","event":"qr_code.credited","contains":["payment","qr_code"],"payload":{'
    b'"payment":{"entity":{"id":"pay_x","entity":"payment","amount":24900,"currency":"INR","status":"captured",'
    b'"order_id":null,"method":"upi","captured":true,"amount_refunded":0,"refund_status":null,"vpa":"payer@bank",'
    b'"fee":0,"tax":0,"error_code":null,"error_reason":null,"notes":{"attempt":"a1"},"acquirer_data":{'
    b'"rrn":"032512345678"},"created_at":1795255000}},"qr_code":{"entity":{"id":"qr_x","entity":"qr_code",'
    b'"usage":"single_use","type":"upi_qr","payment_amount":24900,"fixed_amount":true,"status":"active",'
    b'"payments_amount_received":0,"payments_count_received":0,"close_by":"1795256000","closed_at":null,'
    b'"close_reason":null,"notes":{"reference":"DUKA0001"}}}},"created_at":1795255001}'
)
FAILED: dict[str, Any] = msgspec.json.decode(
    b'{"id":"pay_y","status":"failed","amount":24900,"currency":"INR","method":"upi","error_code":"BAD_REQUEST_ERROR",'
    b'"error_description":"Payment failed","error_source":"bank","error_step":"payment_authorization",'
    b'"error_reason":"payment_failed","acquirer_data":{"rrn":null}}'
)
REFUND: dict[str, Any] = {
    "id": "rfnd_FS8TWyPrCsa0OB",
    "amount": 50_000,
    "currency": "INR",
    "payment_id": "pay_FPoJKWQQ8lK13n",
    "notes": [],
    "receipt": None,
    "acquirer_data": {"arn": None},
    "created_at": 1_597_734_071,
    "status": "processed",
}
CLOSED = {"id": "qr_x", "status": "closed", "close_reason": None, "notes": {"reference": "DUKA0001"}}


def an_event(event: str, **entities: Any) -> dict[str, Any]:
    return {"event": event, "payload": {name: {"entity": entity} for name, entity in entities.items()}}


def worth(config: RazorpayConfig, body: bytes, signature: str | None) -> str:
    headers = {} if signature is None else {SIGNATURE: signature}
    notice = Notice(method="POST", headers=headers, query={}, body=body, address=None, at=NOW)
    return Razorpay().judge(config, notice).trust


def test_a_notice_is_signed_as_razorpay_signs_it() -> None:
    assert sign(RZP, VECTOR) == VECTOR_SIGNATURE
    assert is_signed([RZP], VECTOR_SIGNATURE, VECTOR)


@pytest.mark.parametrize(
    "changed", [VECTOR + b" ", VECTOR + b"\n", VECTOR.replace(b"100", b"101"), VECTOR.replace(b":", b": ", 1), b""]
)
def test_one_byte_more_or_less_is_another_notice(changed: bytes) -> None:
    assert not is_signed([RZP], VECTOR_SIGNATURE, changed)


@pytest.mark.parametrize("signature", ["", "0" * 64, VECTOR_SIGNATURE.upper(), VECTOR_SIGNATURE[:-1], "\udcff", "ü"])
def test_another_signature_is_none(signature: str) -> None:
    assert not is_signed([RZP], signature, VECTOR)


def test_an_empty_secret_signs_nothing() -> None:
    assert not is_signed(["", None], sign("", VECTOR), VECTOR)


def test_the_return_of_its_own_page_is_signed_by_the_keys_secret() -> None:
    signed = sign_checkout("rzp_key_secret", "order_DESlLckIVRkHWj", "pay_DESlfW9H8K9uqM")
    assert signed == "48d350370d9d156107c5f48001fd8a865e7a958e2caf5caa12ba61621c9e0800"


def test_calls_are_signed_in_by_basic() -> None:
    assert basic("consumer_key", "consumer_secret") == "Basic Y29uc3VtZXJfa2V5OmNvbnN1bWVyX3NlY3JldA=="


def test_a_notice_is_worth_what_its_signature_says() -> None:
    body = msgspec.json.encode({"account_id": "acc_SimulatedShop01", "event": "qr_code.closed"})
    others = msgspec.json.encode({"account_id": "acc_Another", "event": "qr_code.closed"})
    both = a_config(webhook_secret="new-secret-1", former_webhook_secret=SECRET)
    assert worth(a_config(), body, sign(SECRET, body)) == "trusted"
    assert worth(both, body, sign(SECRET, body)) == "trusted", "sent again from before the secret was changed"
    assert worth(both, body, sign("new-secret-1", body)) == "trusted"
    after = a_config(webhook_secret="new-secret-1")
    assert [worth(after, body, sign(SECRET, body)), worth(a_config(), body, None)] == ["refused", "refused"]
    assert worth(a_config(), others, sign(SECRET, others)) == "refused", "of another account, by the same secret"
    assert worth(a_config(merchant=None), others, sign(SECRET, others)) == "trusted"


def test_the_money_is_the_payments_and_not_the_codes_counters() -> None:
    [fact] = notice_facts(CREDITED)
    assert (fact.kind, fact.money_key, fact.amount, fact.currency) == ("captured", "pay_x", 24_900, "INR")
    assert (fact.reference, fact.ids, fact.payer) == ("DUKA0001", {"payment": "pay_x", "qr": "qr_x"}, "pa***@bank")
    assert fact.words == "RRN 032512345678", "its noughts are kept"
    assert fact.at == dt.datetime.fromtimestamp(1_795_255_000, dt.UTC)
    assert fact.key == payment_facts(CREDITED["payload"]["payment"]["entity"])[0].key, "asked for, it has the same key"


@pytest.mark.parametrize(("close_by", "seconds"), [("1795256000", 1_795_256_000), (1_795_256_000, 1_795_256_000)])
def test_times_come_as_numbers_and_as_texts(close_by: Any, seconds: int) -> None:
    assert moment(close_by) == dt.datetime.fromtimestamp(seconds, dt.UTC)


@pytest.mark.parametrize("said", [None, "", "soon", True, -1, 0, 10**12, 1.5, "१७९५२५६०००", float("nan"), float("inf")])
def test_what_is_no_time_is_none(said: Any) -> None:
    assert moment(said) is None


@pytest.mark.parametrize(
    ("said", "read"),
    [
        *((24_900, 24_900), (24_900.0, 24_900), ("24900", 24_900)),
        *((0, None), (-1, None), (249.5, None), ("249.00", None), (True, None), (None, None), (10**20, None)),
    ],
)
def test_amounts_are_whole_paise(said: Any, read: int | None) -> None:
    assert paise(said) == read


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("created", "pending"),
        ("authorized", "authorised"),
        ("captured", "captured"),
        ("refunded", "captured"),
        ("failed", "action"),
        ("something_new", "unknown"),
        (7, "unknown"),
    ],
)
def test_a_payment_is_what_its_status_says(status: Any, kind: str) -> None:
    said = {"id": "pay_x", "amount": 100, "currency": "INR", "status": status}
    assert [fact.kind for fact in payment_facts(said, reference="R")] == [kind]


def test_money_that_does_not_say_how_much_is_a_reason_to_ask() -> None:
    for wrong in ({"amount": None}, {"amount": "1e9"}, {"currency": "rupees"}, {"currency": None}):
        [fact] = payment_facts({"id": "pay_x", "amount": 100, "currency": "INR", "status": "captured"} | wrong)
        assert (fact.kind, fact.amount) == ("unknown", None)


def test_a_failure_is_told_by_its_reason_and_is_no_end_while_the_code_is_there() -> None:
    [fact] = payment_facts(FAILED, reference="DUKA0001")
    assert (fact.kind, fact.fault, fact.code) == ("action", "payer_declined", "payment_failed")
    assert fact.words == "Payment failed"
    [ended] = qr_facts(CLOSED, fact)
    assert (ended.kind, ended.fault) == ("failed", "payer_declined")


@pytest.mark.parametrize(
    ("why", "count", "kind"),
    [("on_demand", 0, "cancelled"), (None, 0, "expired"), ("expired", 0, "expired"), ("paid", 0, "pending"),
     ("on_demand", 1, "pending")],
)  # fmt: skip
def test_a_closed_code_ends_a_payment_unless_money_came(why: str | None, count: int, kind: str) -> None:
    closed = CLOSED | {"close_reason": why, "payments_count_received": count}
    assert [fact.kind for fact in notice_facts(an_event("qr_code.closed", qr_code=closed))] == [kind]


def test_nobody_is_told_bad_news_of_what_is_not_ours() -> None:
    assert notice_facts(an_event("payment.failed", payment=FAILED)) == []
    assert notice_facts(an_event("qr_code.closed", qr_code=CLOSED | {"notes": []})) == ()
    ordered = {"id": "pay_z", "amount": 100, "currency": "INR", "status": "captured", "order_id": "order_1"}
    assert notice_facts(an_event("payment.captured", payment=ordered)) == ()
    unasked = notice_facts(an_event("payment.captured", payment=ordered | {"order_id": None}))
    assert [fact.kind for fact in unasked] == ["captured"], "a sticker on the counter was paid"


def test_a_refund_is_what_its_status_says_whatever_the_event_is_called() -> None:
    [made] = notice_facts(an_event("refund.created", refund=REFUND))
    assert (made.kind, made.amount, made.money_key) == ("refund_done", 50_000, "pay_FPoJKWQQ8lK13n")
    assert (made.ids, made.refund_id) == ({"refund": "rfnd_FS8TWyPrCsa0OB"}, None), "made on Razorpay's pages"
    waiting = notice_facts(an_event("refund.speed_changed", refund=REFUND | {"status": "pending"}))
    assert [fact.kind for fact in waiting] == ["refund_pending"]
    ours = "00000000-0000-0000-0000-000000000007"
    [failed] = refund_facts(REFUND | {"status": "failed", "notes": {"refund": ours}})
    assert (failed.kind, failed.refund_id, failed.fault) == ("refund_failed", ours, "unknown")


def test_a_settlement_says_nothing_of_any_one_payment() -> None:
    settled = {"id": "setl_Rf8uva1MU98B4l", "amount": 1524, "status": "processed", "utr": "AXISCN1153863727"}
    assert notice_facts(an_event("settlement.processed", settlement=settled)) == ()


@pytest.mark.parametrize("said", [None, [], 1, "x", {}, {"event": 7}, {"event": "payment.captured", "payload": []}])
def test_what_is_no_notice_says_nothing(said: Any) -> None:
    assert list(notice_facts(said)) == []


@pytest.mark.parametrize(
    ("reason", "fault", "again"),
    [
        ("insufficient_funds", "insufficient_funds", True),
        ("incorrect_pin", "payer_declined", True),
        ("payment_cancelled", "payer_declined", True),
        ("payment_declined", "payer_declined", True),
        ("payment_timed_out", "payer_unreachable", True),
        ("gateway_technical_error", "provider_down", True),
        ("transaction_daily_limit_exceeded", "limit", False),
        ("merchant_not_activated", "configuration", True),
        ("input_validation_failed", "validation", False),
        ("something_new", "unknown", True),
    ],
)
def test_reasons_are_told_in_words_that_mean_the_same_for_every_provider(reason: str, fault: str, again: bool) -> None:
    known = reasons.meaning(reason)
    assert (known.fault, known.again) == (fault, again)
    assert known.said


@pytest.mark.parametrize(
    ("status", "reason", "words", "fault", "is_unsure"),
    [
        (401, "NA", "The api key provided is invalid", "authentication", False),
        (429, "", "", "rate_limited", False),
        (503, "", "", "provider_down", True),
        (400, "input_validation_failed", "The amount is invalid", "validation", False),
        (400, "NA", "The requested URL was not found on the server.", "configuration", False),
        (400, "NA", "Refund is not supported for payments more than 6 months old", "not_supported", False),
        (409, "", "Different request with the same idempotency key has already been processed.", "duplicate", False),
        (409, "", "Another request with the same idempotency key is still in progress.", "duplicate", True),
        (302, "", "", "configuration", False),
    ],
)
def test_refusals_are_told_apart(status: int, reason: str, words: str, fault: str, is_unsure: bool) -> None:
    found = refusal(status, reason, words)
    assert (found.fault, found.is_unsure) == (fault, is_unsure)


def test_rows_of_settlements_are_lines_of_a_statement() -> None:
    row = {"entity_id": "pay_DEXrnipqTmWVGE", "type": "payment", "debit": 0, "credit": 97_100, "amount": 100_000,
           "currency": "INR", "fee": 2_900, "tax": 442, "settled": True, "created_at": 1_567_692_556,
           "settlement_id": "setl_DGlQ1Rj8os78Ec", "settlement_utr": "1568176960vxp0rj", "notes": "tea",
           "payment_id": None, "description": None}  # fmt: skip
    paid = stated(row)
    back = stated(row | {"entity_id": "rfnd_DGRc1", "type": "refund", "debit": 242_500, "credit": 0, "amount": 242_500,
                         "fee": 0, "tax": 0, "payment_id": "pay_DEXq1pACSqFxtS"})  # fmt: skip
    moved = stated(
        row | {"entity_id": "trf_D", "type": "transfer", "debit": 100_296, "credit": 0, "fee": 296, "tax": 46}
    )
    assert paid is not None
    assert back is not None
    assert moved is not None
    assert (paid.fee, paid.tax, paid.net, paid.settlement_ref) == (2_458, 442, 97_100, "1568176960vxp0rj")
    assert (back.kind, back.gross, back.net, back.money_key) == ("refund", -242_500, -242_500, "pay_DEXq1pACSqFxtS")
    assert (moved.kind, moved.gross, moved.net, moved.money_key) == ("adjustment", -100_000, -100_296, None)
    assert all(one.is_sound for one in (paid, back, moved))
    wrong: tuple[dict[str, Any], ...] = (
        *({"amount": None}, {"credit": 0}, {"created_at": "soon"}, {"currency": 1}, {"entity_id": None}),
    )
    junk: list[Any] = [None, [], {}, *(row | one for one in wrong)]
    assert list(map(stated, junk)) == [None] * 8


@pytest.mark.parametrize("language", ["hi", "sw"])
def test_everything_that_is_said_at_the_till_is_said_in_the_shops_languages(language: str) -> None:
    there = Path(plugins.gateways_upi.__file__).parent / "locale" / f"{language}.json"
    catalogue = msgspec.json.decode(there.read_bytes())
    known = [*reasons.REASONS.values(), reasons.UNKNOWN, reasons.LAPSED]
    told = {one for meaning in known for one in (meaning.said, meaning.tells)}
    told |= {refusal(status, "", "").said for status in (200, 302, 400, 401, 409, 429, 500)}
    told |= {found.said for _, found in refusals.BY_WORDS}
    assert told - catalogue["details"].keys() == {""}
    assert "UPI by QR code" in catalogue["titles"]


def test_payers_are_masked_wherever_they_stand() -> None:
    assert masked("gauri.kumari@okhdfcbank") == "ga***@okhdfcbank"
    assert [masked(one) for one in (None, "", "@bank", "a@", "a b@bank", "x" * 500, 7)] == [None] * 7
    assert without_payers("from gauri.kumari@okhdfcbank, +919876543210") == "from ga***@okhdfcbank, +9198*****210"
    kept = str(redacted(CREDITED | {"contact": "+919876543210", "email": "g@example.com", "x": [{"vpa": "ab@cd"}]}))
    assert not any(one in kept for one in ("payer@bank", "9876543210", "g@example", "'ab@cd'"))


def test_the_account_keeps_its_secrets_sealed_and_its_kind_of_key_apart() -> None:
    assert set(secret_names(RazorpayConfig)) == {"key_secret", "webhook_secret", "former_webhook_secret"}
    assert (a_config().is_live, a_config(key_id="rzp_live_a1").is_live) == (False, True)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"key_id": "1", "key_secret": "x" * 9, "webhook_secret": "y" * 9}, RazorpayConfig)
