"""What the states of payments are called before people, once for every page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from plugins.payments.rules import State

PAYMENT_STATES: Final[Mapping[State, tuple[str, str]]] = MappingProxyType(
    {
        "created": ("Begun", "warn"),
        "pending": ("Waiting", "warn"),
        "requires_action": ("Waiting for the payer", "warn"),
        "unknown": ("Not known yet", "warn"),
        "captured": ("Paid", "ok"),
        "failed": ("Not paid", "bad"),
        "cancelled": ("Cancelled", ""),
        "expired": ("Expired", ""),
        "authorised": ("Held for us", "warn"),
        "released": ("Let go again", ""),
        "settled": ("Paid out", "ok"),
    }
)
"""State of a payment, each of them → what it is called, and the colour of its pill."""
OPEN_STATES: Final[frozenset[State]] = frozenset({"created", "pending", "requires_action", "unknown"})
"""The states in which its money may still come."""
