"""What the pages about sales read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from plugins.console.api import Found, Heading, Listing, Refused, Seen
from plugins.payments.api import PAYMENT_STATES

STATES: Final = {
    "pending": ("Waiting", "warn"),
    "completed": ("Completed", "ok"),
    "voided": ("Voided", "bad"),
    "expired": ("Expired", ""),
    "refunded": ("Refunded", "info"),
    "partly_refunded": ("Partly refunded", "info"),
}
"""State of a sale → what it is called, and the colour of its pill."""
SALES: Final = Listing(
    "sales.sales",
    (
        Heading("number", "Number"),
        Heading("sold_at", "When"),
        Heading("place", "Place"),
        Heading("cashier", "Cashier"),
        Heading("state", "State"),
        Heading("total", "Total", "number"),
    ),
)
FEW: Final = 6
FILTERS: Final = ("pending", "completed", "voided", "expired")


async def read_list(seen: Seen) -> Mapping[str, Any]:
    """Sales, newest first, and today's figures."""
    names = ("business_date", "location_id", "register_id", "customer_id", "status", "cursor")
    asked = {name: seen.query.get(name) for name in names}
    words = seen.query.get("q", "").strip()
    listed, places = await asyncio.gather(
        seen.get("/sales/sales", limit=50, number=words or None, **asked), seen.places()
    )
    if words and not listed["items"]:
        listed = await seen.get("/sales/sales", limit=50, order_number=words, **asked)
    today = await seen.get("/sales/sales/today", limit=1) if seen.may("sales.complete") else None
    return {
        "listed": listed,
        "places": places,
        "names": dict(places),
        "today": today,
        "states": STATES,
        "filters": FILTERS,
    }


async def read_recent(seen: Seen) -> Mapping[str, Any]:
    """The newest few, for the dashboard."""
    listed, places = await asyncio.gather(seen.get("/sales/sales", limit=FEW), seen.places())
    return {"sales": listed["items"], "names": dict(places), "states": STATES}


async def read_sale(seen: Seen) -> Mapping[str, Any]:
    """One sale, whole."""
    sale = await seen.get(f"/sales/sales/{seen.path['sale_id']}")
    places, customer, titles, refunds = await asyncio.gather(
        seen.places(), _customer(seen, sale["customer_id"]), seen.titles("/payments/methods"), _refunds(seen, sale)
    )
    shown = {"sale": sale, "title": sale["number"], "place": dict(places).get(sale["location_id"], "–")}
    return {
        **shown,
        **{"customer": customer, "titles": titles, "refunds": refunds, "states": STATES, "paid": PAYMENT_STATES},
    }


async def read_receipt(seen: Seen) -> Mapping[str, Any]:
    """One sale as it is printed."""
    sale = await seen.get(f"/sales/sales/{seen.path['sale_id']}")
    places, customer, titles = await asyncio.gather(
        seen.places(), _customer(seen, sale["customer_id"]), seen.titles("/payments/methods")
    )
    shown = {"sale": sale, "title": sale["number"], "place": dict(places).get(sale["location_id"], "")}
    steps = [step for line in sale["lines"] for step in line["steps"]]
    on_all = dict.fromkeys(one["rule"] for one in steps if one["phase"] == "document" and one["plugin"] != "sales")
    return {**shown, "customer": customer, "titles": titles, "on_all": list(on_all)}


async def read_trace(seen: Seen) -> Mapping[str, Any]:
    """Why a line costs what it does."""
    return {"trace": await seen.get(f"/sales/sales/{seen.path['sale_id']}/lines/{seen.path['line']}/trace")}


async def read_held(seen: Seen) -> Mapping[str, Any]:
    """Carts set aside."""
    return {"listed": await seen.get("/sales/held", limit=50, cursor=seen.query.get("cursor"))}


async def read_registers(seen: Seen) -> Mapping[str, Any]:
    """Registers with their storefronts, and their ETags to change them by."""
    listed, places = await asyncio.gather(seen.get("/sales/registers", limit=200), seen.places(kind="storefront"))
    tags = await asyncio.gather(*(seen.get_tagged(f"/sales/registers/{one['id']}") for one in listed["items"]))
    return {"rows": [(one, tag) for one, tag in tags], "places": places, "names": dict(places)}


async def find_sales(seen: Seen, words: str) -> Sequence[Found]:
    """Sales by their whole number."""
    found = (await seen.get("/sales/sales", limit=5, number=words))["items"]
    return [Found(one["number"], f"/sales/sales/{one['id']}", one["total"]) for one in found]


async def _refunds(seen: Seen, sale: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What was given back of it; only asked for where something was."""
    if not seen.may("payments.see") or not any(Decimal(one["refunded"]) for one in sale["payments"]):
        return ()
    found: Sequence[Mapping[str, Any]] = (await seen.get("/payments/refunds", subject_id=sale["id"], limit=50))["items"]
    return found


async def _customer(seen: Seen, customer_id: str | None) -> Any:
    if customer_id is None or not seen.may("customers.see"):
        return None
    try:
        return await seen.look(f"/customers/customers/{customer_id}")
    except Refused:
        return None
