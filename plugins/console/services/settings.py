"""Settings of apps at each level, as forms made from what each app's Struct says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plugins.console.schemas import Nav, Page, Seen
from plugins.console.schemas.contributions import OPERATOR
from plugins.console.services.schema_fields import Field, fields_of, words_of

MANAGE: Final = "settings.manage"
HERE, ABOVE = "/settings", "/operating/settings"
FEW: Final = 6
"""So many places stand side by side; more are chosen from a list."""
NAVS: Final = (
    Nav("system", "Settings", HERE, "settings", MANAGE, order=90),
    Nav("operator", "Settings of the deployment", ABOVE, "sliders-horizontal", OPERATOR, order=28),
)


async def listed(seen: Seen) -> Mapping[str, Any]:
    """What can be set in the business, by app; those that are on first."""
    return _groups(seen, await seen.get(HERE))


async def listed_above(seen: Seen) -> Mapping[str, Any]:
    """What operators can set for all businesses, by app."""
    return {**_groups(seen, await seen.get(ABOVE)), "above": True}


async def one(seen: Seen) -> Mapping[str, Any]:
    """The settings of one app: of the business, or of one place of it."""
    name, place = seen.path["plugin"], seen.query.get("place", "")
    path = f"/locations/{place}/settings/{name}" if place else f"{HERE}/{name}"
    (settings, tag), listed_here, places = await asyncio.gather(
        seen.get_tagged(path), seen.get(HERE), seen.look("/locations", limit=200)
    )
    known = [(one["id"], one["name"]) for one in (places or {"items": []})["items"] if _works_at(seen, one["id"])]
    others = [one for one in listed_here["items"] if not place or _settable(one, "location")]
    return {
        **_shown(settings, tag),
        **{"path_of": path, "others": [(one["plugin"], one["title"]) for one in others]},
        "places": known if _settable(settings, "location") else [],
        "is_few": len(known) <= FEW,
        "here": place,
        "place_name": dict(known).get(place, ""),
        "is_above": False,
    }


async def one_above(seen: Seen) -> Mapping[str, Any]:
    """The settings of one app for all businesses."""
    name = seen.path["plugin"]
    (settings, tag), listed_here = await asyncio.gather(seen.get_tagged(f"{ABOVE}/{name}"), seen.get(ABOVE))
    return {
        **_shown(settings, tag),
        "path_of": f"{ABOVE}/{name}",
        "others": [(one["plugin"], one["title"]) for one in listed_here["items"]],
        **{"places": [], "is_few": True, "here": "", "place_name": "", "is_above": True},
    }


def parted(settings: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, list[Field]]:
    """The fields of a page: those to fill in, those fixed elsewhere, and how many are another level's alone.

    Each bears its `origin`: where its value comes from, and what counts without it.
    """
    found: dict[str, list[Field]] = {"open": [], "fixed": [], "elsewhere": []}
    for field in fields:
        name = field["at"].partition(".")[2]
        origin = settings["fields"][name]
        made = {**field, "origin": origin, "key": name, "above": told(field, origin["above"])}
        if origin["may_change"]:
            found["open"].append(_by_level(made) if len(origin["levels"]) > 1 else made)
        elif origin["is_locked"] or origin["source"] == "deployment":
            found["fixed"].append({**made, "now": told(field, settings["values"].get(name))})
        else:
            found["elsewhere"].append(made)
    return found


def told(field: Field, value: Any) -> str:
    """A value in few words, in English for `_`; "" where there is nothing to show."""
    match field["kind"]:
        case "yes":
            return "Yes" if value else "No"
        case "choice" | "choices":
            chosen = (value or ()) if field["kind"] == "choices" else (value,)
            return ", ".join(text for key, text in field["options"] if key in chosen)
        case "group":
            return ", ".join(str(one) for one in (value or {}).values() if one is not None)
        case "rows" | "list" | "json":
            return "; ".join(_in_short(one) for one in value or ())
        case "secret":
            return ""
    return "" if value is None else str(value)


def _in_short(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(one) for one in value.values() if one is not None)
    return str(value)


def _by_level(field: Field) -> Field:
    """A field that may be left to the level above: nothing in it has to be filled in, and yes is an answer as no is."""
    made = {**field, "required": False, "is_by_level": True, "can_forget": False}
    if field["kind"] == "yes":
        options = [("true", "Yes"), ("false", "No")]
        made |= {"kind": "choice", "options": options, "name": f"{field['at']}:json", "has_none": False}
        made["value"] = "true" if field["value"] else "false"
    return made


def _shown(settings: Mapping[str, Any], tag: str) -> dict[str, Any]:
    fields = fields_of(settings["schema"], settings["values"], settings["secrets"], "values")
    return {
        "settings": settings,
        "tag": tag,
        "title": settings["title"],
        "words": words_of(settings["schema"]),
        "fields": parted(settings, fields),
        "by_deployment": _settable(settings, "deployment"),
    }


def _groups(seen: Seen, found: Mapping[str, Any]) -> dict[str, Any]:
    words = seen.query.get("q", "").strip().lower()
    groups = [
        {
            **{**one, "words": words_of(one["schema"]), "is_on": seen.has(one["plugin"]), "names": _titles(one)},
            "by_place": _settable(one, "location"),
            "own": sum(field["is_own"] for field in one["fields"].values()),
        }
        for one in found["items"]
    ]
    shown = [one for one in groups if not words or words in f"{one['title']} {' '.join(one['names'])}".lower()]
    ordered = sorted(shown, key=lambda one: (not one["missing"], not one["is_on"], one["title"]))
    return {"groups": ordered, "above": False}


def _titles(settings: Mapping[str, Any]) -> list[str]:
    """What can be set at the level that was asked for."""
    level = settings["level"]
    fields = fields_of(settings["schema"], {}, settings["secrets"], "values")
    names = {name for name, one in settings["fields"].items() if level in one["levels"]}
    return [field["label"] for field in fields if field["at"].partition(".")[2] in names]


def _settable(settings: Mapping[str, Any], level: str) -> bool:
    return any(level in one["levels"] for one in settings["fields"].values())


def _works_at(seen: Seen, location_id: str) -> bool:
    locations = seen.me.get("locations")
    return locations is None or location_id in locations


PAGES: Final = (
    Page(HERE, "settings/list.html", "Settings", MANAGE, listed),
    Page("/settings/{plugin}", "settings/one.html", "Settings", MANAGE, one),
    Page(ABOVE, "settings/list.html", "Settings of the deployment", OPERATOR, listed_above),
    Page("/operating/settings/{plugin}", "settings/one.html", "Settings of the deployment", OPERATOR, one_above),
)
