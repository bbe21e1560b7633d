"""Who waits for news of a business is woken by the commits of this process."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter


class Commits:
    """The commits of a process, by business."""

    def __init__(self) -> None:
        self._waiting: dict[uuid.UUID, set[asyncio.Future[None]]] = {}
        self._counts: Counter[uuid.UUID] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def note(self, business_id: uuid.UUID) -> None:
        """A deed of a business was committed."""
        self._counts[business_id] += 1
        for one in self._waiting.pop(business_id, ()):
            if not one.done():
                one.set_result(None)

    def count(self, business_id: uuid.UUID) -> int:
        """How many there were of a business."""
        return self._counts[business_id]

    async def wait(self, business_id: uuid.UUID, seconds: float, *, beyond: int | None = None) -> None:
        """Wait for a commit of a business in this process, at most so long. beyond: for one more than so many."""
        if beyond is not None and self._counts[business_id] > beyond:
            return
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(business_id, set()).add(told)
        try:
            await asyncio.wait((told,), timeout=seconds)
        finally:
            if (others := self._waiting.get(business_id)) is not None:
                others.discard(told)
                if not others:
                    del self._waiting[business_id]
