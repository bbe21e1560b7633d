"""Telling people by mail of what they would want to look at: what they sign in with changed, support came in."""

from __future__ import annotations

import uuid
from typing import Literal

from kernel.work import Work

Change = Literal[
    "password_changed",
    "second_factor_on",
    "second_factor_off",
    "recovery_codes_renewed",
    "pin_changed",
    "pin_removed",
    "key_made",
    "key_ended",
    "support_entered",
]
"""What changed, or who came in. None of the letters about it holds a secret."""


def tell_of_change(work: Work, user_id: uuid.UUID, change: Change, *, name: str = "") -> None:
    """Declare the letter to a person, sent once this deed is committed. name: of the key, or of who came in."""
    said = {"kind": change, "user_id": str(user_id), "at": work.now.strftime("%Y-%m-%d %H:%M UTC"), "thing": name}
    work.later("kernel.mail", said)
