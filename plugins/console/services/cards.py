"""The cards of a dashboard in one answer; one that takes its time loads after the others, by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from kernel.web import Given
from plugins.console.schemas import Refused, Seen
from plugins.console.services import dashboard
from plugins.console.services.visiting import Visit

log = logging.getLogger("duka.console")
SLOW_S: Final = 0.5


async def page(visit: Visit) -> Given:
    """All cards that the reader has not put away."""
    seen = visit.seen()
    shown = (await dashboard.cards_of(seen))[0]
    bodies = await asyncio.gather(*(_body(visit, seen, one) for one in shown))
    return await visit.html("console/cards.html", layout="bare", seen=seen, cards=list(zip(shown, bodies, strict=True)))


async def _body(visit: Visit, seen: Seen, said: Mapping[str, Any]) -> Markup | None:
    """A card as it is shown; None where it is to be asked for by itself: late, or failing, which it says there."""
    plugin, _, name = said["card"].partition(".")
    found = next((one for owner, one in visit.composed().cards if (owner, one.name) == (plugin, name)), None)
    if found is None:
        return None
    try:
        async with asyncio.timeout(SLOW_S):
            read = await found.read(seen)
            drawn = await visit.rendering(seen).page(f"{plugin}/{found.template}", "bare", card=found, **read)
    except (Refused, TimeoutError):
        return None
    except Exception:  # a card of somebody else's never breaks the page it stands on
        log.exception("card %s of %s could not be shown", name, plugin)
        return None
    return Markup(drawn)  # noqa: S704 - it was escaped as it was rendered
