"""Limits that hold across processes: one row per key, counted in one statement."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kernel.auth.models import Limit
from kernel.errors import RateLimited
from kernel.work import Work

WINDOW = dt.timedelta(minutes=15)


async def count_try(work: Work, key: str, most: int, window: dt.timedelta = WINDOW) -> None:
    """Count one try. The deed must commit even when the try fails. Raises RateLimited above `most` in the window."""
    insert = postgresql.insert if work.deployment.database.is_postgres else sqlite.insert
    fresh = insert(Limit).values(key=key, window_ends=work.now + window, count=1)
    over = Limit.window_ends <= work.now
    counted = fresh.on_conflict_do_update(
        index_elements=[Limit.key],
        set_={
            "count": sa.case((over, 1), else_=Limit.count + 1),
            "window_ends": sa.case((over, work.now + window), else_=Limit.window_ends),
        },
    ).returning(Limit.count.label("count_"), Limit.window_ends)
    row = (await work.execute(counted)).one()
    if row.count_ > most:
        raise RateLimited(max(1, int((row.window_ends - work.now).total_seconds())), "Too many tries; wait a while")


async def forget_tries(work: Work, key: str) -> None:
    """Start afresh after a success."""
    await work.execute(sa.delete(Limit).where(Limit.key == key))
