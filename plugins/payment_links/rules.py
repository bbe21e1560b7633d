"""How a link stands, what may be paid by it, and in which states a payment shows what."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Final, Literal

FAULTS: Final[Mapping[str, str]] = {
    "authentication": "The PIN was wrong.",
    "insufficient_funds": "There was too little money.",
    "limit": "A limit of the payer was reached.",
    "payer_busy": "Another request is waiting on that phone.",
    "payer_declined": "The request was declined.",
    "payer_unreachable": "The phone could not be reached.",
    "provider_down": "The provider does not answer just now.",
    "timeout": "Time ran out.",
}
"""Why a try failed, as far as it is the payer's business; everything else is said in general."""
ENDED: Final = ("expired", "cancelled", "failed", "released")
"""States of a payment that came to nothing."""
SAFE_SCHEMES: Final = ("https://", "upi://")
PICTURES: Final = ("data:image/png;base64,", "data:image/svg+xml;base64,")
LONGEST: Final = dt.timedelta(days=366)


def state_of(state: str, expires_at: dt.datetime, now: dt.datetime) -> Literal["open", "paid", "cancelled", "expired"]:
    """How a link stands: an open one whose time is over is expired."""
    if state == "open" and expires_at <= now:
        return "expired"
    return state  # type: ignore[return-value]


def complaint(amount: int, least: int | None, most: int | None) -> Literal["little", "much"] | None:
    """What is wrong with an amount that a payer has said, in minor units."""
    if amount <= 0 or (least is not None and amount < least):
        return "little"
    return "much" if most is not None and amount > most else None


def fault_of(kind: str) -> str:
    """Why the last try came to nothing, in words for the payer; in general where the reason is not theirs to know."""
    return FAULTS.get(kind, "The payment did not go through.")


def is_safe_address(text: str) -> bool:
    """Whether a provider's address may stand behind a button: a page over https, or an app that pays by UPI."""
    return text.lower().startswith(SAFE_SCHEMES) and not any(ord(letter) < 33 for letter in text)


def is_picture(text: str) -> bool:
    """Whether a provider's picture may be shown: as data, of a kind that holds no page."""
    return text.startswith(PICTURES)


def fingerprint(*parts: object) -> str:
    """A short text that changes when any of its parts does."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]
