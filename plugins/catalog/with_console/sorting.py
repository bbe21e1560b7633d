"""What sorts products: categories as a tree, brands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from plugins.console.api import Seen

MOST_PAGES: Final = 10


async def read_categories(seen: Seen) -> Mapping[str, Any]:
    """The tree, drawn as a list."""
    found = await all_of(seen, "/catalog/categories")
    return {"rows": in_order(found), "options": options_of(found)}


async def read_category(seen: Seen) -> Mapping[str, Any]:
    """One category, and where it may move to: not below itself."""
    one, tag = await seen.get_tagged(f"/catalog/categories/{seen.path['id']}")
    others = [other for other in await all_of(seen, "/catalog/categories") if one["id"] not in other["path"]]
    return {"category": one, "tag": tag, "options": options_of(others), "title": one["name"]}


async def read_brands(seen: Seen) -> Mapping[str, Any]:
    """Brands by name."""
    return {"listed": await seen.get("/catalog/brands", limit=100, cursor=seen.query.get("cursor"))}


async def read_brand(seen: Seen) -> Mapping[str, Any]:
    """One brand."""
    one, tag = await seen.get_tagged(f"/catalog/brands/{seen.path['id']}")
    return {"brand": one, "tag": tag, "title": one["name"]}


async def category_options(seen: Seen) -> list[tuple[str, str]]:
    """All categories to choose from, each with those above it."""
    return options_of(await all_of(seen, "/catalog/categories"))


async def brand_options(seen: Seen) -> list[tuple[str, str]]:
    """All brands to choose from."""
    return [(one["id"], one["name"]) for one in await all_of(seen, "/catalog/brands")]


async def all_of(seen: Seen, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list of the API, up to 2,000."""
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(MOST_PAGES):
        listed = await seen.get(path, limit=200, cursor=cursor, **query)
        found += listed["items"]
        cursor = listed["next_cursor"]
        if not cursor:
            break
    return found


def in_order(categories: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Categories as a tree is read: each below its parent, by name; with `depth` and `full` name."""
    names = {one["id"]: one["name"] for one in categories}
    known = [
        {**one, "depth": len(one["path"]) - 1, "names": [names.get(id_, "?") for id_ in one["path"]]}
        for one in categories
    ]
    known.sort(key=lambda one: [name.casefold() for name in one["names"]])
    return [{**one, "full": " > ".join(one["names"])} for one in known]


def options_of(categories: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Categories to choose from."""
    return [(one["id"], one["full"]) for one in in_order(categories)]
