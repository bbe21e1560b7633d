"""The dashboard: cards of all plugins that are on, each loading by itself, in the order their reader has given them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Page, Seen
from plugins.console.services import setup

SIZES: Final = {"s": "A quarter", "m": "Half", "l": "All of the width"}


async def read(seen: Seen) -> Mapping[str, Any]:
    """The cards that the reader has not put away. Raises Elsewhere where there is no business yet."""
    begun = await setup.begin(seen)
    board = await seen.look("/console/dashboard") if seen.business else None
    cards = board["cards"] if board else []
    shown = [one for one in cards if one["is_shown"]]
    return {**begun, "shown": shown, "is_empty": not cards, "can_arrange": bool(cards)}


async def arrange(seen: Seen) -> Mapping[str, Any]:
    """All cards, those that were put away too."""
    board, tag = await seen.get_tagged("/console/dashboard")
    return {"board": board, "tag": tag, "sizes": SIZES}


PAGES: Final = (
    Page("/", "dashboard.html", "Dashboard", read=read),
    Page("/arrange", "arrange.html", "Arrange the dashboard", read=arrange),
)
