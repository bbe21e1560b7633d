"""Whether a test has left what must never be, asked as cheaply as can be: nearly always nothing is broken."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable

from kernel.invariants import broken, suspecting
from kernel.testing.recycling import may_find
from kernel.work import Deployment

__all__ = ["faults"]


async def faults(deployment: Deployment) -> list[str]:
    """What `kernel.invariants.broken` returns, and as a rule without connecting to the database anew."""
    url, statements = deployment.settings.url, suspecting(deployment)
    if deployment.database.is_postgres:
        may_be = may_find(url, statements)
    else:
        may_be = _may_find(url.partition(":///")[2], statements)
    return await broken(deployment) if may_be else []


def _may_find(path: str, statements: Iterable[str]) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return any(connection.execute(statement).fetchone() for statement in statements)
        except sqlite3.Error:
            return True
