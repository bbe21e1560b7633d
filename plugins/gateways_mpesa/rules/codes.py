"""What Safaricom's result codes mean for a payment and for those who stand at the till.

basis of each: `D` told by Safaricom's documentation, `C` by two or more users of Daraja, `G` our own reading.
Texts are English; `locale/` holds the others by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from plugins.payments.api import FactKind, FaultKind

Basis = Literal["D", "C", "G"]


class Meaning(Struct, frozen=True):
    """What a code comes to. said: for whoever stands at the till. tells: for the customer. again: whether asking once
    more may help.
    """

    kind: FactKind
    fault: FaultKind | None = None
    said: str = ""
    tells: str = ""
    again: bool = False
    basis: Basis = "D"


_BUSY: Final = "M-PESA is busy. Ask again in a minute"
_SET_UP: Final = "M-PESA is not set up rightly for this till. Tell the owner; take another way of paying"
_OTHER_WAY: Final = "Please pay another way"
_UNSURE: Final = "M-PESA did not say what became of it. Wait: it is asked again"
_BLOCKED: Final = "M-PESA has locked the customer's PIN. Take another way of paying"
_INITIATOR: Final = "Safaricom does not accept the initiator of this account. Tell the owner"
_STATE: Final = "Safaricom does not let this account give the money back. Tell the owner"
_NOT_YOU: Final = "The payment could not be made. Please pay another way"

UNKNOWN: Final = Meaning("unknown", "unknown", _UNSURE, "Please wait", basis="G")
"""A code that nobody has told us of: not an end, and never money."""

PROMPT: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "0": Meaning("captured"),
        "1": Meaning(
            "failed",
            "insufficient_funds",
            "The customer has too little money in M-PESA",
            "You have too little money in M-PESA",
            again=True,
        ),
        "2": Meaning("failed", "limit", "The amount is below what M-PESA takes", _OTHER_WAY),
        "3": Meaning("failed", "limit", "The amount is above what M-PESA takes at once", _OTHER_WAY),
        "4": Meaning(
            "failed",
            "limit",
            "The customer has reached the day's limit of M-PESA",
            "You have reached the day's limit of M-PESA",
        ),
        "8": Meaning("failed", "configuration", "The shop's M-PESA account can hold no more. Tell the owner", _NOT_YOU),
        "17": Meaning(
            "failed",
            "duplicate",
            "The customer was asked for the same amount less than two minutes ago. Look at that payment first",
            "You were asked for the same amount a moment ago",
            again=True,
        ),
        "26": Meaning("failed", "provider_down", _BUSY, "M-PESA is busy", again=True, basis="C"),
        "1001": Meaning(
            "failed",
            "payer_busy",
            "The customer has another M-PESA request open. Ask again in a minute",
            "Finish the other M-PESA request on your phone",
            again=True,
            basis="C",
        ),
        "1019": Meaning(
            "expired", "payer_unreachable", "The request ran out before it was answered", "The time ran out", again=True
        ),
        "1025": Meaning(
            "failed", "provider_down", "M-PESA could not send the request to the phone", _NOT_YOU, again=True
        ),
        "1032": Meaning(
            "cancelled", "payer_declined", "The customer declined the request", "You declined the request", again=True
        ),
        "1037": Meaning(
            "expired",
            "payer_unreachable",
            "The phone could not be reached, or nobody answered",
            "Is your phone on and in your hand?",
            again=True,
        ),
        "2001": Meaning("failed", "payer_declined", "The PIN was wrong", "The PIN was wrong", again=True),
        "2028": Meaning("failed", "configuration", _SET_UP, _NOT_YOU),
        "4999": Meaning("pending", basis="C"),
        "8006": Meaning("failed", "payer_declined", _BLOCKED, "Your M-PESA PIN is locked"),
        "SFC_IC0003": Meaning("failed", "configuration", _SET_UP, _NOT_YOU),
        "9999": Meaning("unknown", "unknown", _UNSURE, "Please wait", basis="C"),
        "E3008": Meaning(
            "failed", "validation", "Safaricom's test system knows only its own test numbers", _NOT_YOU, basis="C"
        ),
    }
)
"""Of prompts, in their callbacks and in answers to questions about them."""

BACK: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "0": Meaning("refund_done"),
        "1": Meaning(
            "refund_failed", "insufficient_funds", "The shop's M-PESA account has too little money to give it back"
        ),
        "2": Meaning("refund_failed", "limit", "The amount is below what M-PESA pays out"),
        "3": Meaning("refund_failed", "limit", "The amount is above what M-PESA pays out at once"),
        "4": Meaning("refund_failed", "limit", "The day's limit of M-PESA is reached"),
        "8": Meaning("refund_failed", "limit", "The customer's M-PESA account can hold no more"),
        "11": Meaning("refund_failed", "configuration", _STATE, basis="G"),
        "15": Meaning("refund_pending", "duplicate", "M-PESA is at it already", basis="G"),
        "21": Meaning("refund_failed", "configuration", _INITIATOR, basis="G"),
        "2001": Meaning("refund_failed", "authentication", _INITIATOR),
        "2006": Meaning("refund_failed", "configuration", _STATE, basis="G"),
        "2028": Meaning("refund_failed", "configuration", _STATE),
        "2040": Meaning("refund_failed", "validation", "This number cannot be paid by M-PESA", basis="G"),
        "8006": Meaning(
            "refund_failed", "authentication", "Safaricom has locked the initiator's password. Tell the owner"
        ),
        "SFC_IC0003": Meaning("refund_failed", "configuration", _STATE),
        "R000001": Meaning("refund_done", None, "The payment had been reversed already"),
        "R000002": Meaning("refund_failed", "validation", "M-PESA does not know the payment that is to be reversed"),
    }
)
"""Of reversals and payouts, in their results."""

STATES: Final[Mapping[str, FactKind]] = MappingProxyType(
    {
        "initiated": "refund_pending",
        "authorized": "refund_pending",
        "pending": "refund_pending",
        "completed": "refund_done",
        "declined": "refund_failed",
        "cancelled": "refund_failed",
        "expired": "refund_failed",
    }
)
"""Of a transaction that gave money back, in the result of a question about it."""


class Refusal(Struct, frozen=True):
    """What an answer without success comes to.

    is_token: the token was refused, and nothing else was looked at. is_pending: what was asked about is under way.
    is_unsure: it may have been done all the same. after_s: how long to wait before asking again.
    """

    fault: FaultKind
    said: str
    again: bool = False
    after_s: float | None = None
    is_token: bool = False
    is_pending: bool = False
    is_unsure: bool = False
    is_known: bool = True


_WRONG_REQUEST: Final = Refusal("validation", "Safaricom does not accept this request as it is")
_WRONG_KEYS: Final = Refusal("authentication", "Safaricom does not accept the keys of this account. Tell the owner")
_TOKEN: Final = Refusal("authentication", _WRONG_KEYS.said, is_token=True)

_BY_CODE: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        **dict.fromkeys(("400.002.02", "400.002.05"), _WRONG_REQUEST),
        **dict.fromkeys(("400.008.01", "400.008.02"), _WRONG_KEYS),
        **dict.fromkeys(("404.001.03", "401.003.01", "400.003.01", "400.003.02", "404.003.01"), _TOKEN),
        **dict.fromkeys(("404.001.01", "404.001.04", "405.001"), _WRONG_REQUEST),
        "500.002.1001": Refusal("duplicate", "Safaricom was told of this before"),
        "500.003.02": Refusal("rate_limited", _BUSY, again=True, after_s=5),
        "500.003.03": Refusal(
            "rate_limited", "Safaricom's quota for this account is used up. Tell the owner", after_s=3600
        ),
    }
)
_BY_WORDS: Final[tuple[tuple[str, Refusal], ...]] = (
    ("being processed", Refusal("payer_busy", _UNSURE, again=True, is_pending=True, is_unsure=True)),
    ("unable to lock subscriber", Refusal("payer_busy", PROMPT["1001"].said, again=True, after_s=60)),
    ("merchant does not exist", Refusal("configuration", _SET_UP)),
    ("wrong credentials", _WRONG_KEYS),
    ("spike arrest", Refusal("rate_limited", _BUSY, again=True, after_s=5)),
    ("already registered", Refusal("duplicate", "Safaricom knows addresses for this shortcode already")),
)


GARBLED: Final = Refusal(
    "provider_down", "M-PESA does not answer as it should", again=True, is_unsure=True, is_known=False
)
"""An answer that cannot be read, or an error nobody has told us of: it may have been done."""


def meaning(code: str, table: Mapping[str, Meaning] = PROMPT) -> Meaning:
    """What a result code means; `UNKNOWN` where nobody has told."""
    return table.get(code, UNKNOWN)


def refusal(status: int, code: str, message: str) -> Refusal:
    """What an error body means: by its code, by its words where one code stands for several, then by the status.

    500.001.1001 and 500.003.1001 are told apart by their words alone.
    """
    if (known := _BY_CODE.get(code)) is not None:
        return known
    words = message.lower()
    for part, found in _BY_WORDS:
        if part in words:
            return found
    return _by_status(status, code)


def _by_status(status: int, code: str) -> Refusal:
    if status == 429:
        return Refusal("rate_limited", _BUSY, again=True, after_s=5)
    if status == 401 and not code:
        return _WRONG_KEYS
    if 300 <= status < 400:
        return Refusal("configuration", "Safaricom's address answers from elsewhere. Tell the owner")
    if status in (200, 408) or status >= 500 or code[:1] == "5":
        return GARBLED
    if code[:1] == "4":
        return Refusal("validation", _WRONG_REQUEST.said, is_known=False)
    return Refusal("unknown", "Safaricom refused the request", is_known=False)
