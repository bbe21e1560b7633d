"""Loyalty in the console: pages, a card, points beside the customer and in the list, by Python and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import Action, Block, Card, Column, Heading, Listing, Nav, Page, Seen

SEE: Final = "loyalty.see"
ENTRIES: Final = Listing(
    "loyalty.entries",
    (
        Heading("at", "When"),
        Heading("kind", "What"),
        Heading("expires_at", "Until"),
        Heading("points", "Points", "number"),
    ),
)
"""What changed somebody's points: a list of which people save views and choose the columns."""


@answers
def console_nav() -> Sequence[Nav]:
    """The entry of the menu."""
    return (Nav("trade", "Loyalty", "/loyalty/points", "gift", SEE, order=60),)


@answers
def console_pages() -> Sequence[Page]:
    """All points together with what the business has set, and the points of one customer."""
    return (
        Page("/points", "console/points.html", "Loyalty", SEE, _together),
        Page("/customers/{customer_id}", "console/entries.html", "Points", SEE, _entries, lists=ENTRIES),
    )


@answers
def console_cards() -> Sequence[Card]:
    """What customers have together."""
    return (Card("points", "Loyalty", "console/card.html", _together, SEE, "s", 70, "/loyalty/points"),)


@answers
def console_blocks() -> Sequence[Block]:
    """Points beside the customer, and what they are worth."""
    return (Block("customers.customer.side", "points", "console/beside.html", _beside, SEE, 20),)


@answers
def console_columns() -> Sequence[Column]:
    """Points in the list of customers."""
    return (Column("customers.customers", "points", "Points", _points_of, SEE, is_number=True),)


@answers
def console_actions() -> Sequence[Action]:
    """From the customer to what changed their points."""
    return (Action("customers.customer", "points", "Points", "/loyalty/customers/{id}", "gift", SEE),)


async def _together(seen: Seen) -> Mapping[str, Any]:
    return {"summary": await seen.get("/loyalty/summary")}


async def _entries(seen: Seen) -> Mapping[str, Any]:
    path = f"/loyalty/customers/{seen.path['customer_id']}"
    listed = await seen.get(f"{path}/entries", limit=50, cursor=seen.query.get("cursor"))
    return {"balance": await seen.get(path), "listed": listed}


async def _beside(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"balance": await seen.get(f"/loyalty/customers/{given['customer']['id']}")}


async def _points_of(seen: Seen, rows: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """One question for all rows of the page."""
    ids = [row["id"] for row in rows]
    found = await seen.post("/loyalty/balances", {"customer_ids": ids}) if ids else []
    points = {one["customer_id"]: str(one["points"]) for one in found}
    return [points.get(one, "–") for one in ids]
