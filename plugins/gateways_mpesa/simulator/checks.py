"""The rules that Safaricom documents for requests, so that a caller's mistakes show."""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

MOST: Final = 250_000
LEAST_PAYOUT: Final = 10
REFUSED_WORDS: Final = ("mpesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Check = Callable[[Any], bool]


class Shop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app at Daraja with its shortcode. validates: whether payments are asked about before they are made."""

    key: str
    secret: str
    shortcode: str
    passkey: str
    till: str | None = None
    initiator: str = "simop"
    initiator_password: str = "Simulated-1"  # noqa: S105 - of a simulated account
    name: str = "Simulated shop"
    validates: bool = False

    @property
    def numbers(self) -> tuple[str, ...]:
        """The shortcode, and the till's number."""
        return (self.shortcode, self.till) if self.till else (self.shortcode,)


class Wrong(Exception):
    """A request that Safaricom refuses: HTTP status, code, words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def text(shape: str) -> Check:
    """A text, or a figure, of a shape."""
    pattern = re.compile(shape + r"\Z", re.ASCII)
    return lambda said: isinstance(said, str | int) and not isinstance(said, bool) and bool(pattern.match(str(said)))


def one_of(*words: str) -> Check:
    """One of some words."""
    return lambda said: str(said) in words


def shillings(least: int = 1, most: int = MOST) -> Check:
    """A whole amount within limits."""
    return lambda said: bool(text(r"[0-9]{1,9}")(said)) and least <= int(said) <= most


def address(*, is_registered: bool = False) -> Check:
    """A public address over TLS; one on this machine passes as well. Registered ones may not hold certain words."""

    def check(said: Any) -> bool:
        parts = urllib.parse.urlsplit(said) if isinstance(said, str) else None
        if parts is None or not parts.hostname:
            return False
        if is_registered and any(word in said.lower() for word in REFUSED_WORDS):
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)

    return check


PHONE: Final = text(r"254[17][0-9]{8}")
SHORTCODE: Final = text(r"[0-9]{5,7}")
SHORT_REFERENCE: Final = text(r".{1,12}")
STAMP: Final = text(r"20[0-9]{12}")

PROMPT: Final[Mapping[str, Check]] = {
    "BusinessShortCode": SHORTCODE,
    "Password": text(r"[A-Za-z0-9+/=]+"),
    "Timestamp": STAMP,
    "TransactionType": one_of("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
    "Amount": shillings(),
    "PartyA": PHONE,
    "PartyB": SHORTCODE,
    "PhoneNumber": PHONE,
    "CallBackURL": address(),
    "AccountReference": SHORT_REFERENCE,
    "TransactionDesc": text(r".{1,13}"),
}
QUERY: Final[Mapping[str, Check]] = {
    **{name: PROMPT[name] for name in ("BusinessShortCode", "Password", "Timestamp")},
    "CheckoutRequestID": text(r"ws_CO_[0-9A-Za-z]+"),
}
REGISTER: Final[Mapping[str, Check]] = {
    "ShortCode": SHORTCODE,
    "ResponseType": one_of("Completed", "Cancelled"),
    "ConfirmationURL": address(is_registered=True),
    "ValidationURL": address(is_registered=True),
}
SIMULATE: Final[Mapping[str, Check]] = {
    "ShortCode": SHORTCODE,
    "CommandID": one_of("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
    "Amount": shillings(),
    "Msisdn": PHONE,
    "BillRefNumber": text(r".{0,20}"),
}
_RESULTS: Final[Mapping[str, Check]] = {
    "SecurityCredential": text(r"[A-Za-z0-9+/=]+"),
    "ResultURL": address(),
    "QueueTimeOutURL": address(),
    "Remarks": text(r".{2,100}"),
}
REVERSAL: Final[Mapping[str, Check]] = {
    **_RESULTS,
    "Initiator": text(r".+"),
    "CommandID": one_of("TransactionReversal"),
    "TransactionID": text(r"[A-Z0-9]{10}"),
    "Amount": shillings(),
    "ReceiverParty": SHORTCODE,
    "RecieverIdentifierType": one_of("11"),
}
PAYOUT: Final[Mapping[str, Check]] = {
    **_RESULTS,
    "OriginatorConversationID": text(r".{1,100}"),
    "InitiatorName": text(r".+"),
    "CommandID": one_of("SalaryPayment", "BusinessPayment", "PromotionPayment"),
    "Amount": shillings(LEAST_PAYOUT),
    "PartyA": SHORTCODE,
    "PartyB": PHONE,
}
STATUS: Final[Mapping[str, Check]] = {
    **_RESULTS,
    "Initiator": text(r".+"),
    "CommandID": one_of("TransactionStatusQuery"),
    "PartyA": text(r"[0-9]{5,12}"),
    "IdentifierType": one_of("1", "2", "4"),
}
BALANCE: Final[Mapping[str, Check]] = {
    **_RESULTS,
    "Initiator": text(r".+"),
    "CommandID": one_of("AccountBalance"),
    "PartyA": SHORTCODE,
    "IdentifierType": one_of("1", "2", "4"),
}
PICTURE: Final[Mapping[str, Check]] = {
    "MerchantName": text(r".{1,50}"),
    "RefNo": text(r".{1,20}"),
    "Amount": shillings(),
    "TrxCode": one_of("BG", "WA", "PB", "SM", "SB"),
    "CPI": text(r"[0-9]{5,12}"),
    "Size": text(r"[0-9]{2,4}"),
}
PULL_REGISTER: Final[Mapping[str, Check]] = {
    "ShortCode": SHORTCODE,
    "RequestType": one_of("Pull"),
    "NominatedNumber": text(r"[0-9]{9,12}"),
    "CallBackURL": address(),
}
_TIME: Final = text(r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
PULL: Final[Mapping[str, Check]] = {
    "ShortCode": SHORTCODE,
    "StartDate": _TIME,
    "EndDate": _TIME,
    "OffSetValue": text(r"[0-9]{1,6}"),
}
LENIENT: Final = frozenset({"AccountReference"})
"""Documented, and not held to by Safaricom's own test system."""


def check(body: Any, rules: Mapping[str, Check], *, lenient: bool = False) -> dict[str, Any]:
    """The body, if it keeps the rules. Raises Wrong."""
    if not isinstance(body, dict):
        raise Wrong(400, "400.002.05", "Invalid Request Payload")
    for name, is_right in rules.items():
        if lenient and name in LENIENT and isinstance(body.get(name), str):
            continue
        if name not in body or not is_right(body[name]):
            shown = "Remarks" if name == "TransactionDesc" else name
            raise Wrong(400, "400.002.02", f"Bad Request - Invalid {shown}")
    return body


def check_password(shop: Shop, body: Mapping[str, Any]) -> None:
    """Raise Wrong where a prompt's password is not made of shortcode, passkey and the stamp beside it."""
    try:
        said = base64.b64decode(str(body["Password"]), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        said = ""
    if said != f"{shop.shortcode}{shop.passkey}{body['Timestamp']}":
        raise Wrong(500, "500.001.1001", "Wrong credentials")
