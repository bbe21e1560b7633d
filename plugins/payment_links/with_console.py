"""Payment links in the console: made, sent, shown as a code to scan, followed and cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import Nav, Page, Seen

SEE, MAKE = "payment_links.see", "payment_links.make"
STATES: Final = {
    "open": ("Open", "warn"),
    "paid": ("Paid", "ok"),
    "cancelled": ("Cancelled", ""),
    "expired": ("Expired", "info"),
}
"""State of a link → what it is called, and the colour of its pill."""


@answers
def console_nav() -> Sequence[Nav]:
    """Where the links are."""
    return (Nav("money", "Payment links", "/payment_links/links", "link", SEE, order=15),)


@answers
def console_pages() -> Sequence[Page]:
    """Links, a new one, and one of them."""
    return (
        Page("/links", "console/links.html", "Payment links", SEE, _list),
        Page("/links/new", "console/new_link.html", "New payment link", MAKE, _new),
        Page("/links/{link_id}", "console/link.html", "Payment link", SEE, _one),
    )


async def _list(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("state", "location_id", "customer_id", "subject_id", "cursor")}
    listed, places = await asyncio.gather(seen.get("/payment_links/links", limit=50, **asked), seen.places())
    return {"listed": listed, "places": places, "names": dict(places), "states": STATES}


async def _new(seen: Seen) -> Mapping[str, Any]:
    return {"places": await seen.places()}


async def _one(seen: Seen) -> Mapping[str, Any]:
    link_id = seen.path["link_id"]
    link, turns, places = await asyncio.gather(
        seen.get(f"/payment_links/links/{link_id}"),
        seen.get("/payment_links/turns", link_id=link_id, limit=20),
        seen.places(),
    )
    shown = {"link": link, "turns": turns["items"], "place": dict(places).get(link["location_id"], "–")}
    return {**shown, "states": STATES, "title": link["number"]}
