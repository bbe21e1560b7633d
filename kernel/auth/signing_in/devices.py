"""Known devices: whoever signed in from one keeps a token by which the next sign-in has tries of its own.

So nobody can use up the owner's tries from elsewhere. The token opens nothing: a password is still needed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid

import sqlalchemy as sa

from kernel.auth.models import Device, User
from kernel.db import new_id
from kernel.mail import plain_email
from kernel.work import Work

FORGOTTEN_AFTER = dt.timedelta(days=180)
MOST_DEVICES = 20
"""Of one account; the one longest unseen is forgotten for a new one."""


def hash_device_token(token: str) -> bytes:
    """What is stored of a device token."""
    return hashlib.sha256(token.encode()).digest()


async def known_device(work: Work, email: str, token: str | None) -> uuid.UUID | None:
    """The id of a device that this address signed in from, by its token. Asks the same whether a token came or not."""
    found = await work.execute(
        sa.select(Device.id)
        .join(User, User.id == Device.user_id)
        .where(
            Device.hash == hash_device_token(token or ""),
            User.email == plain_email(email),
            Device.seen_at > work.now - FORGOTTEN_AFTER,
        )
    )
    id_: uuid.UUID | None = found.scalar_one_or_none()
    return id_


async def remember_device(
    work: Work, user_id: uuid.UUID, known: uuid.UUID | None, token: str | None
) -> tuple[uuid.UUID, str]:
    """Note that a device was seen, or make it known; its id, and the token to keep on it."""
    if known is not None and token is not None:
        seen = await work.execute(sa.update(Device).where(Device.id == known).values(seen_at=work.now))
        if seen.rowcount:
            return known, token
    id_, fresh = new_id(), f"d_{secrets.token_urlsafe(32)}"
    row = {"id": id_, "user_id": user_id, "hash": hash_device_token(fresh), "created_at": work.now, "seen_at": work.now}
    await work.execute(sa.insert(Device).values(row))
    kept = (
        sa.select(Device.id)
        .where(Device.user_id == user_id)
        .order_by(Device.seen_at.desc(), Device.id.desc())
        .limit(MOST_DEVICES)
    )
    await work.execute(sa.delete(Device).where(Device.user_id == user_id, Device.id.not_in(kept)))
    return id_, fresh


async def forget_devices(work: Work, user_id: uuid.UUID) -> None:
    """Forget every device of an account."""
    await work.execute(sa.delete(Device).where(Device.user_id == user_id))
