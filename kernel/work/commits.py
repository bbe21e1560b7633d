"""Who waits for news of a business is woken by the commits of this process."""

from __future__ import annotations

import asyncio
import uuid


class Commits:
    """The commits of a process, by business."""

    def __init__(self) -> None:
        self._waiting: dict[uuid.UUID, set[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def note(self, business_id: uuid.UUID) -> None:
        """A deed of a business was committed."""
        for one in self._waiting.pop(business_id, ()):
            if not one.done():
                one.set_result(None)

    async def wait(self, business_id: uuid.UUID, seconds: float) -> None:
        """Wait for a commit of a business in this process, at most so long."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(business_id, set()).add(told)
        try:
            await asyncio.wait((told,), timeout=seconds)
        finally:
            if (others := self._waiting.get(business_id)) is not None:
                others.discard(told)
                if not others:
                    del self._waiting[business_id]
