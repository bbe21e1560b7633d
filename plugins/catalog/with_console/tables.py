"""Tables of products in and out: what was taken in, and one of them from its check to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.console.api import Seen


async def read_imports(seen: Seen) -> Mapping[str, Any]:
    """Imports of the last week."""
    return {"listed": await seen.get("/catalog/imports", limit=50, cursor=seen.query.get("cursor"))}


async def read_import(seen: Seen) -> Mapping[str, Any]:
    """One import; the list it is for, where it is one of prices."""
    one = await seen.get(f"/catalog/imports/{seen.path['id']}")
    for_list = await seen.look(f"/catalog/price-lists/{one['price_list_id']}") if one["price_list_id"] else None
    done = sum(one["result"].values())
    return {"table": one, "for_list": for_list, "done": done, "is_running": one["state"] in ("checking", "applying")}
