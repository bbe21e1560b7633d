"""Why a basket gets a promotion, and why not: what the till would answer, beside all promotions there are."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from plugins.console.api import Refused, Seen, part

ROWS: Final = 4
"""Goods that a basket may be put together of on the page; one that comes from a sale may hold more."""
MOST: Final = 40
ACTS, NOT_YET, CLOSED = ("It acts", "ok"), ("Not yet", "warn"), ("It does not run", "")


async def read(seen: Seen) -> Mapping[str, Any]:
    """The basket of the query, or of a sale, with each promotion's part in it."""
    products, places, listed = await asyncio.gather(
        seen.get("/catalog/products", limit=200, is_active=True, sort="name"),
        seen.places(kind="storefront"),
        seen.get("/discounts/promotions", limit=200),
    )
    wanted, customer_id = await _basket(seen)
    shown = {
        "products": [(one["id"], one["name"]) for one in products["items"]],
        "places": places,
        "customers": await _named(seen, customer_id),
        "wanted": [*wanted, *[("", "1")] * max(1, ROWS - len(wanted))],
        **{"quote": None, "refused": None, "rows": [], "given": "0"},
    }
    if not wanted or not places:
        return shown
    code = seen.query.get("code", "").strip()
    cart = {
        "location_id": seen.query.get("location_id") or places[0][0],
        "customer_id": customer_id or None,
        "lines": [{"product_id": product, "quantity": quantity} for product, quantity in wanted],
        **({"ext": {"discounts": {"coupon_codes": [code]}}} if code else {}),
    }
    try:
        quote = await seen.post("/sales/quote", cart)
    except Refused as refused:
        return shown | {"refused": refused.problem}
    rows = parts_of(quote, listed["items"], dt.datetime.now(dt.UTC))
    return shown | {"quote": quote, "rows": rows, "given": str(sum(Decimal(one["off"] or 0) for one in rows))}


def parts_of(
    quote: Mapping[str, Any], promotions: Sequence[Mapping[str, Any]], now: dt.datetime
) -> list[dict[str, Any]]:
    """Each promotion's part in a quote: what it takes off, or why it takes nothing; those that act first."""
    off: dict[str, Decimal] = {}
    for line in quote["lines"]:
        for step in line["steps"]:
            if step["plugin"] == "discounts" and step["before"] is not None:
                much = Decimal(step["before"]) - Decimal(step["after"])
                off[step["rule"]] = off.get(step["rule"], Decimal(0)) + much
    lacks = {one["rule"]: one["words"] for one in quote["missed"] if one["plugin"] == "discounts"}
    rows = [_part(one, off.get(one["name"]), lacks.get(one["name"]), now) for one in promotions]
    return sorted(rows, key=lambda one: (one["off"] is None, one["kind"] != NOT_YET[1]))


def _part(one: Mapping[str, Any], off: Decimal | None, lack: str | None, now: dt.datetime) -> dict[str, Any]:
    if off is not None:
        (state, kind), words = ACTS, one["words"]
    elif lack is not None:
        (state, kind), words = NOT_YET, lack
    else:
        (state, kind), words = CLOSED, f"{_asleep(one, now)}: {one['words']}"
    return {"promotion": one, "state": state, "kind": kind, "words": words, "off": None if off is None else str(off)}


def _asleep(one: Mapping[str, Any], now: dt.datetime) -> str:
    """Why a promotion that the till says nothing of does nothing."""
    if one["state"] == "draft":
        return "it is a draft"
    if one["state"] == "ended" or (one["ends_at"] and dt.datetime.fromisoformat(one["ends_at"]) <= now):
        return "it has ended"
    if dt.datetime.fromisoformat(one["starts_at"]) > now:
        return "it has not begun"
    return "only with a coupon" if one["by_coupon"] else "none of its goods is in the basket"


async def _basket(seen: Seen) -> tuple[list[tuple[str, str]], str]:
    """Products with their quantities, and the customer."""
    if seen.query.get("sale_id") and seen.may("sales.see"):
        sale = await seen.get(f"/sales/sales/{part(seen.query['sale_id'])}")
        lines = [(one["product_id"], one["quantity"]) for one in sale["lines"]]
        return lines[:MOST], sale["customer_id"] or ""
    asked = [(seen.query.get(f"product{n}", ""), seen.query.get(f"quantity{n}", "") or "1") for n in range(MOST)]
    return [(product, quantity) for product, quantity in asked if product], seen.query.get("customer_id", "")


async def _named(seen: Seen, customer_id: str) -> list[tuple[str, str]]:
    found = (
        await seen.look(f"/customers/customers/{part(customer_id)}")
        if customer_id and seen.may("customers.see")
        else None
    )
    return [(found["id"], found["name"])] if found else []
