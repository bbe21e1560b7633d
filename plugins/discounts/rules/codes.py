"""Codes of coupons: made so that nobody guesses them, read so that people may type them as they like."""

from __future__ import annotations

import secrets
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0 and O, 1 and I, which people take for each other."""
LENGTH: Final = 12
"""Letters of a code, beside its prefix: 60 bits. Of a million coupons a guess meets one in 10^12 tries."""
_GROUP: Final = 4


def code_key(code: str) -> str:
    """A code as it is compared: capitals, no spaces, no dashes."""
    return code.upper().replace("-", "").replace(" ", "")


def made_up(prefix: str) -> str:
    """A new code: `XMAS-7F3K-Q9TX-2MWP`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    groups = [letters[start : start + _GROUP] for start in range(0, LENGTH, _GROUP)]
    return "-".join([prefix, *groups] if prefix else groups)
