"""What each of the first steps shows, and by what it is seen to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from babel import Locale

from plugins.console.schemas import Seen
from plugins.console.schemas.contributions import Reads
from plugins.console.services.apps import state_of, words_of
from plugins.console.services.people import roles_to_give

FIRST: Final = ("KE", "TZ", "UG", "RW", "IN", "GB", "US")
"""The regions whose taxes Duka ships; they are offered first."""
USUAL: Final = ("sales", "inventory", "customers", "daybook", "analytics")
"""What most shops begin with."""
BARE: Final = frozenset({"console", "taxes", "catalog"})
"""What sells nothing by itself."""
FEW: Final = 20
BEGINS_WITH: Final = ("console", "taxes")
"""What a new business has on: its pages, and its country's taxes. The rest is chosen."""
SCHEMES: Final = {"registered": "Registered", "unregistered": "Not registered", "composition": "Composition"}
"""What a business is to the tax office → what it is called."""


async def done_in(seen: Seen) -> dict[str, bool]:
    """Step → whether it is done, read from what there is."""
    taxes, registers, products, people, invited = await asyncio.gather(
        _answered_taxes(seen),
        _some(seen, "sales", "/sales/registers", is_active=True, limit=200),
        _some(seen, "catalog", "/catalog/products", limit=1),
        _some(seen, "", "/users", limit=2),
        _some(seen, "", "/users/invitations", limit=1, state="open"),
    )
    has_apps = not BARE.issuperset(seen.me["plugins"])
    tills = [one for one in registers if not one["is_office"]]
    return {
        "business": True,
        "country": taxes,
        "apps": has_apps,
        "place": bool(tills) if seen.has("sales") else has_apps,
        "products": bool(products),
        "people": len(people) > 1 or bool(invited),
    }


async def new_business(seen: Seen) -> dict[str, Any]:
    """Where the first business may be, with what is usual there."""
    listed = await seen.get("/regions")
    known = {one["code"]: one for one in listed["items"]}
    region = seen.query.get("region") or ""
    chosen = known.get(region)
    locale = Locale.parse(seen.language)
    named = sorted(((code, str(locale.territories.get(code, code))) for code in known), key=lambda one: one[1])
    few = [one for code in FIRST for one in named if one[0] == code]
    return {
        "own": None,
        "region": chosen and {**chosen, "zones": [(zone, zone) for zone in chosen["zones"]]},
        "few": few,
        "regions": [*few, *(one for one in named if one[0] not in FIRST)],
        "begins_with": BEGINS_WITH,
    }


async def _business(seen: Seen) -> dict[str, Any]:
    return {"own": await _own(seen)}


async def _country(seen: Seen) -> dict[str, Any]:
    business = seen.business or {}
    if not seen.has("taxes"):
        return {"pack": None, "ways": await _for_region(seen)}
    (own, tag), pack, classes, (kept, taxes_tag), seller, ways = await asyncio.gather(
        seen.get_tagged(f"/businesses/{business['id']}"),
        seen.get("/taxes/pack"),
        seen.get("/taxes/classes", limit=200),
        seen.get_tagged("/settings/taxes"),
        seen.get("/taxes/seller"),
        _for_region(seen),
    )
    registered = kept["values"]["registrations"]
    return {
        "own": own,
        "tag": tag,
        "pack": pack,
        "classes": [(one, _rate_of(one, business["region"])) for one in classes["items"]],
        "seller": seller,
        "scheme": registered[-1]["scheme"] if registered else "",
        "schemes": SCHEMES,
        "taxes_tag": taxes_tag,
        "since": own["created_at"][:10],
        "ways": ways,
    }


async def _apps(seen: Seen) -> dict[str, Any]:
    plugins = (await seen.get("/plugins"))["items"]
    titles = {one["name"]: one["title"] for one in plugins}
    region = (seen.business or {})["region"]
    rows = [
        {**one, "words": words_of(one), "shown": state_of(one, (), ""), "is_here": region in one["regions"]}
        for one in plugins
        if one["state"] not in ("uninstalled", "quarantined") and one["name"] != "console"
    ]
    here = [one for one in rows if one["is_here"] or not one["regions"]]
    order = {name: place for place, name in enumerate((*USUAL, "discounts"))}
    here.sort(key=lambda one: (not one["is_here"], order.get(str(one["name"]), len(order)), one["title"]))
    return {
        "rows": here,
        "elsewhere": [one for one in rows if one not in here],
        "titles": titles,
        "usual": [name for name in USUAL if name in titles and not seen.has(name)],
    }


