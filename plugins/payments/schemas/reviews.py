"""The review queue: what a person must decide about money, and what they may decide."""

from __future__ import annotations

from typing import Literal

from plugins.payments.rules import Action, ReviewKind

__all__ = ["Action", "ReviewKind", "ReviewState"]

ReviewState = Literal["open", "resolved"]
