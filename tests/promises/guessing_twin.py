"""A broken twin of the sign-in limit: it reads how many tries there were, and counts its own in a deed of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.app.application import application
from kernel.auth import look
from kernel.auth.limits import count_guess
from kernel.auth.models import Limit
from kernel.auth.signing_in import sessions
from kernel.errors import RateLimited
from kernel.web import Scene
from kernel.work import Work


def forgets_to_lock() -> Any:
    """Look first, count later: every try that looked at the same time goes through."""
    patch, honest_deed = pytest.MonkeyPatch(), Scene.deed

    async def counts_only(work: Work, key: str, most: int) -> None:
        await count_guess(work, key, 10_000)

    async def most_tries(work: Work) -> int:
        found = await work.execute(sa.select(sa.func.max(Limit.count)).where(Limit.key.startswith("login:")))
        return found.scalar() or 0

    async def deed(self: Scene, run: Any) -> Any:
        if await look(self.deployment, None, most_tries) >= sessions.TRIES_AN_ACCOUNT:
            raise RateLimited(1)
        await asyncio.sleep(0.05)
        return await honest_deed(self, run)

    patch.setattr(sessions, "count_guess", counts_only)
    patch.setattr(Scene, "deed", deed)
    return application()
