"""What Safaricom's bodies say; whatever is in them, nothing is raised."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.gateways_mpesa.gateway import Mpesa
from plugins.gateways_mpesa.tests.desk import NOW, SAFARICOM, a_config
from plugins.payments.api import GatewayFact, Notice

REFUND = str(uuid.UUID(int=7))
OF_REFUND = {"refund": uuid.UUID(int=7).hex}
GATEWAY, CONFIG = Mpesa(), a_config(shortcode="600000", initiator=None)

# The bodies of the documentation, with values made up.
STK_OK = '{"Body":{"stkCallback":{"MerchantRequestID":"11111-222-3","CheckoutRequestID":"ws_CO_21112026101500000","ResultCode":0,"ResultDesc":"ok","CallbackMetadata":{"Item":[{"Name":"Amount","Value":250.0},{"Name":"MpesaReceiptNumber","Value":"TKL1AB2CD3"},{"Name":"Balance"},{"Name":"TransactionDate","Value":20261121101512},{"Name":"PhoneNumber","Value":254700000001}]}}}}'  # noqa: E501
STK_FAIL = '{"Body":{"stkCallback":{"MerchantRequestID":"11111-222-3","CheckoutRequestID":"ws_CO_21112026101500000","ResultCode":1032,"ResultDesc":"cancelled"}}}'  # noqa: E501
C2B = '{"TransactionType":"Pay Bill","TransID":"TKL1AB2CD4","TransTime":"20261121101600","TransAmount":"250.00","BusinessShortCode":"600000","BillRefNumber":"SALE-000123","InvoiceNumber":"","OrgAccountBalance":"10250.00","ThirdPartyTransID":"","MSISDN":"2547 ***** 001","FirstName":"Test","MiddleName":"","LastName":"Payer"}'  # noqa: E501
REVERSAL_OK = '{"Result":{"ResultType":0,"ResultCode":0,"ResultDesc":"ok","OriginatorConversationID":"o-1","ConversationID":"AG_20261121_1","TransactionID":"TKL9ZZ9ZZ1","ResultParameters":{"ResultParameter":[{"Key":"Amount","Value":250.0},{"Key":"TransCompletedTime","Value":20261121110000},{"Key":"OriginalTransactionID","Value":"TKL1AB2CD3"},{"Key":"Charge","Value":0.0}]},"ReferenceData":{"ReferenceItem":{"Key":"QueueTimeoutURL","Value":"https://example.invalid/t"}}}}'
REVERSAL_FAIL = '{"Result":{"ResultType":0,"ResultCode":"R000002","ResultDesc":"bad original","OriginatorConversationID":"o-1","ConversationID":"AG_20261121_1","TransactionID":"TKL0000000","ReferenceData":{"ReferenceItem":{"Key":"QueueTimeoutURL","Value":"https://example.invalid/t"}}}}'
STATUS_OK = '{"Result":{"ResultType":0,"ResultCode":0,"ResultDesc":"ok","OriginatorConversationID":"o-2","ConversationID":"AG_20261121_2","TransactionID":"TKL0000000","ResultParameters":{"ResultParameter":[{"Key":"DebitPartyName","Value":"600000 - Shop"},{"Key":"DebitPartyName","Value":"254700000001 - Payer"},{"Key":"TransactionReason"},{"Key":"TransactionStatus","Value":"Completed"},{"Key":"Amount","Value":"250"},{"Key":"ReceiptNo","Value":"TKL1AB2CD3"},{"Key":"FinalisedTime","Value":"20261121101512"}]},"ReferenceData":{"ReferenceItem":{"Key":"Occasion"}}}}'  # noqa: E501
ALL = (STK_OK, STK_FAIL, C2B, REVERSAL_OK, REVERSAL_FAIL, STATUS_OK)


def notice(body: str | bytes, query: Mapping[str, str] = {}, address: str | None = SAFARICOM) -> Notice:
    raw = body.encode() if isinstance(body, str) else body
    return Notice(method="POST", headers={}, query=dict(query), body=raw, address=address, at=NOW)


def read(body: str | bytes, query: Mapping[str, str] = {}) -> list[GatewayFact]:
    return list(GATEWAY.read(CONFIG, notice(body, query)))


def test_a_paid_prompt_tells_receipt_amount_time_and_a_masked_payer() -> None:
    [fact] = read(STK_OK)
    assert (fact.kind, fact.key) == ("captured", "stk:ws_CO_21112026101500000:0")
    assert (fact.money_key, fact.amount, fact.currency) == ("TKL1AB2CD3", 25_000, "KES")
    assert fact.payer == "2547*****001"
    assert fact.at is not None
    assert fact.at.isoformat() == "2026-11-21T10:15:12+03:00"
    assert fact.ids == {"checkout": "ws_CO_21112026101500000"}


@pytest.mark.parametrize("number", ["1", "17", "1019", "1025", "1032", "1037", "2001", "9999"])
def test_a_prompt_that_failed_tells_why_and_no_money(number: str) -> None:
    for written in (number, f'"{number}"'):
        [fact] = read(STK_FAIL.replace("1032", written))
        assert fact.kind in ("failed", "cancelled", "expired", "unknown")
        assert (fact.code, fact.words, fact.money_key, fact.amount) == (number, "cancelled", None, None)
        assert fact.said
        assert fact.tells


def test_a_code_that_is_a_text_is_read() -> None:
    [fact] = read(STK_FAIL.replace("1032", '"SFC_IC0003"'))
    assert (fact.kind, fact.fault) == ("failed", "configuration")


def test_items_may_come_in_any_order_twice_and_with_more_beside() -> None:
    said = msgspec.json.decode(STK_OK)
    items = said["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    said["Body"]["stkCallback"]["CallbackMetadata"]["Item"] = [{"Name": "New", "Value": {}}, *reversed(items), items[2]]
    assert read(msgspec.json.encode(said)) == read(STK_OK)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"Value":250.0', '"Value":"much"'), ('"Value":"TKL1AB2CD3"', '"Value":null'), ('"Value":250.0', '"Value":-5')],
)
def test_success_that_does_not_say_which_money_is_no_capture(old: str, new: str) -> None:
    [fact] = read(STK_OK.replace(old, new))
    assert (fact.kind, fact.amount, fact.money_key) == ("unknown", None, None)


def test_a_payment_to_the_shortcode_is_money_with_what_the_payer_typed() -> None:
    [fact] = read(C2B, {"of": "paid"})
    assert (fact.kind, fact.key, fact.money_key) == ("captured", "c2b:TKL1AB2CD4", "TKL1AB2CD4")
    assert (fact.amount, fact.reference, fact.payer) == (25_000, "SALE-000123", "2547*****001")


def test_a_phone_that_was_typed_as_account_is_masked() -> None:
    [fact] = read(C2B.replace("SALE-000123", "0712345678"))
    assert fact.reference == "07*****678"


def test_a_validation_is_no_money_with_its_mark_or_without() -> None:
    assert read(C2B, {"of": "asked"}) == []
    assert read(C2B.replace('"10250.00"', '""')) == []


@pytest.mark.parametrize(
    ("body", "of", "kind", "amount", "code"),
    [
        (REVERSAL_OK, "reversal", "refund_done", 25_000, "0"),
        (REVERSAL_OK, "payout", "refund_done", 25_000, "0"),
        (REVERSAL_FAIL, "reversal", "refund_failed", None, "R000002"),
        (REVERSAL_FAIL.replace("R000002", "R000001"), "reversal", "refund_done", None, "R000001"),
        (REVERSAL_FAIL.replace("R000002", "2001"), "payout", "refund_failed", None, "2001"),
        (REVERSAL_FAIL.replace("R000002", "7777"), "payout", "refund_pending", None, "7777"),
        (STATUS_OK, "status", "refund_done", 25_000, "completed"),
        (STATUS_OK.replace("Completed", "Declined"), "status", "refund_failed", 25_000, "declined"),
        (STATUS_OK.replace("Completed", "Authorized"), "status", "refund_pending", 25_000, "authorized"),
    ],
)
def test_a_result_speaks_of_the_refund_that_its_address_names(
    body: str, of: str, kind: str, amount: int | None, code: str
) -> None:
    [fact] = read(body, {"of": of, **OF_REFUND})
    assert (fact.kind, fact.refund_id, fact.amount, fact.code) == (kind, REFUND, amount, code)


def test_an_answer_about_a_refund_that_cannot_be_believed_is_no_reason_to_ask_again() -> None:
    for address, kinds in ((SAFARICOM, ["refund_done"]), ("203.0.113.5", []), (None, [])):
        come = notice(STATUS_OK, {"of": "status", **OF_REFUND}, address)
        assert [fact.kind for fact in GATEWAY.read(CONFIG, come)] == kinds
    come = notice(REVERSAL_OK, {"of": "reversal", **OF_REFUND}, "203.0.113.5")
    assert [fact.kind for fact in GATEWAY.read(CONFIG, come)] == ["refund_done"], (
        "the result itself is worth a question"
    )


def test_a_result_for_which_no_refund_is_named_says_nothing() -> None:
    assert read(REVERSAL_OK) == read(REVERSAL_OK, {"of": "reversal", "refund": "x"}) == []
    assert read(STATUS_OK, {"of": "balance"}) == read(REVERSAL_OK, {"of": "new", **OF_REFUND}) == []


def test_waiting_too_long_is_no_end() -> None:
    for body in (REVERSAL_FAIL, REVERSAL_OK, "queued", ""):
        assert read(body, {"of": "reversal", "late": "1", **OF_REFUND}) == []
        assert GATEWAY.judge(CONFIG, notice(body, {"late": "1"})).trust == "hint"


@pytest.mark.parametrize(
    ("body", "query", "address", "trust"),
    [
        (STK_OK, {}, SAFARICOM, "hint"),
        (STK_FAIL, {}, SAFARICOM, "hint"),
        (C2B, {"of": "paid"}, SAFARICOM, "trusted"),
        (C2B, {}, SAFARICOM, "trusted"),
        (C2B, {"of": "asked"}, SAFARICOM, "hint"),
        (C2B, {"of": "paid"}, f"::ffff:{SAFARICOM}", "trusted"),
        (C2B, {"of": "paid"}, "203.0.113.5", "hint"),
        (C2B, {"of": "paid"}, None, "hint"),
        (C2B, {"of": "paid"}, "not an address", "hint"),
        (C2B.replace("600000", "600001"), {"of": "paid"}, SAFARICOM, "refused"),
        (REVERSAL_OK, {"of": "reversal", **OF_REFUND}, SAFARICOM, "trusted"),
        (REVERSAL_OK, {"of": "reversal", **OF_REFUND}, "203.0.113.5", "hint"),
        ("no json", {}, SAFARICOM, "hint"),
    ],
)
def test_what_a_notice_is_worth(body: str, query: dict[str, str], address: str | None, trust: str) -> None:
    assert GATEWAY.judge(CONFIG, notice(body, query, address)).trust == trust


def test_addresses_are_trusted_only_while_the_account_says_so_and_may_be_others() -> None:
    come = notice(C2B, {"of": "paid"})
    assert GATEWAY.judge(a_config(shortcode="600000", initiator=None, trust_sources=False), come).trust == "hint"
    assert GATEWAY.judge(a_config(shortcode="600000", initiator=None, sources=()), come).trust == "hint"
    assert (
        GATEWAY.judge(a_config(shortcode="600000", initiator=None, sources=("196.201.0.0/16",)), come).trust
        == "trusted"
    )


@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        (STK_OK, {}, {"ResultCode": 0, "ResultDesc": "Accepted"}),
        ("no json", {}, {"ResultCode": 0, "ResultDesc": "Accepted"}),
        (C2B, {"of": "paid"}, {"ResultCode": "0", "ResultDesc": "Accepted"}),
        (C2B, {"of": "asked"}, {"ResultCode": "0", "ResultDesc": "Accepted"}),
        (C2B.replace("600000", "600001"), {"of": "asked"}, {"ResultCode": "C2B00015", "ResultDesc": "Rejected"}),
        (C2B.replace("250.00", "much"), {"of": "asked"}, {"ResultCode": "C2B00013", "ResultDesc": "Rejected"}),
    ],
)
def test_notices_are_answered_in_safaricoms_words(body: str, query: dict[str, str], said: dict[str, Any]) -> None:
    come = notice(body, query)
    answer = GATEWAY.answer(CONFIG, come, GATEWAY.judge(CONFIG, come))
    assert (answer.status, msgspec.json.decode(answer.body)) == (200, said)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"0", b'""', b"{", b"\xff\xfe", b"[" * 5_000),
        *(b'{"Body":{"stkCallback":[]}}', b'{"Result":{}}', b'{"Body":[]}', b'{"TransID":1,"TransAmount":1}'),
        b'{"Body":{"stkCallback":{"CheckoutRequestID":"x","ResultCode":' + b"9" * 5_000 + b"}}}",
    ],
)
def test_junk_says_nothing(body: bytes) -> None:
    for query in ({}, {"of": "paid"}, {"of": "reversal", **OF_REFUND}):
        assert [fact.kind for fact in read(body, query)] in ([], ["unknown"])


def test_of_twin_keys_in_the_json_itself_one_counts() -> None:
    [fact] = read(STK_FAIL.replace('"ResultCode":1032', '"ResultCode":0,"ResultCode":1032'))
    assert fact.kind == "cancelled"


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**18, max_value=10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.just("x" * 5_000),
    st.just("٣" * 12),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["Name", "Key", "Value", "Item"]), st.integers(), max_size=3),
)


def spots(said: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    return [path, *(spot for key, one in inner for spot in spots(one, (*path, key)))]


def changed(said: Any, path: tuple[Any, ...], value: Any, *, drops: bool) -> Any:
    if not path:
        return value
    here = said
    for key in path[:-1]:
        here = here[key]
    if drops:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return said


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_body_reading_it_raises_nothing_and_names_no_payer(data: st.DataObject) -> None:
    said = msgspec.json.decode(data.draw(st.sampled_from(ALL)))
    for _ in range(data.draw(st.integers(1, 3))):
        places = spots(said)
        path = places[data.draw(st.integers(0, len(places) - 1))]
        said = changed(said, path, data.draw(VALUES), drops=data.draw(st.booleans()) and bool(path))
    of = data.draw(st.sampled_from(["reversal", "payout", "status", "paid", "asked", "", "late"]))
    come = notice(msgspec.json.encode(said), {"of": of, **OF_REFUND})
    for fact in GATEWAY.read(CONFIG, come):
        assert fact.key
        assert fact.amount is None or fact.amount > 0
        assert "254700000001" not in str(fact)
        assert fact.kind != "captured" or (fact.money_key and fact.currency == "KES")
    assert GATEWAY.judge(CONFIG, come).trust in ("trusted", "hint", "refused")
    assert GATEWAY.answer(CONFIG, come, GATEWAY.judge(CONFIG, come)).status == 200
    assert "254700000001" not in str(GATEWAY.reads(said))
