"""UPI links: every rule, the published sample, and that what is written is read back."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.gateways_upi.rules.links import (
    MODES,
    SECURE,
    BadLink,
    Link,
    build,
    is_same_address,
    is_usual,
    kept_number,
    looks_like_address,
    paise,
    parse,
    rupees,
    shortened,
    typed_number,
)

SAMPLE = (
    "upi://pay?pa=dukashop@okhdfcbank&pn=Duka%20Shop%20%26%20Co&mc=5411&tr=DUKA20261121000123&tn=Sale%20123"
    "&am=249.00&cu=INR&mode=22&purpose=00&orgid=000000"
)


def a_link(**changes: Any) -> Link:
    said: dict[str, Any] = {
        "payee": "dukashop@okhdfcbank",
        "name": "Duka Shop & Co",
        "category": "5411",
        "reference": "DUKA20261121000123",
        "note": "Sale 123",
        "amount": 24_900,
        "mode": "22",
        "purpose": "00",
        "organisation": "000000",
    }
    return Link(**(said | changes))


def test_the_sample_is_written_letter_by_letter_and_read_back() -> None:
    assert build(a_link()) == SAMPLE
    assert parse(SAMPLE) == a_link()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "A+B = 50% #1"}, "pn=A%2BB%20%3D%2050%25%20%231"),
        ({"name": "दुकान"}, "pn=%E0%A4%A6%E0%A5%81%E0%A4%95%E0%A4%BE%E0%A4%A8"),
        ({"payee": "a.b-c_d@ybl"}, "pa=a.b-c_d@ybl"),
        ({"note": "to me@home"}, "tn=to%20me%40home"),
        ({"amount": 5}, "am=0.05"),
        ({"amount": 10_000_000}, "am=100000.00"),
        ({"least": 10_000}, "am=249.00&mam=100.00&cu=INR"),
        ({"url": "https://duka.example/s?n=1"}, "cu=INR&url=https%3A%2F%2Fduka.example%2Fs%3Fn%3D1"),
        ({"amount": None}, "tn=Sale%20123&cu=INR"),
    ],
)
def test_values_are_encoded_and_stand_in_their_order(changes: dict[str, Any], said: str) -> None:
    text = build(a_link(**changes))
    assert said in text
    assert "+" not in text
    assert parse(text) == a_link(**changes)


def test_a_signature_comes_last() -> None:
    assert build(a_link(mode="23", signature="MEUC+/=")).endswith("&orgid=000000&sign=MEUC%2B%2F%3D")


@pytest.mark.parametrize(
    "changes",
    [
        {"payee": "dukashop"},
        {"payee": "a@b@c"},
        {"payee": "@ybl"},
        {"payee": "duka shop@ybl"},
        {"name": " "},
        {"name": "a\nb"},
        {"category": "541"},
        {"category": "٥٤١١"},
        {"reference": "x" * 36},
        {"reference": "a b"},
        {"reference": None},
        {"reference": ""},
        {"note": "x" * 51},
        {"amount": 0},
        {"amount": -1},
        {"least": 24_901},
        {"least": 0},
        {"amount": None, "least": 100},
        {"url": "ftp://duka.example"},
        {"mode": "99"},
        *({"mode": mode} for mode in sorted(SECURE)),
        {"purpose": "0"},
        {"organisation": "12345"},
    ],
)
def test_what_no_link_may_say_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadLink):
        a_link(**changes)


def test_a_transaction_id_is_read_and_never_made_up() -> None:
    read = parse(SAMPLE + "&tid=YBL123")
    assert read.psp_id == "YBL123"
    with pytest.raises(BadLink):
        build(read)


@pytest.mark.parametrize(
    "text",
    [
        "https://pay?pa=a1@ybl&pn=A",
        "upi://mandate?pa=a1@ybl&pn=A",
        "upi://pay?pn=A",
        "upi://pay?pa=a1@ybl",
        "upi://pay?pa=a1@ybl&pn=A&cu=USD",
        "upi://pay?pa=a1@ybl&pn=A&pn=B",
        "upi://pay?pa=a1@ybl&pn=%zz",
        "upi://pay?pa=a1@ybl&pn=%ff",
        "upi://pay?pa=a1@ybl&pn=A&tr=1&am=1,000.00",
        "upi://pay?pa=a1@ybl&pn=A&tr=1&am=1.005",
        "upi://pay?pa=a1@ybl&pn=A&tr=1&am=१००",
        "upi://pay?pa=a1@ybl&pn=A&tr=1&am=1e3",
    ],
)
def test_what_is_no_link_is_not_read(text: str) -> None:
    with pytest.raises(BadLink):
        parse(text)


def test_others_links_are_read_with_keys_that_nobody_has_defined() -> None:
    read = parse("UPI://PAY?ver=01&pa=A1@YBL&pn=A+B&qrMedium=02&am=249&tr=7&mc=&cu=INR")
    assert (read.payee, read.name, read.amount, read.category) == ("A1@YBL", "A+B", 24_900, None)


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=50).filter(str.strip)
_PLAIN = st.text(string.ascii_letters + string.digits + "._-", min_size=2, max_size=20)


@given(
    st.builds(
        Link,
        payee=st.builds("{}@{}".format, _PLAIN, st.sampled_from(["ybl", "okaxis", "hdfcbank"])),
        name=_TEXT,
        category=st.none() | st.from_regex(r"[0-9]{4}", fullmatch=True),
        reference=st.text(string.ascii_letters + string.digits, min_size=1, max_size=35),
        note=st.none() | _TEXT,
        amount=st.none() | st.integers(1, 10**9),
        url=st.none() | st.just("https://duka.example/?a=1&b=%20#x"),
        mode=st.none() | st.sampled_from(sorted(MODES.keys() - SECURE)),
        purpose=st.none() | st.just("00"),
        organisation=st.none() | st.just("000000"),
    )
)
def test_what_is_written_is_read_back(link: Link) -> None:
    text = build(link)
    assert text.isascii()
    assert parse(text) == link


@given(st.text(max_size=80))
def test_anything_is_read_or_refused(text: str) -> None:
    for one in (text, f"upi://pay?{text}", f"upi://pay?pa=a1@ybl&pn=A&{text}"):
        try:
            parse(one)
        except BadLink:
            continue


@given(st.integers(1, 10**12))
def test_amounts_are_written_with_two_digits_and_read_back(amount: int) -> None:
    assert paise(rupees(amount)) == amount


def test_an_address_is_known_by_its_look_and_compared_without_case() -> None:
    assert all(
        map(looks_like_address, ["dukashop@okhdfcbank", "9876543210@ybl", "a.b-c_d@paytm", "MAB.037215@AXISBANK"])
    )
    assert not any(
        map(looks_like_address, ["dukashop", "@ybl", "a@", "a@b", "a b@ybl", "a@1bank", "दुकान@ybl", "a1@ybl\n"])
    )
    assert is_same_address("Duka@YBL ", "duka@ybl")
    assert not is_same_address("duka@ybl", "duka@okaxis")


def test_a_typed_number_has_twelve_digits_with_its_zeros() -> None:
    assert typed_number(" 0116 8129-8183 ") == "011681298183"
    for said in ("11681298183", "1168129818370", "११६८१२९८१८३७", "11681298183x", ""):
        with pytest.raises(ValueError, match="12 digits"):
            typed_number(said)


def test_a_banks_number_is_kept_as_text_and_only_remarked_upon() -> None:
    assert [kept_number(one) for one in ("0125836177", " 116812981837 ", "", "x" * 36, "a b")] == [
        "0125836177",
        "116812981837",
        None,
        None,
        None,
    ]
    assert (is_usual("0125836177"), is_usual("116812981837")) == (False, True)


def test_words_are_shortened_to_what_a_link_carries() -> None:
    assert shortened("  Duka\tShop \n T1-2026-000123 ") == "Duka Shop T1-2026-000123"
    assert shortened("a" * 80) == "a" * 50
