"""Products: the list, one of them with its barcodes, packs, image, prices and own fields, a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from plugins.catalog.schemas.goods import ENTITY
from plugins.catalog.with_console.narrowing import asked_in, chips_of
from plugins.catalog.with_console.sorting import all_of, brand_options, category_options
from plugins.catalog.with_console.whens import days_ahead
from plugins.console.api import Found, Seen, part

PAGE: Final = 50
UNITS: Final = {
    **{"piece": "Piece", "kg": "Kilogram", "g": "Gram", "litre": "Litre", "ml": "Millilitre", "metre": "Metre"},
    **{"pack": "Pack", "hour": "Hour"},
}
"""What a product is counted or measured in, in words."""


async def read_list(seen: Seen) -> Mapping[str, Any]:
    """Products, searched and filtered."""
    asked, sort = asked_in(seen.query), seen.query.get("sort") or None
    listed, chips = await asyncio.gather(
        seen.get("/catalog/products", limit=PAGE, sort=sort, cursor=seen.query.get("cursor"), **asked),
        chips_of(seen, asked),
    )
    return {
        **{"listed": listed, "chips": chips, "asked": asked, "may_edit": seen.may("catalog.edit")},
        **{
            "asked_query": urlencode(asked),
            "is_filtered": bool(asked),
            "sort": sort or ("" if asked.get("q") else "name"),
        },
    }


async def read_one(seen: Seen) -> Mapping[str, Any]:
    """A product with all that belongs to it."""
    path = f"/catalog/products/{seen.path['product_id']}"
    (product, tag), barcodes, prices, choices = await asyncio.gather(
        seen.get_tagged(path), seen.get(f"{path}/barcodes"), seen.get(f"{path}/prices", limit=20), _choices(seen)
    )
    return {
        **{"product": product, "tag": tag, "title": product["name"], "barcodes": barcodes, "prices": prices["items"]},
        **{"own_values": product["custom"], "like": None, "ahead": days_ahead(seen), **choices},
        "pack_options": [(pack["id"], pack["name"]) for pack in product["packs"]],
    }


async def read_new(seen: Seen) -> Mapping[str, Any]:
    """An empty form, or one like another product: all but what names it."""
    like = await seen.look(f"/catalog/products/{part(seen.query['like'])}") if seen.query.get("like") else None
    return {
        **{"product": None, "tag": "", "like": {**like, "sku": ""} if like else None},
        **{"own_values": like["custom"] if like else {}},
        **await _choices(seen),
    }


async def _choices(seen: Seen) -> Mapping[str, Any]:
    """What the fields of a product choose from, and the fields that are the shop's own."""
    categories, brands, classes, own = await asyncio.gather(
        category_options(seen),
        brand_options(seen),
        seen.get("/taxes/classes", limit=200),
        all_of(seen, "/custom-fields", entity=ENTITY, is_archived=False),
    )
    return {
        **{"categories": categories, "brands": brands, "own_fields": [_own(one) for one in own]},
        "units": [(unit, seen.word(name)) for unit, name in UNITS.items()],
        "classes": [(one["id"], one["name"]) for one in classes["items"]],
    }


def _own(field: Mapping[str, Any]) -> dict[str, Any]:
    return {**field, "options": [(choice, choice) for choice in field["choices"]]}


async def find_products(seen: Seen, words: str) -> Sequence[Found]:
    """Products by words, SKU or barcode."""
    listed = await seen.get("/catalog/products", q=words, limit=5)
    return [Found(one["name"], f"/catalog/products/{one['id']}", one["sku"]) for one in listed["items"]]
