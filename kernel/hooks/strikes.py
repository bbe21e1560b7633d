"""Strikes: what answers failed, business by business, kept in this process until it is written down.

Whether a plugin has had too many is told from what all processes have written, not from what one of them has seen.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kernel.errors import Failure

Key = tuple[uuid.UUID, str, str]
"""Business, plugin, hook."""

STRIKES: Final = 3
WINDOW: Final = dt.timedelta(minutes=10)
_MOST_TIMES: Final = 100
_NOBODY: Final = uuid.UUID(int=0)


@dataclass(slots=True)
class Noted:
    """Strikes of one plugin in one hook that are not written down yet. times: of those that may trip it, the newest."""

    strikes: int
    first_at: dt.datetime
    last_at: dt.datetime
    words: str
    times: tuple[dt.datetime, ...] = ()

    def with_more(self, later: Noted) -> Noted:
        """This one and what came after it."""
        times = (self.times + later.times)[-_MOST_TIMES:]
        return Noted(self.strikes + later.strikes, self.first_at, later.last_at, later.words, times)


def recent_of(times: Iterable[dt.datetime], limit: int, window: dt.timedelta) -> tuple[list[dt.datetime], bool]:
    """Which strikes still count, and whether `limit` of them lie within `window`, so that they trip."""
    ordered = sorted(times)
    trips = any(last - first <= window for first, last in zip(ordered, ordered[limit - 1 :], strict=False))
    return [one for one in ordered[-limit:] if ordered[-1] - one <= window], trips


class Strikes:
    """What this process has seen; `limit` of a plugin in one skipping hook of a business within `window` trip it."""

    def __init__(self, limit: int = STRIKES, window: dt.timedelta = WINDOW) -> None:
        self.limit, self.window = limit, window
        self.is_writing = False
        self._noted: dict[Key, Noted] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is something to write down."""
        return bool(self._noted)

    def note(self, business: uuid.UUID, failure: Failure, at: dt.datetime) -> None:
        """Count a strike. What fails above all businesses stands in the log alone."""
        if business == _NOBODY:
            return
        key = (business, failure.plugin, failure.hook)
        self._add(key, Noted(1, at, at, failure.words, (at,) if failure.failing == "skip" else ()))

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
        for key in [key for key in self._noted if key[:2] == (business, plugin)]:
            del self._noted[key]

    def _add(self, key: Key, noted: Noted) -> None:
        before = self._noted.get(key)
        self._noted[key] = before.with_more(noted) if before else noted
