"""M-PESA's ways of writing, against published samples and the vectors computed from them."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kernel.work.configuring import secret_names
from plugins.gateways_mpesa.rules import codes
from plugins.gateways_mpesa.rules.credentials import (
    SANDBOX_PASSKEY,
    basic,
    prompt_password,
    security_credential,
    timestamp,
)
from plugins.gateways_mpesa.rules.redacting import redacted
from plugins.gateways_mpesa.rules.values import masked, minor, moment, phone, receipt, shillings, without_phones
from plugins.gateways_mpesa.schemas import MpesaConfig
from plugins.gateways_mpesa.simulator import certificate
from plugins.gateways_mpesa.simulator.state import opened
from plugins.gateways_mpesa.tests.desk import a_config


@pytest.mark.parametrize(
    ("stamp", "password"),
    [
        (
            "20210628092408",
            "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5YjEwZjc4ZTZiNzJhZGExZWQyYzkxOTIwMjEwNjI4MDkyNDA4",
        ),
        (
            "20160216165627",
            "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5YjEwZjc4ZTZiNzJhZGExZWQyYzkxOTIwMTYwMjE2MTY1NjI3",
        ),
    ],
)
def test_a_prompts_password_is_safaricoms_published_sample(stamp: str, password: str) -> None:
    assert prompt_password("174379", SANDBOX_PASSKEY, stamp) == password


def test_the_header_that_asks_for_a_token_is_basic() -> None:
    assert basic("consumer_key", "consumer_secret") == "Basic Y29uc3VtZXJfa2V5OmNvbnN1bWVyX3NlY3JldA=="


@pytest.mark.parametrize(
    ("now", "stamp"),
    [
        (dt.datetime(2026, 11, 21, 21, 30, tzinfo=dt.UTC), "20261122003000"),
        (dt.datetime(2028, 2, 28, 21, 0, tzinfo=dt.UTC), "20280229000000"),
        (dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=dt.UTC), "20270101025959"),
    ],
)
def test_times_are_nairobis(now: dt.datetime, stamp: str) -> None:
    assert timestamp(now) == stamp


def test_an_initiators_password_is_sealed_whether_the_certificate_is_pem_or_base64_and_past_its_end() -> None:
    pem = certificate()
    bare = "".join(line for line in pem.splitlines() if "-----" not in line)
    for shown in (pem, bare, f"\n{pem}  ", "\n".join([bare[:60], bare[60:]])):
        sealed = security_credential("Sécret-1", shown)
        assert len(base64.b64decode(sealed)) == 256
        assert opened(sealed) == "Sécret-1"
    assert security_credential("x", pem) != security_credential("x", pem), "padding is random"


@pytest.mark.parametrize(
    "wrong", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        security_credential("x", wrong)


@pytest.mark.parametrize(
    "said", ["0712 345 678", "+254712345678", "254712345678", "712345678", "00254712345678", "(0712)-345.678"]
)
def test_a_phone_is_read_however_it_is_written(said: str) -> None:
    assert phone(said) == "254712345678"


def test_numbers_that_begin_with_one_are_phones_too() -> None:
    assert phone("0110123456") == "254110123456"


@pytest.mark.parametrize(
    "said",
    ["2540712345678", "071234567", "255712345678", "0612345678", "", "٠٧١٢٣٤٥٦٧٨", "07123456789", "+", "0712345678\n"],
)
def test_what_is_no_kenyan_mobile_number_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="Kenyan mobile number"):
        phone(said)


@pytest.mark.parametrize("said", [250, 250.0, "250", "250.00", "250.0"])
def test_an_amount_is_the_same_however_it_is_written(said: Any) -> None:
    assert minor(said) == 25_000


@pytest.mark.parametrize(
    "said",
    [0, -1, "-1", "1e3", "NaN", "", None, True, [], "٢٥٠", "1.001", 0.001, 10**400, 1e308, float("inf"), "9" * 40],
)
def test_what_is_no_amount_is_none(said: Any) -> None:
    assert minor(said) is None


def test_parts_of_a_shilling_are_not_moved() -> None:
    assert shillings(25_000) == 250
    with pytest.raises(ValueError, match="whole shillings"):
        shillings(25_050)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        (20191219102115, "2019-12-19T07:21:15+00:00"),
        ("20261121101512", "2026-11-21T07:15:12+00:00"),
        ("21.11.2026 10:15:12", "2026-11-21T07:15:12+00:00"),
        ("2026-11-21 10:15:12", "2026-11-21T07:15:12+00:00"),
        ("2026-11-21T10:15:12Z", "2026-11-21T10:15:12+00:00"),
    ],
)
def test_a_time_is_read_in_every_way_it_is_written(said: Any, at: str) -> None:
    read = moment(said)
    assert read is not None
    assert read.astimezone(dt.UTC).isoformat() == at
    assert moment("99999999999999") is moment(None) is moment("soon") is moment([]) is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (254712345678, "2547*****678"),
        ("0712345678", "0712*****678"),
        ("2547 ***** 001", "2547*****001"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", None),
        (None, None),
        ({}, None),
    ],
)
def test_payers_are_masked(said: Any, shown: str | None) -> None:
    assert masked(said) == shown


def test_numbers_of_phones_are_masked_inside_texts_and_other_numbers_are_not() -> None:
    assert without_phones("from 254712345678 to 0712345678.") == "from 2547*****678 to 07*****678."
    assert without_phones("ws_CO_2111202610151254712345678 TKL1AB2CD3 174379") == (
        "ws_CO_2111202610151254712345678 TKL1AB2CD3 174379"
    )


def test_nothing_of_a_payer_and_no_secret_is_stored() -> None:
    said = {
        "Password": "cGFzcw==",
        "SecurityCredential": "x",
        "access_token": "t",
        "PhoneNumber": 254712345678,
        "PartyA": "600000",
        "FirstName": "Wanjiku",
        "Body": {
            "Items": [
                {"Name": "PhoneNumber", "Value": 254712345678},
                {"Key": "DebitPartyName", "Value": "254712345678 - Wanjiku K"},
                {"Name": "Amount", "Value": 250.0},
            ],
            "note": "paid by 0712345678",
            "number": 254712345678,
        },
    }
    kept = str(redacted(said))
    for secret in ("cGFz", "'x'", "'t'", "712345678", "Wanjiku"):
        assert secret not in kept
    for kept_part in ("600000", "250.0", "2547*****678"):
        assert kept_part in kept


def test_a_receipt_is_capitals_and_figures() -> None:
    assert receipt(" tkl1ab2cd3 ") == "TKL1AB2CD3"
    assert receipt("x" * 40) is receipt("TKL 1") is receipt(None) is receipt({}) is None


@pytest.mark.parametrize(
    ("number", "kind", "fault"),
    [
        ("0", "captured", None),
        ("1", "failed", "insufficient_funds"),
        ("2", "failed", "limit"),
        ("3", "failed", "limit"),
        ("4", "failed", "limit"),
        ("8", "failed", "configuration"),
        ("17", "failed", "duplicate"),
        ("26", "failed", "provider_down"),
        ("1001", "failed", "payer_busy"),
        ("1019", "expired", "payer_unreachable"),
        ("1025", "failed", "provider_down"),
        ("1032", "cancelled", "payer_declined"),
        ("1037", "expired", "payer_unreachable"),
        ("2001", "failed", "payer_declined"),
        ("2028", "failed", "configuration"),
        ("4999", "pending", None),
        ("8006", "failed", "payer_declined"),
        ("SFC_IC0003", "failed", "configuration"),
        ("9999", "unknown", "unknown"),
        ("E3008", "failed", "validation"),
        ("7777", "unknown", "unknown"),
    ],
)
def test_every_code_of_a_prompt_means_one_thing(number: str, kind: str, fault: str | None) -> None:
    known = codes.meaning(number)
    assert (known.kind, known.fault) == (kind, fault)
    assert bool(known.said) == bool(known.tells) == (fault is not None), "who stands at the till is told, and the payer"


@pytest.mark.parametrize(
    ("status", "number", "message", "kind"),
    [
        (500, "500.001.1001", "Merchant does not exist", "configuration"),
        (500, "500.001.1001", "Wrong credentials", "authentication"),
        (500, "500.001.1001", "Unable to lock subscriber, a transaction is already in process", "payer_busy"),
        (500, "500.001.1001", "The transaction is being processed", "payer_busy"),
        (500, "500.001.1001", "Something nobody has seen", "provider_down"),
        (500, "500.003.1001", "Urls are already registered", "duplicate"),
        (500, "500.003.1001", "Internal Server Error", "provider_down"),
        (500, "500.003.02", "System is busy", "rate_limited"),
        (500, "500.003.03", "Quota Violation", "rate_limited"),
        (500, "500.002.1001", "Duplicate OriginatorConversationID.", "duplicate"),
        (400, "400.002.02", "Bad Request - Invalid Amount", "validation"),
        (400, "400.002.05", "Invalid Request Payload", "validation"),
        (404, "404.001.03", "Invalid Access Token", "authentication"),
        (401, "401.003.01", "Error Occurred - Invalid Access Token", "authentication"),
        (404, "404.001.01", "Resource not found", "validation"),
        (429, "", "", "rate_limited"),
        (503, "", "", "provider_down"),
        (302, "", "", "configuration"),
        (400, "400.999.99", "New", "validation"),
        (418, "", "", "unknown"),
    ],
)
def test_every_error_means_one_thing_by_code_then_words_then_status(
    status: int, number: str, message: str, kind: str
) -> None:
    found = codes.refusal(status, number, message)
    assert found.fault == kind
    assert found.is_pending == ("being processed" in message)
    assert found.is_token == (number in ("404.001.03", "401.003.01"))
    assert found.is_unsure == (kind == "provider_down" or found.is_pending), "what is not understood may have been done"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "till"}, "till number"),
        ({"initiator": "only"}, "go together"),
        ({"sources": ("safaricom",)}, "no network address"),
    ],
)
def test_an_account_whose_parts_do_not_go_together_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        a_config(**changes)


@pytest.mark.parametrize("language", ["sw", "hi"])
def test_everything_that_is_said_at_the_till_is_said_in_the_shops_languages(language: str) -> None:
    catalogue = msgspec.json.decode((Path(codes.__file__).parents[1] / "locale" / f"{language}.json").read_bytes())
    told = {
        one for table in (codes.PROMPT, codes.BACK) for known in table.values() for one in (known.said, known.tells)
    }
    refusals = {codes.refusal(status, "", "").said for status in (200, 302, 401, 418, 429, 500)}
    by_code = ("400.002.02", "404.001.03", "500.002.1001", "500.003.02", "500.003.03")
    refusals |= {codes.refusal(500, number, "").said for number in by_code}
    missing = (told | refusals | {codes.UNKNOWN.said, codes.UNKNOWN.tells} - {""}) - catalogue["details"].keys() - {""}
    assert missing == set()


def test_an_account_is_decoded_from_what_a_business_sends_and_its_secrets_are_marked() -> None:
    said = msgspec.to_builtins(a_config())
    assert msgspec.convert(said, MpesaConfig) == a_config()
    assert secret_names(MpesaConfig) == {
        *("consumer_key", "consumer_secret", "passkey", "initiator_password", "certificate"),
    }
    for wrong in ({"shortcode": "12"}, {"passkey": ""}, {"test_address": "ftp://x"}, {"new": 1}, {"kind": "till"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(said | wrong, MpesaConfig)
