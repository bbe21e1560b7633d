"""Catalog in the console: products, found and edited, and what the search and the dashboard say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.hooks import answers
from plugins.console.api import Find, Found, Nav, Page, Seen

PAGE = 50


@answers
def console_nav() -> Sequence[Nav]:
    """Where the goods are."""
    return (Nav("goods", "Products", "/catalog/products", "package", "catalog.see", order=10),)


@answers
def console_pages() -> Sequence[Page]:
    """Products: the list, one of them, a new one."""
    return (
        Page("/products", "console/products.html", "Products", "catalog.see", _list),
        Page("/products/new", "console/product.html", "New product", "catalog.edit", _new),
        Page("/products/{product_id}", "console/product.html", "Product", "catalog.see", _one),
    )


@answers
def console_finds() -> Sequence[Find]:
    """Products by words, SKU or barcode."""
    return (Find("products", "Products", "package", _find, "catalog.see", order=10),)


async def _list(seen: Seen) -> Mapping[str, Any]:
    asked = {
        name: seen.query.get(name) for name in ("q", "category_id", "brand_id", "tag", "is_active", "sort", "cursor")
    }
    listed = await seen.get("/catalog/products", limit=PAGE, **asked)
    return {"listed": listed, "categories": await _categories(seen), "may_edit": seen.may("catalog.edit")}


async def _one(seen: Seen) -> Mapping[str, Any]:
    product, tag = await seen.get_tagged(f"/catalog/products/{seen.path['product_id']}")
    return {"product": product, "tag": tag, "title": product["name"], **await _choices(seen)}


async def _new(seen: Seen) -> Mapping[str, Any]:
    return {"product": None, "tag": "", **await _choices(seen)}


async def _choices(seen: Seen) -> Mapping[str, Any]:
    """What the fields of a product choose from."""
    classes = await seen.get("/taxes/classes", limit=200)
    brands = await seen.get("/catalog/brands", limit=200)
    return {
        "categories": await _categories(seen),
        "brands": brands["items"],
        "classes": [(one["id"], one["name"]) for one in classes["items"]],
    }


async def _categories(seen: Seen) -> list[tuple[str, str]]:
    found = await seen.get("/catalog/categories", limit=200)
    return [(one["id"], one["name"]) for one in found["items"]]


async def _find(seen: Seen, words: str) -> Sequence[Found]:
    listed = await seen.get("/catalog/products", q=words, limit=5)
    return [Found(one["name"], f"/catalog/products/{one['id']}", one["sku"]) for one in listed["items"]]
