"""How likely a payment is the one that a line tells of, where no number proves it."""

from __future__ import annotations

import datetime as dt
import re

_HIDDEN = re.compile(r"[^0-9]+")
_SHOWN = 3
"""Figures that a masked number shows at its end, at least."""


def is_same_payer(stated: str | None, known: str | None) -> bool:
    """Whether a masked number, such as 2547*****678, may be a phone: its ends are the same. False where one is none."""
    if not stated or not known:
        return False
    phone = _HIDDEN.sub("", known)
    parts = [part for part in _HIDDEN.split(stated) if part]
    if not parts or len(parts[-1]) < _SHOWN or not phone.endswith(parts[-1]):
        return False
    return len(parts) == 1 or phone.startswith(parts[0])


def closeness(stated: str | None, known: str | None, at: dt.datetime, paid_at: dt.datetime) -> tuple[int, float]:
    """By what candidates are ordered: those of the same payer first, then the nearest in time."""
    return (0 if is_same_payer(stated, known) else 1, abs((at - paid_at).total_seconds()))
