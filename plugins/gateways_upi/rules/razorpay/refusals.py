"""What an answer without success means: whether it was done, and what the till is told.

By status and `reason`. Where Razorpay gives no reason (`NA`), by what its documentation says in words.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from plugins.gateways_upi.rules.razorpay.reasons import REASONS
from plugins.payments.api import FaultKind


class Refusal(Struct, frozen=True):
    """is_unsure: it may have been done. is_gone: what was spoken of is not there. is_over: it was done or has ended.
    is_clock: the time that was given lies otherwise by Razorpay's clock.
    """

    fault: FaultKind
    said: str
    again: bool = False
    is_unsure: bool = False
    is_gone: bool = False
    is_over: bool = False
    is_clock: bool = False


GARBLED: Final = Refusal("provider_down", "Razorpay does not answer as it should", again=True, is_unsure=True)
_BUSY: Final = Refusal("rate_limited", "Razorpay is busy. Ask again in a minute", again=True)
_KEYS: Final = Refusal("authentication", "Razorpay does not accept the keys of this account. Tell the owner")
_WRONG: Final = Refusal("validation", "Razorpay does not accept this request as it is")
_IN_HAND: Final = Refusal("duplicate", "Razorpay is at it already", again=True, is_unsure=True)
_ELSEWHERE: Final = Refusal("configuration", "Razorpay's address answers from elsewhere. Tell the owner")
_NO_QR: Final = Refusal("configuration", "Razorpay has not switched QR codes on for this account. Tell the owner")
BY_WORDS: Final = (
    ("different request with the same idempotency key", Refusal("duplicate", "Razorpay was told otherwise before")),
    ("same idempotency key is still in progress", _IN_HAND),
    ("fully refunded already", Refusal("validation", "The payment was given back already")),
    ("greater than", Refusal("limit", "More is to be given back than Razorpay has of this payment")),
    ("insufficient balance", Refusal("insufficient_funds", "The shop's Razorpay balance is too small to give it back")),
    ("enough balance", Refusal("insufficient_funds", "The shop's Razorpay balance is too small to give it back")),
    ("6 months", Refusal("not_supported", "Razorpay gives nothing back after six months")),
    ("does not exist", Refusal("validation", "Razorpay does not know it", is_gone=True)),
    ("not a valid id", Refusal("validation", "Razorpay does not know it", is_gone=True)),
    ("requested url was not found", _NO_QR),
    ("close_by", Refusal("configuration", "The clock of this machine is wrong. Tell the owner", is_clock=True)),
    ("already closed", Refusal("validation", "The QR code is closed already", is_over=True)),
    ("is closed", Refusal("validation", "The QR code is closed already", is_over=True)),
)
"""What errors without a reason say, in small letters: a part of it, and what it means."""


def refusal(status: int, reason: str, words: str) -> Refusal:
    """What an error means: by its status where that says all, by its words, by its reason."""
    lower = words.lower()
    told = next((found for part, found in BY_WORDS if part in lower), None)
    if status == 409:
        return told or _IN_HAND
    if (found := _by_status(status)) is not None:
        return found
    known = REASONS.get(reason)
    return told or (_WRONG if known is None else Refusal(known.fault, known.said, known.again))


def _by_status(status: int) -> Refusal | None:
    """What a status says by itself."""
    if status == 429:
        return _BUSY
    if status in (401, 403):
        return _KEYS
    if 300 <= status < 400:
        return _ELSEWHERE
    return GARBLED if status >= 500 or status in (200, 408) else None
