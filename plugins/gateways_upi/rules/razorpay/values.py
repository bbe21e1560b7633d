"""Ids, amounts, times and notes as Razorpay writes them."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any, Final, Literal

CURRENCY: Final = "INR"
LARGEST: Final = 10**15
"""No amount in paise that Razorpay could have moved; what says more says nothing."""
Thing = Literal["pay", "qr", "rfnd", "setl", "acc"]

_OWN: Final = re.compile(r"[A-Za-z0-9]{1,60}\Z", re.ASCII)
_FIGURES: Final = re.compile(r"[0-9]{1,16}\Z", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z", re.ASCII)
_VPA: Final = re.compile(r"([A-Za-z0-9._-]{1,256})@([A-Za-z][A-Za-z0-9.]{1,63})\Z", re.ASCII)
_ANY_VPA: Final = re.compile(r"([A-Za-z0-9._-]{2})[A-Za-z0-9._-]*@([A-Za-z][A-Za-z0-9]+)", re.ASCII)
_ANY_PHONE: Final = re.compile(r"(?<![0-9A-Za-z])(\+?91|0)?([6-9][0-9])[0-9]{5}([0-9]{3})(?![0-9])", re.ASCII)
_LAST_SECOND: Final = 2**31


def id_(said: Any, thing: Thing) -> str | None:
    """What Razorpay calls a thing, as `pay_DESlfW9H8K9uqM`; None for what cannot be its id."""
    prefix = f"{thing}_"
    if not isinstance(said, str) or not said.startswith(prefix) or not _OWN.match(said[len(prefix) :]):
        return None
    return said


def paise(said: Any) -> int | None:
    """An amount in paise: 24900, 24900.0 and "24900" alike. None where it is none, not above zero, or has parts."""
    whole = whole_number(said)
    return whole if whole is not None and 0 < whole <= LARGEST else None


def whole_number(said: Any) -> int | None:
    """A whole number, written in any of the ways that are met; None for all else."""
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    if isinstance(said, str):
        return int(said) if _FIGURES.match(said) else None
    if not math.isfinite(said) or abs(said) > 10 * LARGEST or said != int(said):
        return None
    return int(said)


def currency(said: Any) -> str | None:
    """Three capitals; None for all else."""
    return said if isinstance(said, str) and _CURRENCY.match(said) else None


def moment(said: Any) -> dt.datetime | None:
    """A time: seconds since 1970, as a number or a text (`close_by` comes as both)."""
    seconds = whole_number(said)
    if seconds is None or not 0 < seconds < _LAST_SECOND:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def inside(said: Any, *path: str) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in path:
        said = said.get(key) if isinstance(said, dict) else None
    return said


def note(said: Any, name: str) -> str | None:
    """A note of a thing. Razorpay writes no notes at all as `[]`."""
    found = inside(said, "notes", name)
    return found.strip()[:256] or None if isinstance(found, str) else None


def text(said: Any, most: int = 500) -> str:
    """A text, without what payers are called by; empty for all else."""
    return without_payers(said)[:most] if isinstance(said, str) else ""


def masked(said: Any) -> str | None:
    """A payer's UPI address as it may be kept: `ga***@okhdfcbank`. None for what is none."""
    found = _VPA.match(said) if isinstance(said, str) and len(said) < 400 else None
    return None if found is None else f"{found[1][:2]}***@{found[2]}"


def without_payers(said: str) -> str:
    """A text with every UPI address and phone in it masked."""
    return _ANY_PHONE.sub(r"\g<1>\2*****\3", _ANY_VPA.sub(r"\1***@\2", said[:5_000]))
