"""Settings of the business for its apps, as forms made from what each app's Struct says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.console.schemas import Nav, Page, Seen
from plugins.console.services.schema_fields import fields_of, words_of

MANAGE: Final = "settings.manage"
NAVS: Final = (Nav("system", "Settings", "/settings", "settings", MANAGE, order=90),)


async def listed(seen: Seen) -> Mapping[str, Any]:
    """What can be set, by app; those that are on first."""
    found = await seen.get("/settings")
    words = seen.query.get("q", "").strip().lower()
    groups = [
        {**one, "words": words_of(one["schema"]), "is_on": seen.has(one["plugin"]), "fields": _titles(one)}
        for one in found["items"]
    ]
    shown = [one for one in groups if not words or words in f"{one['title']} {' '.join(one['fields'])}".lower()]
    return {"groups": sorted(shown, key=lambda one: (not one["missing"], not one["is_on"], one["title"]))}


async def one(seen: Seen) -> Mapping[str, Any]:
    """The settings of one app."""
    name = seen.path["plugin"]
    (settings, tag), all_of_them = await asyncio.gather(seen.get_tagged(f"/settings/{name}"), seen.get("/settings"))
    return {
        "settings": settings,
        "tag": tag,
        "title": settings["title"],
        "words": words_of(settings["schema"]),
        "fields": fields_of(settings["schema"], settings["values"], settings["secrets"], "values"),
        "others": [(other["plugin"], other["title"]) for other in all_of_them["items"]],
    }


def _titles(settings: Mapping[str, Any]) -> list[str]:
    return [field["label"] for field in fields_of(settings["schema"], {}, settings["secrets"], "values")]


PAGES: Final = (
    Page("/settings", "settings/list.html", "Settings", MANAGE, listed),
    Page("/settings/{plugin}", "settings/one.html", "Settings", MANAGE, one),
)
