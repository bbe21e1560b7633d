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
    shown, count = await cards_of(seen)
    return {**begun, "shown": shown, "is_empty": not count}


async def cards_of(seen: Seen) -> tuple[list[Any], int]:
    """The cards that the reader has not put away, and how many there are in all."""
    board = await seen.look("/console/dashboard") if seen.business else None
    cards = board["cards"] if board else []
    return [one for one in cards if one["is_shown"]], len(cards)


async def arrange(seen: Seen) -> Mapping[str, Any]:
    """All cards, those that were put away too."""
    board, tag = await seen.get_tagged("/console/dashboard")
    return {"board": board, "tag": tag, "sizes": SIZES}


PAGES: Final = (
    Page("/", "dashboard.html", "Dashboard", read=read),
    Page("/arrange", "arrange.html", "Arrange the dashboard", read=arrange),
)
