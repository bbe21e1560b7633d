"""What the list of products is filtered by: read from an address, shown as chips, chosen on a page of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from plugins.catalog.schemas.goods import ENTITY
from plugins.catalog.with_console.sorting import all_of, brand_options, category_options
from plugins.console.api import Seen, part

PLAIN: Final = (
    *("q", "category_id", "brand_id", "tax_class_id", "tag", "is_active", "has_category", "has_barcode"),
    *("price_from", "price_to"),
)
IN_SIGHT: Final = ("q", "is_active")
"""Those that stand above the list anyway."""
NAMED: Final = {
    "category_id": ("Category", "/catalog/categories"),
    "brand_id": ("Brand", "/catalog/brands"),
    "tax_class_id": ("Tax", "/taxes/classes"),
}
SAID: Final = {
    ("has_category", "true"): "In a category",
    ("has_category", "false"): "Without a category",
    ("has_barcode", "true"): "With a barcode",
    ("has_barcode", "false"): "Without a barcode",
}
SIDES: Final = {"from": "from {value}", "to": "up to {value}"}
RANGED: Final = ("number", "date")


def asked_in(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address that say anything, under their names in the API."""
    return {
        name: value
        for name, value in query.items()
        if value and (name in PLAIN or name.startswith(("custom.", "ext.")))
    }


def matching_of(asked: Mapping[str, str]) -> dict[str, Any]:
    """The same as the body of a request has them."""
    said: dict[str, Any] = {}
    for name, value in asked.items():
        kind, _, rest = name.partition(".")
        if rest:
            said.setdefault(kind, {})[rest] = value
        else:
            said[name] = value == "true" if name.startswith(("is_", "has_")) else value
    return said


def address_of(asked: Mapping[str, str]) -> str:
    """The list of products by filters, to be sent on or kept as a bookmark."""
    return f"/catalog/products{f'?{urlencode(asked)}' if asked else ''}"


async def chips_of(seen: Seen, asked: Mapping[str, str]) -> list[dict[str, str]]:
    """What is filtered beyond what stands in sight: label, text, and the name to take away; `kind` money or text."""
    names = [name for name in asked if name not in IN_SIGHT]
    own = any(name.startswith("custom.") for name in names)
    fields = {one["key"]: one["label"] for one in await _own_fields(seen)} if own else {}
    return list(await asyncio.gather(*(_chip(seen, name, asked[name], fields) for name in names)))


async def _chip(seen: Seen, name: str, value: str, fields: Mapping[str, str]) -> dict[str, str]:
    said = {"name": name, "label": "", "text": value, "kind": "text", "side": ""}
    if name in NAMED:
        label, path = NAMED[name]
        found = await seen.look(f"{path}/{part(value)}")
        return said | {"label": seen.word(label), "text": found["name"] if found else "?"}
    if (name, value) in SAID:
        return said | {"text": seen.word(SAID[name, value])}
    if name.startswith("price_"):
        return said | {"label": seen.word("Price"), "kind": "money", "side": name.partition("_")[2]}
    if name == "tag":
        return said | {"label": seen.word("Tag")}
    key, _, side = name.partition(".")[2].partition(".")
    return said | {"label": fields.get(key, key), "side": side if side in SIDES else ""}


async def read_filters(seen: Seen) -> Mapping[str, Any]:
    """All that the list may be filtered by, as it is filtered now."""
    categories, brands, classes, own = await asyncio.gather(
        category_options(seen), brand_options(seen), seen.get("/taxes/classes", limit=200), _own_fields(seen)
    )
    return {
        **{"categories": categories, "brands": brands, "asked": asked_in(seen.query), "own_fields": own},
        **{"classes": [(one["id"], one["name"]) for one in classes["items"]], "ranged": RANGED},
    }


async def _own_fields(seen: Seen) -> list[dict[str, Any]]:
    found = await all_of(seen, "/custom-fields", entity=ENTITY, is_archived=False)
    return [{**one, "options": [(choice, choice) for choice in one["choices"]]} for one in found]
