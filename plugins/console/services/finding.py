"""The search over everything: what plugins find, and the pages of the menu."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kernel.web import Given
from plugins.console.schemas import Found, Refused, Seen
from plugins.console.services.visiting import Visit

log = logging.getLogger("duka.console")
FIND_S: Final = 1.0
MOST_FOUND: Final = 5


async def find(visit: Visit) -> Given:
    """What the global search finds as somebody types, of each kind the best few."""
    return await visit.html("console/found.html", layout="bare", **await _all_found(visit))


async def search(visit: Visit) -> Given:
    """The same as a page of its own, for who presses Enter."""
    return await visit.html("console/search.html", title="Search", **await _all_found(visit))


async def _all_found(visit: Visit) -> dict[str, Any]:
    words = visit.query.get("q", "").strip()[:100]
    seen, composed = visit.seen(), visit.composed()
    found: dict[str, Any] = {"seen": seen, "words": words, "groups": [], "pages": []}
    if not words:
        return found
    finds = [one for _, one in composed.in_slot(composed.finds, "", seen)]
    told = await asyncio.gather(*(_found(one.find, seen, words) for one in finds))
    groups = [(one, few) for one, few in zip(finds, told, strict=True) if few]
    titles = [nav for _, _, navs in composed.menu(seen) for nav in navs]
    lower = words.lower()
    pages = [nav for nav in titles if lower in nav.title.lower() or lower in seen.word(nav.title).lower()]
    return found | {"groups": groups, "pages": pages}


async def _found(find: Callable[[Seen, str], Awaitable[Any]], seen: Seen, words: str) -> list[Found]:
    try:
        async with asyncio.timeout(FIND_S):
            return list(await find(seen, words))[:MOST_FOUND]
    except (Refused, TimeoutError):
        return []
    except Exception:  # what one plugin cannot find keeps nobody from finding the rest
        log.exception("a search failed")
        return []
