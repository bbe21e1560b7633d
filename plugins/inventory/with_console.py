"""Stock in the console: levels, moves, goods received, corrections, what runs low; and stock on the products' pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import (
    Action,
    Block,
    Card,
    Column,
    Filter,
    Heading,
    Listing,
    Nav,
    Notice,
    Page,
    Seen,
    Waiting,
    Waits,
)

SEE: Final = "inventory.see"
MANY: Final = 200
MOVED_BY: Final = ("sales", "catalog")
"""Whose deeds move stock besides those of inventory, or change how little is little."""

LEVELS: Final = Listing(
    "inventory.levels",
    (
        Heading("name", "Product"),
        Heading("sku", "SKU"),
        Heading("place", "Place"),
        Heading("on_hand", "On hand", "number"),
        Heading("reserved", "Kept", "number"),
        Heading("available", "Available", "number"),
    ),
)
MOVES: Final = Listing(
    "inventory.moves",
    (
        Heading("name", "Product"),
        Heading("at", "When"),
        Heading("place", "Place"),
        Heading("document", "Paper"),
        Heading("reason", "Reason", "long"),
        Heading("quantity", "Quantity", "number"),
    ),
)
LOW: Final = Listing(
    "inventory.low_stock",
    (
        Heading("name", "Product"),
        Heading("sku", "SKU"),
        Heading("shelf", "Shelf"),
        Heading("available", "Available", "number"),
        Heading("min_stock", "Minimum", "number"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """Where stock is looked at, and where it comes in."""
    return (
        Nav("goods", "Stock", "/inventory/levels", "boxes", SEE, order=30),
        Nav("goods", "Receive goods", "/inventory/receipts", "truck", SEE, order=35),
        Nav("goods", "Running low", "/inventory/low-stock", "triangle-alert", SEE, order=40),
    )


@answers
def console_pages() -> Sequence[Page]:
    """Levels and moves, receipts and adjustments, what runs low."""
    return (
        Page("/levels", "console/levels.html", "Stock", SEE, _levels, lists=LEVELS),
        Page("/moves", "console/moves.html", "Moves", SEE, _moves, lists=MOVES),
        Page("/low-stock", "console/low.html", "Running low", SEE, _low, lists=LOW),
        Page("/receipts", "console/documents.html", "Goods received", SEE, _receipts),
        Page("/receipts/new", "console/new_receipt.html", "Receive goods", "inventory.receive", _new),
        Page("/receipts/{id}", "console/document.html", "Goods received", SEE, _receipt, subject="inventory.receipt"),
        Page("/adjustments", "console/documents.html", "Corrections", SEE, _adjustments),
        Page("/adjustments/new", "console/new_adjustment.html", "Correct stock", "inventory.adjust", _new),
        Page(
            "/adjustments/{id}", "console/document.html", "Correction", SEE, _adjustment, subject="inventory.adjustment"
        ),
    )


@answers
def console_cards() -> Sequence[Card]:
    """What runs low."""
    to = "/inventory/low-stock"
    return (Card("low", "Running low", "console/low_card.html", _low_card, SEE, "m", 40, to, MOVED_BY),)


@answers
def console_notices() -> Sequence[Notice]:
    """The same, for the bell."""
    to = "/inventory/low-stock"
    return (Notice("low", "Running low", "package-minus", _low_notice, SEE, to, "", 60, MOVED_BY),)


@answers
def console_blocks() -> Sequence[Block]:
    """Where a product stands, on its own page."""
    return (Block("catalog.product.side", "stock", "console/product_stock.html", _of_product, SEE, 10),)


@answers
def console_columns() -> Sequence[Column]:
    """What is there of each product of a list."""
    return (Column("catalog.products", "stock", "In stock", _in_stock, SEE, is_number=True, order=10),)


@answers
def console_filters() -> Sequence[Filter]:
    """Products by how much of them there is."""
    states = (("in", "In stock"), ("low", "Running low"), ("out", "Out of stock"))
    return (Filter("catalog.products", "stock", "Stock", "ext.inventory.stock", states, "Any stock", SEE),)


@answers
def console_actions() -> Sequence[Action]:
    """Goods that came, from the list of products."""
    receive = "inventory.receive"
    return (Action("catalog.products", "receive", "Receive goods", "/inventory/receipts/new", "truck", receive),)


async def _levels(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("q", "location_id", "product_id", "cursor")}
    listed, places = await asyncio.gather(seen.get("/inventory/levels", limit=50, **asked), seen.places(is_active=True))
    return {"listed": listed, "places": places, "names": dict(places)}


async def _moves(seen: Seen) -> Mapping[str, Any]:
    asked = {
        name: seen.query.get(name) for name in ("product_id", "location_id", "kind", "from_date", "to_date", "cursor")
    }
    listed, places = await asyncio.gather(seen.get("/inventory/moves", limit=50, **asked), seen.places(is_active=True))
    return {"listed": listed, "places": places, "names": dict(places)}


async def _low(seen: Seen) -> Mapping[str, Any]:
    places = await seen.places(is_active=True)
    place = seen.query.get("location_id") or next((one for one, _ in places), None)
    listed = await seen.get("/inventory/low-stock", limit=100, location_id=place, cursor=seen.query.get("cursor"))
    return {"listed": listed, "places": places, "place": place}


async def _low_card(seen: Seen) -> Mapping[str, Any]:
    places = await seen.places(is_active=True)
    found = await asyncio.gather(*(seen.get("/inventory/low-stock", limit=5, location_id=id_) for id_, _ in places[:4]))
    rows = [(name, one) for (_, name), listed in zip(places, found, strict=False) for one in listed["items"]]
    return {"rows": rows[:6]}


async def _low_notice(seen: Seen) -> Waiting:
    """What runs low over all places together."""
    found = await seen.get("/inventory/low-stock", limit=6, include_total=True)
    left = seen.word("{count} left")
    to = "/catalog/products/{}" if seen.may("catalog.see") else "/inventory/low-stock"
    items = [
        Waits(one["name"], to.format(one["product_id"]), left.format(count=one["available"])) for one in found["items"]
    ]
    return Waiting(items, found["total"])


async def _receipts(seen: Seen) -> Mapping[str, Any]:
    return await _documents(seen, "receipts")


async def _adjustments(seen: Seen) -> Mapping[str, Any]:
    return await _documents(seen, "adjustments")


async def _documents(seen: Seen, kind: str) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("location_id", "from_date", "to_date", "cursor")}
    listed, places = await asyncio.gather(
        seen.get(f"/inventory/{kind}", limit=50, **asked), seen.places(is_active=True)
    )
    return {"listed": listed, "places": places, "names": dict(places), "kind": kind}


async def _receipt(seen: Seen) -> Mapping[str, Any]:
    return await _document(seen, "receipts")


async def _adjustment(seen: Seen) -> Mapping[str, Any]:
    return await _document(seen, "adjustments")


async def _document(seen: Seen, kind: str) -> Mapping[str, Any]:
    one, places = await asyncio.gather(seen.get(f"/inventory/{kind}/{seen.path['id']}"), seen.places(is_active=True))
    return {"document": one, "kind": kind, "names": dict(places), "title": one["number"]}


async def _new(seen: Seen) -> Mapping[str, Any]:
    """Places, and the products to choose from: those of a search, or the one that the page came from."""
    words = seen.query.get("q", "")
    products, places = await asyncio.gather(
        seen.get("/catalog/products", limit=MANY, q=words or None), seen.places(is_active=True)
    )
    options = [(one["id"], f"{one['name']} · {one['sku']}") for one in products["items"] if one["track_stock"]]
    return {"places": places, "products": options, "is_cut": products["next_cursor"] is not None, "words": words}


async def _of_product(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    levels, places = await asyncio.gather(
        seen.get("/inventory/levels", product_id=given["product"]["id"], limit=50), seen.places(is_active=True)
    )
    return {"levels": levels["items"], "names": dict(places), "product_id": given["product"]["id"]}


async def _in_stock(seen: Seen, rows: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    tracked = [row["id"] for row in rows if row["track_stock"]]
    found = await seen.post("/inventory/stock", {"product_ids": tracked}) if tracked else []
    sums = {one["product_id"]: one["available"] for one in found}
    return [sums.get(row["id"], "0") if row["track_stock"] else "–" for row in rows]
