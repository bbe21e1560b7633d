"""Passwords: argon2id, always off the event loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kernel.errors import Invalid

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$vap3Ij80T6cNjaM376+5cw$WpiPfFsnG9M9NCeIkL9iJ+y7vbplJtaAOiAfLm9BKsc"
"""Of a password that nobody knows, by the same figures; made here it would cost every process that starts."""

LEAST, MOST = 10, 200


async def hash_password(password: str) -> str:
    """The hash to store. Raises Invalid for a password shorter than 10 or longer than 200 characters."""
    if not LEAST <= len(password) <= MOST:
        raise Invalid.at("/password", f"A password has {LEAST} to {MOST} characters")
    return await asyncio.to_thread(_HASHER.hash, password)


async def password_matches(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one; takes as long when there is no such account."""
    return await asyncio.to_thread(_matches, stored or _NOBODY, password) and bool(stored)


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password[: MOST + 1])
    except (VerificationError, InvalidHashError):
        return False