async def _place(seen: Seen) -> dict[str, Any]:
    places = (await seen.get("/locations", kind="storefront", is_active=True, limit=50))["items"]
    registers = await _some(seen, "sales", "/sales/registers", is_active=True, limit=200)
    first, tag = await seen.get_tagged(f"/locations/{places[0]['id']}") if places else (None, "")
    tills = [one for one in registers if not one["is_office"]]
    taken = {one["code"] for one in registers}
    return {
        "shop": first,
        "tag": tag,
        "shops": [(one["id"], one["name"]) for one in places],
        "names": {one["id"]: one["name"] for one in places},
        "tills": tills,
        "code": next(code for number in range(1, 1000) if (code := f"T{number}") not in taken),
    }


async def _products(seen: Seen) -> dict[str, Any]:
    if not seen.has("catalog"):
        return {"listed": None, "short": [], "shop": None}
    listed = await seen.get("/catalog/products", limit=FEW, sort="-created_at")
    short, shop = await _without_stock(seen, listed["items"])
    return {"listed": listed, "short": short, "shop": shop}


async def _people(seen: Seen) -> dict[str, Any]:
    people, invited, (roles, usual) = await asyncio.gather(
        seen.get("/users", limit=FEW), seen.get("/users/invitations", limit=FEW, state="open"), roles_to_give(seen)
    )
    return {"people": people["items"], "invited": invited["items"], "roles": roles, "usual_role": usual}


async def _done(seen: Seen) -> dict[str, Any]:
    return {"sells": seen.has("sales") and seen.may("sales.complete")}


READS: Final[Mapping[str, Reads]] = {
    "business": _business,
    "country": _country,
    "apps": _apps,
    "place": _place,
    "products": _products,
    "people": _people,
    "done": _done,
}
"""Step → what its page reads."""


async def _own(seen: Seen) -> Any:
    return await seen.get(f"/businesses/{(seen.business or {})['id']}")


async def _answered_taxes(seen: Seen) -> bool:
    """Whether the business has said what it is to the tax office: by its number, or by a registration."""
    if not seen.has("taxes"):
        return False
    seller, kept = await asyncio.gather(seen.look("/taxes/seller"), seen.look("/settings/taxes"))
    return bool((seller and seller["tax_number"]) or (kept and kept["values"]["registrations"]))


async def _some(seen: Seen, plugin: str, path: str, **query: Any) -> Sequence[Any]:
    """What a list begins with; nothing where its plugin is off or the reader may not see it."""
    if plugin and not seen.has(plugin):
        return ()
    found = await seen.look(path, **query)
    rows: Sequence[Any] = found["items"] if found else ()
    return rows


async def _for_region(seen: Seen) -> list[Any]:
    """The apps that are of use in the business's region alone."""
    plugins = (await seen.get("/plugins"))["items"]
    region = (seen.business or {})["region"]
    return [{**one, "words": words_of(one)} for one in plugins if region in one["regions"]]


async def _without_stock(seen: Seen, products: Sequence[Any]) -> tuple[list[Any], Any]:
    """Of some products those that are counted and of which there is nothing, and the place to take them in at."""
    counted = [one for one in products if one["kind"] == "goods" and one["track_stock"]]
    if not (seen.has("inventory") and seen.may("inventory.receive") and counted):
        return [], None
    places, levels = await asyncio.gather(
        seen.get("/locations", kind="storefront", is_active=True, limit=1),
        seen.post("/inventory/stock", {"product_ids": [one["id"] for one in counted]}),
    )
    there = {one["product_id"] for one in levels if one["on_hand"] != "0"}
    place = places["items"][0] if places["items"] else None
    return ([one for one in counted if one["id"] not in there] if place else []), place


def _rate_of(one: Mapping[str, Any], region: str) -> str | None:
    """The percentage that a class bears there until further notice; None where it bears none."""
    here = [str(rate["rate"]) for rate in one["rates"] if rate["region"] == region]
    return here[-1] if here else None
