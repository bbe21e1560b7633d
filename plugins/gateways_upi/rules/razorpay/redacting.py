"""What may be stored of Razorpay's words: nothing of payers, no secret."""

from __future__ import annotations

from typing import Any, Final

from plugins.gateways_upi.rules.razorpay.values import masked, without_payers

_GONE: Final = frozenset({"contact", "email", "customer_name", "name_on_card", "key_secret", "secret", "authorization"})
_NUMBERS: Final = frozenset({"id", "rrn", "arn", "utr", "settlement_utr", "payment_id"})
"""Ids and numbers of banks: of no person, though some look like phones."""
_LONGEST: Final = 2_000
_DEEPEST: Final = 40


def redacted(raw: Any, depth: int = 0) -> Any:
    """A copy without names, phones, addresses and secrets, wherever in it they stand."""
    if depth > _DEEPEST:
        return None
    if isinstance(raw, dict):
        return {str(key): _field(str(key), value, depth) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return [redacted(one, depth + 1) for one in raw]
    if isinstance(raw, str):
        return without_payers(raw)[:_LONGEST]
    return raw


def _field(name: str, value: Any, depth: int) -> Any:
    if name.lower() in _GONE:
        return "***" if value not in (None, "") else value
    if name.lower() == "vpa" and isinstance(value, str):
        return masked(value) or "***"
    return (
        value
        if name.lower() in _NUMBERS and isinstance(value, str) and len(value) < 100
        else redacted(value, depth + 1)
    )
