"""Payment links in the console: made, sent, shown as a code to scan, followed and cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import Block, Heading, Listing, Nav, Page, Seen, part

SEE, MAKE = "payment_links.see", "payment_links.make"
STATES: Final = {
    "open": ("Open", "warn"),
    "paid": ("Paid", "ok"),
    "cancelled": ("Cancelled", ""),
    "expired": ("Expired", "info"),
}
"""State of a link → what it is called, and the colour of its pill."""

LINKS: Final = Listing(
    "payment_links.links",
    (
        Heading("number", "Number"),
        Heading("words", "What it is for", "long"),
        Heading("created_at", "Made"),
        Heading("expires_at", "Good until"),
        Heading("amount", "Amount", "number"),
        Heading("paid", "Paid", "number"),
        Heading("state", "State"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """Where the links are."""
    return (Nav("money", "Payment links", "/payment_links/links", "link", SEE, order=15),)


@answers
def console_pages() -> Sequence[Page]:
    """Links, a new one, and one of them."""
    return (
        Page("/links", "console/links.html", "Payment links", SEE, _list, lists=LINKS),
        Page("/links/new", "console/new_link.html", "New payment link", MAKE, _new),
        Page("/links/{link_id}", "console/link.html", "Payment link", SEE, _one, subject="payment_link"),
    )


@answers
def console_blocks() -> Sequence[Block]:
    """The links of a sale and of a customer beside them, and the way to a new one."""
    return (
        Block("sales.sale.side", "links", "console/links_of.html", _of_sale, SEE, 40),
        Block("customers.customer.side", "links", "console/links_of.html", _of_customer, SEE, 40),
    )


async def _of_sale(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    sale = given["sale"]
    if "status" not in sale:  # it loads after its page, and is given ids alone
        sale = await seen.get(f"/sales/sales/{sale['id']}")
    listed = await seen.get("/payment_links/links", subject_id=sale["id"], limit=5)
    is_open = any(one["state"] == "open" for one in listed["items"])
    new = f"?subject_id={sale['id']}&location_id={sale['location_id']}" if sale["status"] == "pending" else ""
    return {"links": listed["items"], "new": "" if is_open else new, "states": STATES}


async def _of_customer(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    customer_id = given["customer"]["id"]
    listed = await seen.get("/payment_links/links", customer_id=customer_id, limit=5)
    return {"links": listed["items"], "new": f"?customer_id={customer_id}", "states": STATES}


async def _list(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("state", "location_id", "customer_id", "subject_id", "cursor")}
    listed, places = await asyncio.gather(seen.get("/payment_links/links", limit=50, **asked), seen.places())
    return {"listed": listed, "places": places, "names": dict(places), "states": STATES}


async def _new(seen: Seen) -> Mapping[str, Any]:
    sale_id, customer_id = seen.query.get("subject_id"), seen.query.get("customer_id")
    sale = await seen.look(f"/sales/sales/{part(sale_id)}") if sale_id and seen.may("sales.see") else None
    customer = None
    if customer_id and seen.may("customers.see"):
        customer = await seen.look(f"/customers/customers/{part(customer_id)}")
    return {"places": await seen.places(), "sale": sale, "customer": customer}


async def _one(seen: Seen) -> Mapping[str, Any]:
    link_id = seen.path["link_id"]
    link, turns, places = await asyncio.gather(
        seen.get(f"/payment_links/links/{link_id}"),
        seen.get("/payment_links/turns", link_id=link_id, limit=20),
        seen.places(),
    )
    shown = {"link": link, "turns": turns["items"], "place": dict(places).get(link["location_id"], "–")}
    customer = None
    if link["customer_id"] and seen.may("customers.see"):
        customer = await seen.look(f"/customers/customers/{link['customer_id']}")
    return {**shown, "states": STATES, "title": link["number"], "customer": customer}
