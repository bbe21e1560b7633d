"""Limits that hold across processes: one row per key, counted in one statement."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress

import sqlalchemy as sa

from kernel.auth.models import Limit
from kernel.db import upsert
from kernel.errors import RateLimited
from kernel.mail import plain_email
from kernel.work import Work

WINDOW = dt.timedelta(minutes=15)


async def count_try(work: Work, key: str, most: int, window: dt.timedelta = WINDOW) -> None:
    """Count one try in the window that began with the first. Raises RateLimited above `most`.

    The deed must commit even when the try fails; one that is refused is not counted.
    """
    await _count(work, key, most, window, stays=True)


async def count_guess(work: Work, key: str, most: int, window: dt.timedelta = WINDOW) -> None:
    """Count one guess at a secret. In no span as long as the window are there more than `most`, wherever it begins.

    The count starts afresh only when nothing was counted for a whole window: a window that began with the first guess
    would let twice as many through around its end. Raises RateLimited.
    """
    await _count(work, key, most, window, stays=False)


async def may_guess(work: Work, key: str, most: int) -> None:
    """Look, without counting, whether another guess at a secret is taken. Raises RateLimited.

    For secrets that are looked up while reading: look first, then `wrong_guess` where it was wrong.
    """
    counted = sa.select(Limit.count.label("count_"), Limit.window_ends).where(Limit.key == key)
    row = (await work.execute(counted)).one_or_none()
    if row is not None and row.count_ >= most and row.window_ends > work.now:
        raise RateLimited(max(1, int((row.window_ends - work.now).total_seconds())), "Too many tries; wait a while")


async def give_back(work: Work, key: str) -> None:
    """Take back one try that turned out well."""
    await work.execute(sa.update(Limit).where(Limit.key == key, Limit.count > 0).values(count=Limit.count - 1))


async def forget_tries(work: Work, key: str) -> None:
    """Start afresh after a success."""
    await work.execute(sa.delete(Limit).where(Limit.key == key))


def account_key(purpose: str, email: str) -> str:
    """A key for an e-mail address, whether it has an account or not. The address is not kept."""
    return f"{purpose}:{hashlib.sha256(plain_email(email).encode()).hexdigest()}"


def address_key(purpose: str, address: str | None) -> str:
    """A key for where a request came from; of IPv6 the network that one customer gets."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return f"{purpose}:{address}"
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return f"{purpose}:{parsed.ipv4_mapped}"
        return f"{purpose}:{ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"{purpose}:{parsed}"


async def _count(work: Work, key: str, most: int, window: dt.timedelta, *, stays: bool) -> None:
    ends = work.now + window
    over = Limit.window_ends <= work.now
    is_full = sa.true() if stays else Limit.count >= most
    counted = (
        upsert(work.deployment.database, Limit)
        .values(key=key, window_ends=ends, count=1)
        .on_conflict_do_update(
            index_elements=[Limit.key],
            set_={
                "count": sa.case((over, 1), else_=Limit.count + 1),
                "window_ends": sa.case((over, ends), (is_full, Limit.window_ends), else_=ends),
            },
        )
        .returning(Limit.count.label("count_"), Limit.window_ends)
    )
    row = (await work.execute(counted)).one()
    if row.count_ > most:
        raise RateLimited(max(1, int((row.window_ends - work.now).total_seconds())), "Too many tries; wait a while")
