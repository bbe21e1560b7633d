"""The bell: what waits for the reader, of every kind that plugins tell of, each asked at the same time."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Final

from kernel.web import Given
from plugins.console.schemas import Notice, Refused, Seen, Waiting
from plugins.console.services.visiting import Visit

log = logging.getLogger("duka.console")
SLOW_S: Final = 2.0
"""What has not answered by then is left out of the bell, and says so on its page."""
MOST_SHOWN: Final = 5


@dataclass(frozen=True)
class Group:
    """What waits of one kind. waiting: None where it could not be asked."""

    plugin: str
    notice: Notice
    waiting: Waiting | None

    @property
    def total(self) -> int:
        """How many wait."""
        if self.waiting is None:
            return 0
        return len(self.waiting.items) if self.waiting.total is None else self.waiting.total


async def groups_of(visit: Visit, seen: Seen) -> list[Group]:
    """What waits for the reader, by kind; kinds of which nothing waits are left out."""
    composed = visit.composed()
    asked = list(composed.in_slot(composed.notices, "", seen))
    told = await asyncio.gather(*(_asked(plugin, notice, seen) for plugin, notice in asked))
    return [one for one in told if one is not None and (one.total or one.waiting is None)]


async def bell(visit: Visit) -> Given:
    """How many things wait, for the bell."""
    seen = visit.seen()
    groups = await groups_of(visit, seen)
    count = sum(one.total for one in groups)
    presses = any(one.notice.kind == "bad" and one.total for one in groups)
    said = {"count": count, "shown": shown(count), "presses": presses, "label": label(seen, count)}
    return visit.given(200, json.dumps(said).encode(), "application/json", ("Cache-Control", "no-store"))


async def page(visit: Visit) -> Given:
    """What waits, each with where it is resolved."""
    seen = visit.seen()
    groups = await groups_of(visit, seen)
    title = "Waiting for you"
    return await visit.html("console/notices.html", seen=seen, title=title, groups=groups, most=MOST_SHOWN)


def shown(count: int) -> str:
    """A count as the bell has room for it."""
    return str(count) if count < 100 else "99+"


def label(seen: Seen, count: int) -> str:
    """What the bell says to who does not see it."""
    if not count:
        return seen.word("Nothing waits for you")
    return seen.word("Waiting for you: {count}").format(count=count)


async def _asked(plugin: str, notice: Notice, seen: Seen) -> Group | None:
    try:
        async with asyncio.timeout(SLOW_S):
            return Group(plugin, notice, await notice.read(seen))
    except Refused as refused:
        if refused.status in (403, 404):
            return None
        log.info("notice %s of %s: %s", notice.name, plugin, refused)
    except TimeoutError:
        log.warning("notice %s of %s took longer than %s s", notice.name, plugin, SLOW_S)
    except Exception:  # what one plugin cannot tell keeps nobody from seeing the rest
        log.exception("notice %s of %s failed", notice.name, plugin)
    return Group(plugin, notice, None)
