"""The simulator's time: the machine's or a test's, moved ahead at will; and what is to happen in it."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools
from collections.abc import Awaitable, Callable
from typing import Final

Deed = Callable[[], Awaitable[None]]
TICK_S: Final = 0.2


class Clock:
    """now: where its time comes from. What is due happens when it is told so, or by itself once it was started."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._base = now
        self._ahead = dt.timedelta()
        self._due: list[tuple[dt.datetime, int, Deed]] = []
        self._order = itertools.count()
        self._ticking: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def now(self) -> dt.datetime:
        """The time."""
        return self._base() + self._ahead

    def later(self, seconds: float, deed: Deed) -> None:
        """Have something done after so many seconds."""
        heapq.heappush(self._due, (self.now() + dt.timedelta(seconds=seconds), next(self._order), deed))

    def forget(self) -> None:
        """Drop everything that was to be done."""
        self._due.clear()

    async def run_due(self) -> None:
        """Do what is due, in order."""
        while self._due and self._due[0][0] <= self.now():
            await heapq.heappop(self._due)[2]()

    async def advance(self, seconds: float) -> None:
        """Move time ahead, doing on the way what falls due, each at its own time."""
        until = self.now() + dt.timedelta(seconds=seconds)
        while self._due and self._due[0][0] <= until:
            at, _, deed = heapq.heappop(self._due)
            self._ahead += max(at - self.now(), dt.timedelta())
            await deed()
        self._ahead += max(until - self.now(), dt.timedelta())

    async def run_all(self) -> None:
        """Do all that is to be done, whenever it was meant for."""
        while self._due:
            await heapq.heappop(self._due)[2]()

    def start(self) -> None:
        """Let what is due happen by itself from now on."""
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            while self._due and self._due[0][0] <= self.now():
                task = asyncio.ensure_future(heapq.heappop(self._due)[2]())
                self._running.add(task)
                task.add_done_callback(self._running.discard)
