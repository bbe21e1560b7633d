"""The business itself and its places: storefronts and warehouses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Nav, Page, Seen

NAVS: Final = (Nav("system", "Business and places", "/places", "store", "locations.manage", order=40),)


async def _places(seen: Seen) -> Mapping[str, Any]:
    business = seen.business or {}
    (own, tag), listed = await asyncio.gather(
        seen.get_tagged(f"/businesses/{business['id']}"), seen.get("/locations", limit=200)
    )
    return {"own": own, "tag": tag, "places": listed["items"]}


async def _place(seen: Seen) -> Mapping[str, Any]:
    place, tag = await seen.get_tagged(f"/locations/{seen.path['location_id']}")
    return {"place": place, "tag": tag, "title": place["name"]}


PAGES: Final = (
    Page("/places", "places/places.html", "Business and places", "locations.manage", _places),
    Page("/places/{location_id}", "places/place.html", "Place", "locations.manage", _place, subject="location"),
)
