"""UPI links, which a QR code holds and an app on the payer's phone opens: written and read.

Keys and their order: NPCI, UPI linking specification 1.6. Lengths, and the look of addresses, are common practice and
not in its readable parts. Amounts are paise. A link asks for money and proves none.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

SCHEME: Final = "upi://pay?"
CURRENCY: Final = "INR"
MOST: Final = 300
"""Codes with more letters are hard to scan for simple phones: practice, not rule."""
MOST_REFERENCE: Final = 35
MOST_NOTE: Final = 50
MOST_NUMBER: Final = 35
USUAL_NUMBER: Final = 12

MODES: Final[Mapping[str, str]] = {
    "00": "default",
    "01": "QR",
    "02": "secure QR",
    "03": "BharatQR",
    "04": "intent",
    "05": "secure intent",
    "06": "NFC",
    "07": "BLE",
    "10": "SDK",
    "11": "mandate",
    "13": "static secure QR mandate",
    "15": "dynamic QR",
    "16": "dynamic secure QR",
    "18": "ATM",
    "19": "online static QR",
    "20": "online static secure QR",
    "22": "online dynamic QR",
    "23": "online dynamic secure QR",
}
SECURE: Final = frozenset({"02", "05", "13", "16", "20", "23"})
"""Modes that promise a signature."""
STATIC_QR, INTENT, DYNAMIC_QR = "01", "04", "15"

_ADDRESS: Final = re.compile(r"[A-Za-z0-9._-]{2,256}@[A-Za-z][A-Za-z0-9]{1,63}\Z", re.ASCII)
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+\Z")
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z")
_FOUR: Final = re.compile(r"[0-9]{4}\Z", re.ASCII)
_AMOUNT: Final = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2}))?\Z", re.ASCII)
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DIGITS: Final = re.compile(r"[0-9]+\Z", re.ASCII)


class BadLink(ValueError):
    """A link that says what no link may, or leaves out what it must say."""


class Link(Struct, frozen=True, kw_only=True):
    """What a link says. Raises BadLink where it breaks a rule.

    payee: the address that is paid, `name@bank`. category: four digits, never another than the payee is registered
    with. amount: None lets the payer type it; with it a reference is needed, which is how its money is known.
    least: what the payer may go down to. psp_id: a transaction id, which only the payee's bank may make.
    """

    payee: str
    name: str
    category: str | None = None
    psp_id: str | None = None
    reference: str | None = None
    note: str | None = None
    amount: int | None = None
    least: int | None = None
    url: str | None = None
    mode: str | None = None
    purpose: str | None = None
    organisation: str | None = None
    signature: str | None = None

    def __post_init__(self) -> None:
        _check_texts(self)
        if self.amount is not None and not self.reference:
            raise BadLink("A link with an amount needs a reference")
        if any(one is not None and one <= 0 for one in (self.amount, self.least)):
            raise BadLink("An amount is above zero")
        if self.least is not None and (self.amount is None or self.least > self.amount):
            raise BadLink("The least amount is no more than the amount")
        if self.mode is not None and self.mode not in MODES:
            raise BadLink(f"There is no mode {self.mode}")
        if self.mode in SECURE and not self.signature:
            raise BadLink(f"Mode {self.mode} needs a signature")


_KEYS: Final[Mapping[str, str]] = {
    "pa": "payee",
    "pn": "name",
    "mc": "category",
    "tid": "psp_id",
    "tr": "reference",
    "tn": "note",
    "am": "amount",
    "mam": "least",
    "cu": "currency",
    "url": "url",
    "mode": "mode",
    "purpose": "purpose",
    "orgid": "organisation",
    "sign": "signature",
}
"""Key of a link → what it is called here, in the order in which they are written; the signature comes last."""
_AMOUNTS: Final = frozenset({"amount", "least"})


def build(link: Link) -> str:
    """A link as text: values in percent-encoded UTF-8, a space as `%20`, the `@` of the address as it is.

    Raises BadLink for a transaction id, which no merchant may make up.
    """
    if link.psp_id is not None:
        raise BadLink("A transaction id is made by the payee's bank")
    said = {**{name: getattr(link, name) for name in Link.__struct_fields__}, "currency": CURRENCY}
    parts = (f"{key}={_encoded(name, said[name])}" for key, name in _KEYS.items() if said[name] is not None)
    return SCHEME + "&".join(parts)


def parse(text: str) -> Link:
    """What a link says; keys that nobody has defined are passed over. Raises BadLink."""
    scheme, _, query = text.strip().partition("?")
    if scheme.lower() != SCHEME[:-1]:
        raise BadLink("A link to pay by begins with upi://pay")
    said: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if key in said:
            raise BadLink(f"{key} stands there twice")
        said[key] = _decoded(key, value)
    if said.pop("cu", CURRENCY) != CURRENCY:
        raise BadLink("UPI pays in Indian rupees only")
    named = {_KEYS[key]: value for key, value in said.items() if key in _KEYS and value}
    if missing := [key for key in ("pa", "pn") if _KEYS[key] not in named]:
        raise BadLink(f"{missing[0]} is missing")
    amounts = {name: paise(value) for name, value in named.items() if name in _AMOUNTS}
    return Link(**(named | amounts))  # type: ignore[arg-type]


def rupees(amount: int) -> str:
    """Paise as a link writes them: `249.00`."""
    return f"{amount // 100}.{amount % 100:02}"


def paise(text: str) -> int:
    """An amount of a link in paise: `249`, `249.5` and `249.50`. Raises BadLink."""
    found = _AMOUNT.match(text)
    if not found:
        raise BadLink(f"{text[:40]!r} is no amount")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def looks_like_address(text: str) -> bool:
    """Whether a text has the look of a UPI address, `name@bank`. A guess: no rule for addresses is published."""
    return _ADDRESS.match(text) is not None


def is_same_address(one: str, other: str) -> bool:
    """Whether two addresses are one: banks read them without regard to case."""
    return one.strip().lower() == other.strip().lower()


def typed_number(text: str) -> str:
    """The number of a payment (RRN, "UPI reference") as a person types it: twelve digits. Raises ValueError."""
    number = re.sub(r"[\s-]", "", text)
    if not _DIGITS.match(number) or not is_usual(number):
        raise ValueError("The UPI reference on your phone has 12 digits")
    return number


def kept_number(text: str) -> str | None:
    """The number of a payment as a bank writes it: text, with its leading zeros; None for what is no such number."""
    number = text.strip()
    return number if len(number) <= MOST_NUMBER and _VISIBLE.match(number) else None


def is_usual(number: str) -> bool:
    """Whether a number has the twelve digits that it has by convention; banks have shown others."""
    return len(number) == USUAL_NUMBER and _DIGITS.match(number) is not None


def shortened(words: str, most: int = MOST_NOTE) -> str:
    """Words as a link may carry them: without control characters, no longer than so many letters."""
    plain = "".join(one if _TEXT.match(one) else " " for one in words)
    return " ".join(plain.split())[:most].rstrip()


def _check_texts(link: Link) -> None:
    for name, fits, said in (
        ("payee", lambda text: _VISIBLE.match(text) and text.count("@") == 1 and text.strip("@") == text, "name@bank"),
        ("name", lambda text: text.strip() and _TEXT.match(text), "what payers read"),
        ("category", _FOUR.match, "four digits"),
        ("reference", lambda text: len(text) <= MOST_REFERENCE and _VISIBLE.match(text), "up to 35 letters and digits"),
        ("note", lambda text: text and len(text) <= MOST_NOTE and _TEXT.match(text), "up to 50 letters"),
        ("url", lambda text: re.match(r"https?://[\x21-\x7e]+\Z", text), "a page"),
        ("purpose", lambda text: len(text) == 2 and _DIGITS.match(text), "two digits"),
        ("organisation", lambda text: len(text) == 6 and _DIGITS.match(text), "six digits"),
        ("signature", _VISIBLE.match, "base64"),
        ("psp_id", _VISIBLE.match, "an id"),
    ):
        value = getattr(link, name)
        if value is not None and not fits(value):
            raise BadLink(f"In {name} write {said}")


def _encoded(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return rupees(value)
    return urllib.parse.quote(value, safe="@" if name == "payee" else "")


def _decoded(key: str, value: str) -> str:
    if _STRAY.search(value):
        raise BadLink(f"{key} is not percent-encoded")
    try:
        return urllib.parse.unquote(value, errors="strict")
    except UnicodeDecodeError as fault:
        raise BadLink(f"{key} is no UTF-8") from fault
