"""The review queue: what a person must decide about money, and what they may decide."""

from __future__ import annotations

from typing import Literal

ReviewKind = Literal[
    "late",
    "paid_twice",
    "overpaid",
    "underpaid",
    "currency",
    "counted_elsewhere",
    "contradicted",
    "orphan",
    "forged",
    "unknown",
    "refund_failed",
    "refund_unknown",
]
"""Why money needs a person: it came late, twice, in another amount or currency; it belongs to nobody, or twice; two
sources contradict each other; a notice is forged; nobody knows how a payment or refund ended.
"""

Action = Literal["refund", "refund_by_hand", "accept", "apply", "ask_again", "dismiss"]
"""What a person may decide.

refund: give what nobody wants, or what failed, back through the gateway. refund_by_hand: it was given back by hand.
accept: keep it as it is. apply: put it onto its document, or another open one. ask_again: ask the provider once more.
dismiss: there is nothing to decide.
"""

ReviewState = Literal["open", "resolved"]
