"""Codes by time, against the vectors of RFC 4226 and RFC 6238."""

from __future__ import annotations

import datetime as dt

import pytest

from kernel.auth.secrets import totp

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238_appendix_b(at: int, code: str) -> None:
    now = dt.datetime.fromtimestamp(at, dt.UTC)
    assert totp.code_at(RFC_SECRET, totp.step_of(now), digits=8) == code
    assert totp.matching_step(RFC_SECRET, code[2:], now) == at // 30


@pytest.mark.parametrize(
    ("count", "code"), list(enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"]))
)
def test_the_codes_are_those_of_rfc_4226_appendix_d(count: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, count) == code


def test_a_clock_may_be_one_step_early_or_late_and_no_more() -> None:
    now = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
    step = totp.step_of(now)
    near = {
        drift: totp.matching_step(RFC_SECRET, totp.code_at(RFC_SECRET, step + drift), now) for drift in range(-3, 4)
    }
    assert near == {-3: None, -2: None, -1: step - 1, 0: step, 1: step + 1, 2: None, 3: None}


def test_the_address_in_the_qr_code_holds_what_apps_read() -> None:
    assert totp.uri(RFC_SECRET, "a b@x.example") == (
        "otpauth://totp/Duka:a%20b@x.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Duka&algorithm=SHA1&digits=6&period=30"
    )
