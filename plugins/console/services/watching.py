"""What was done in a business since somebody last looked: the plugins whose deeds left a row in its trail."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator

from kernel.web import Watch
from kernel.work import Work, done_since
from plugins.console.schemas.dashboard import ChangesOut

FURTHEST = dt.timedelta(minutes=10)
LATE = dt.timedelta(seconds=10)
"""A deed bears the time of its beginning, and may be seen so much later."""
BEGUN = dt.timedelta(seconds=2)
"""A page that says when it was made may have missed what had begun by then."""
WITHIN_S, LEAST_S = 5.0, 1.0
"""What other processes commit is told within the first; what this one commits, within the second."""


class Trail:
    """What somebody has seen of a trail. since: the moment up to which they know how things stand; None: now."""

    def __init__(self, since: dt.datetime | None) -> None:
        self._since = since
        self._seen: set[uuid.UUID] | None = None

    async def look(self, work: Work) -> ChangesOut:
        """What was done since the last look, of plugins in which the caller holds a permission."""
        since = min(max(self._since or work.now, work.now - FURTHEST), work.now)
        rows = await done_since(work, since - LATE)
        if self._seen is not None:
            fresh = [row for row in rows if row.id not in self._seen]
        else:
            fresh = [row for row in rows if self._since is not None and row.at >= since - BEGUN]
        self._seen, self._since = {row.id for row in rows}, work.now
        changed = {row.name.partition(".")[0] for row in fresh}
        return ChangesOut(sorted(changed & _own(work)), work.now)


async def changes(watch: Watch, since: dt.datetime | None) -> AsyncIterator[ChangesOut]:
    """How things stand, then what changes, no more often than each second."""
    trail = Trail(since)
    yield await watch.look(trail.look)
    while True:
        await watch.change(within_s=WITHIN_S, least_s=LEAST_S)
        told = await watch.look(trail.look)
        if told.changed:
            yield told


def _own(work: Work) -> set[str]:
    held = work.actor.permissions
    return {one.partition(".")[0] for one in held} if held is not None else set(work.standing.enabled)
