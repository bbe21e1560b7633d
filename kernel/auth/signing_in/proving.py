"""Proving that it is still the person themselves, before something that would help a thief of their sign-in."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.auth.limits import count_try, forget_tries
from kernel.auth.models import User
from kernel.work import Work

TRIES = 10


async def try_own_password(work: Work) -> str | None:
    """Count a try of the caller's own password; returns the hash to compare with. The deed must commit before that.

    Raises RateLimited above ten tries in a quarter of an hour; the sign-in itself goes on, and other people's.
    """
    await count_try(work, f"own-password:{work.actor.id}", TRIES)
    found = await work.execute(sa.select(User.password_hash).where(User.id == work.actor.id))
    return found.scalar_one_or_none()


async def forget_own_password_tries(work: Work) -> None:
    """Start afresh after the right password."""
    await forget_tries(work, f"own-password:{work.actor.id}")
