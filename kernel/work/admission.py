"""Admission: how many requests of a process work at once, how many wait for it, and for how long.

A burst may wait long: it passes. A queue that has been standing does not get shorter by waiting in it, so from then on
whoever has waited a moment is told to come again, which costs next to nothing, and those who are let in are answered
in time (the controlled delay of Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable

from kernel.errors import Overloaded

PLACES = 6
MOST_WAITING = 500
STANDING_S = 2.0
"""A queue that has not been empty for so long is standing."""
LONGEST_S = 1.0
"""So long is waited in one that stands,"""
LONGEST_IN_A_BURST_S = 10.0
"""and so long in one that does not."""


class Admission:
    """The places of a process, and the queue before them; first come, first served."""

    def __init__(
        self,
        places: int = PLACES,
        *,
        most_waiting: int = MOST_WAITING,
        standing_s: float = STANDING_S,
        longest_s: float = LONGEST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.free, self.most_waiting = places, most_waiting
        self.standing_s, self.longest_s = standing_s, longest_s
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._since = 0.0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def acquire(self, *, again: bool = False) -> None:
        """Take a place, or wait for one. Raises Overloaded.

        again: for a request that has had a place before and goes on with its work: it is never refused.
        """
        if self.free and not self._waiting:
            self.free -= 1
            return
        if not again and len(self._waiting) >= self.most_waiting:
            raise Overloaded
        if not self._waiting:
            self._since = self._clock()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(None if again else self._patience_s()):
                await turn
        except BaseException as fault:
            if turn.done() and not turn.cancelled():
                self.release()  # the place was given in the same moment
            else:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
            if isinstance(fault, TimeoutError):
                raise Overloaded from None
            raise

    def release(self) -> None:
        """Give a place back, to who has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1

    def _patience_s(self) -> float:
        is_standing = self._clock() - self._since > self.standing_s
        return self.longest_s if is_standing else LONGEST_IN_A_BURST_S
