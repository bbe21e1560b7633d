"""Strikes: what answers failed, business by business, counted in this process until it is written down."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Final

from kernel.errors import Failure

Key = tuple[uuid.UUID, str, str]
"""Business, plugin, hook."""

STRIKES: Final = 3
WINDOW: Final = dt.timedelta(minutes=10)
_MOST_KEPT: Final = 10_000
_NOBODY: Final = uuid.UUID(int=0)


@dataclass(slots=True)
class Noted:
    """Strikes of one plugin in one hook that are not written down yet. trips: it has had too many in the window."""

    strikes: int
    first_at: dt.datetime
    last_at: dt.datetime
    words: str
    trips: bool = False

    def with_more(self, later: Noted) -> Noted:
        """This one and what came after it."""
        return Noted(self.strikes + later.strikes, self.first_at, later.last_at, later.words, self.trips or later.trips)


class Strikes:
    """Counts strikes; `limit` of one plugin in one skipping hook of one business within `window` trip it."""

    def __init__(self, limit: int = STRIKES, window: dt.timedelta = WINDOW) -> None:
        self.limit, self.window = limit, window
        self.is_writing = False
        self._noted: dict[Key, Noted] = {}
        self._recent: dict[Key, deque[dt.datetime]] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is something to write down."""
        return bool(self._noted)

    def note(self, business: uuid.UUID, failure: Failure, at: dt.datetime) -> None:
        """Count a strike. What fails above all businesses stands in the log alone."""
        if business == _NOBODY:
            return
        key = (business, failure.plugin, failure.hook)
        trips = failure.failing == "skip" and self._is_one_too_many(key, at)
        self._add(key, Noted(1, at, at, failure.words, trips))

    def take(self) -> dict[Key, Noted]:
        """What is to be written down; it is forgotten here."""
        taken, self._noted = self._noted, {}
        return taken

    def put_back(self, taken: dict[Key, Noted]) -> None:
        """What could not be written down."""
        newer, self._noted = self._noted, taken
        for key, noted in newer.items():
            self._add(key, noted)

    def forget(self, business: uuid.UUID, plugin: str) -> None:
        """Begin anew for a plugin of a business."""
        for kept in (self._noted, self._recent):
            for key in [key for key in kept if key[:2] == (business, plugin)]:
                del kept[key]

    def _add(self, key: Key, noted: Noted) -> None:
        before = self._noted.get(key)
        self._noted[key] = before.with_more(noted) if before else noted

    def _is_one_too_many(self, key: Key, at: dt.datetime) -> bool:
        if len(self._recent) >= _MOST_KEPT:
            self._recent.clear()
        recent = self._recent.setdefault(key, deque())
        recent.append(at)
        while recent and at - recent[0] > self.window:
            recent.popleft()
        if len(recent) < self.limit:
            return False
        del self._recent[key]
        return True
