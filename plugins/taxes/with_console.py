"""Tax classes in the console: with their rates from which day on, a new rate, a new class."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import Block, Heading, Listing, Nav, Page, Seen

SEE, EDIT = "taxes.see", "taxes.edit"
CATEGORIES: Final = {
    "standard": "Standard",
    "reduced": "Reduced",
    "zero": "Zero-rated",
    "exempt": "Exempt",
    "out_of_scope": "Out of scope",
}
"""How a class is reported → what it is called."""

CLASSES: Final = Listing(
    "taxes.classes",
    (
        Heading("name", "Name"),
        Heading("code", "Code"),
        Heading("category", "Reported as"),
        Heading("rates", "Rates now"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """Where tax classes are."""
    return (Nav("money", "Taxes", "/taxes/classes", "percent", SEE, order=70),)


@answers
def console_pages() -> Sequence[Page]:
    """Classes, and one with its rates."""
    return (
        Page("/classes", "console/tax_classes.html", "Tax classes", SEE, _list, lists=CLASSES),
        Page("/classes/{class_id}", "console/tax_class.html", "Tax class", SEE, _one, subject="tax_class"),
    )


@answers
def console_blocks() -> Sequence[Block]:
    """What receipts say, beside the settings that make them say it."""
    return (Block("settings.taxes", "seller", "console/seller.html", _seller, SEE),)


async def _seller(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"seller": await seen.get("/taxes/seller", location_id=given["place"]["id"])}


async def _list(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("category", "cursor")}
    listed, seller = await asyncio.gather(seen.get("/taxes/classes", limit=100, **asked), seen.get("/taxes/seller"))
    return {"listed": listed, "seller": seller, "categories": CATEGORIES}


async def _one(seen: Seen) -> Mapping[str, Any]:
    found, tag = await seen.get_tagged(f"/taxes/classes/{seen.path['class_id']}")
    return {"one": found, "tag": tag, "categories": CATEGORIES, "title": found["name"]}
