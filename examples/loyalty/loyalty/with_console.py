"""Loyalty in the console: a page, a card and points beside the customer, by Python and templates alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import Block, Card, Nav, Page, Seen

SEE: Final = "loyalty.see"


@answers
def console_nav() -> Sequence[Nav]:
    """The entry of the menu."""
    return (Nav("trade", "Loyalty", "/loyalty/points", "gift", SEE, order=60),)


@answers
def console_pages() -> Sequence[Page]:
    """All points together, and those of one customer."""
    return (
        Page("/points", "console/points.html", "Loyalty", SEE, _together),
        Page("/customers/{customer_id}", "console/entries.html", "Points", SEE, _entries),
    )


@answers
def console_cards() -> Sequence[Card]:
    """What customers have together."""
    return (Card("points", "Loyalty", "console/card.html", _together, SEE, "s", 70, "/loyalty/points"),)


@answers
def console_blocks() -> Sequence[Block]:
    """Points beside the customer."""
    return (Block("customers.customer.side", "points", "console/beside.html", _beside, SEE, 20),)


async def _together(seen: Seen) -> Mapping[str, Any]:
    return {"summary": await seen.get("/loyalty/summary")}


async def _entries(seen: Seen) -> Mapping[str, Any]:
    path = f"/loyalty/customers/{seen.path['customer_id']}"
    return {"balance": await seen.get(path), "listed": await seen.get(f"{path}/entries", limit=50)}


async def _beside(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"balance": await seen.get(f"/loyalty/customers/{given['customer']['id']}")}
