"""Approvals: what waits for a second person, answered from their own screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Listing, Nav, Page, Seen

ANSWERS: Final = "approvals.answer"
STATES: Final = {
    "waiting": ("Waiting", "warn"),
    "approved": ("Approved", "ok"),
    "refused": ("Refused", "bad"),
    "used": ("Used", "info"),
    "expired": ("Out of time", ""),
}
"""State of a request → what it is called, and the colour of its pill."""
REQUESTS: Final = Listing("console.approvals", empties=("state",))
NAVS: Final = (Nav("trade", "Approvals", "/approvals", "shield-check", ANSWERS, order=20),)


async def _list(seen: Seen) -> Mapping[str, Any]:
    state = seen.query.get("state", "waiting")
    listed = await seen.get("/approvals", limit=50, state=state, cursor=seen.query.get("cursor"))
    return {"listed": listed, "state": state, "states": STATES, "names": dict(await seen.places())}


PAGES: Final = (Page("/approvals", "approvals/list.html", "Approvals", ANSWERS, _list, lists=REQUESTS),)
