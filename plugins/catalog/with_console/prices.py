"""Prices: lists and what is on them, many changed at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.catalog.with_console.sorting import all_of, brand_options, category_options
from plugins.catalog.with_console.whens import days_ahead
from plugins.console.api import Refused, Seen

LISTS: Final = "/catalog/price-lists"
EDIT: Final = (
    *("channel", "price_list_id", "category_id", "brand_id", "percent", "amount", "round_to"),
    *("starts_at", "until"),
)


async def read_price_lists(seen: Seen) -> Mapping[str, Any]:
    """Price lists, and for whom a new one may be."""
    asked = {name: seen.query.get(name) for name in ("is_active", "cursor")}
    listed, places, groups = await asyncio.gather(
        seen.get(LISTS, limit=50, **asked), seen.places(is_active=True), _groups(seen)
    )
    return {"listed": listed, "places": places, "groups": groups, "names": dict(places + groups)}


async def read_price_list(seen: Seen) -> Mapping[str, Any]:
    """A list with its prices, and the products to set one of."""
    path = f"{LISTS}/{seen.path['id']}"
    asked = {name: seen.query.get(name) for name in ("q", "past", "cursor")}
    may_set = seen.may("catalog.prices")
    (one, tag), prices, places, groups = await asyncio.gather(
        seen.get_tagged(path), seen.get(f"{path}/prices", limit=50, **asked), seen.places(is_active=True), _groups(seen)
    )
    found = await seen.get("/catalog/products", limit=100, q=seen.query.get("product")) if may_set else {"items": []}
    base = await seen.look(f"{LISTS}/{one['based_on_id']}") if one["based_on_id"] else None
    return {
        **{"list": one, "tag": tag, "listed": prices, "title": one["name"], "base": base, "may_set": may_set},
        **{"names": dict(places + groups), "ahead": days_ahead(seen)},
        "products": [(product["id"], f"{product['name']} · {product['sku']}") for product in found["items"]],
    }


async def read_edit(seen: Seen) -> Mapping[str, Any]:
    """What a change of many prices would do, once it is said."""
    categories, brands, lists = await asyncio.gather(
        category_options(seen), brand_options(seen), all_of(seen, LISTS, is_active=True)
    )
    said = {name: seen.query[name] for name in EDIT if seen.query.get(name)}
    preview, problem = None, None
    if "percent" in said or "amount" in said:
        try:
            preview = await seen.post("/catalog/price-edits/preview", said)
        except Refused as refused:
            problem = refused.problem
    return {
        **{"categories": categories, "brands": brands, "lists": [(one["id"], one["name"]) for one in lists]},
        **{"chosen": said, "preview": preview, "problem": problem, "ahead": days_ahead(seen)},
    }


async def _groups(seen: Seen) -> list[tuple[str, str]]:
    """Groups of customers, where the business has customers."""
    found = await seen.look("/customers/groups", limit=200) if seen.has("customers") else None
    return [(one["id"], one["name"]) for one in found["items"]] if found else []
