"""Many products changed at once: those that were ticked, or all that the list shows; looked at before it is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from plugins.catalog.schemas.goods import ENTITY
from plugins.catalog.with_console.narrowing import address_of, asked_in, matching_of
from plugins.catalog.with_console.sorting import all_of, brand_options, category_options
from plugins.console.api import Refused, Seen

PREVIEW: Final = "/catalog/product-edits/preview"
TICKED: Final = "id."
NONE: Final = "none"
TO: Final = "to."
CHOSEN: Final = ("category_id", "brand_id", "tax_class_id")
TEXTS: Final = ("hsn_code", "min_stock", "price")
YES_NO: Final = ("is_active", "allow_negative_stock")
LABELS: Final = {
    **{"category_id": "Category", "brand_id": "Brand", "tax_class_id": "Tax", "hsn_code": "HSN code"},
    **{"min_stock": "Least in stock", "is_active": "On sale", "tags": "Tags", "price": "Price"},
    **{"wholesale_price": "Wholesale price", "allow_negative_stock": "Sell it also when none is there"},
}
MONEY: Final = ("price", "wholesale_price")


async def read_many(seen: Seen) -> Mapping[str, Any]:
    """What products to change, what of them, and what that comes to."""
    ids, asked, said = ticked_in(seen.query), asked_in(seen.query), _said_in(seen.query)
    is_all = bool(seen.query.get("all"))
    categories, brands, classes, own = await asyncio.gather(
        category_options(seen),
        brand_options(seen),
        seen.get("/taxes/classes", limit=200),
        all_of(seen, "/custom-fields", entity=ENTITY, is_archived=False),
    )
    which = {"matching": matching_of(asked)} if is_all else {"product_ids": ids}
    change, preview, problem = change_of(said), None, None
    try:
        if said.get("percent") and said.get("price"):
            raise Refused(422, {"title": seen.word("Say one price for all, or a percentage, not both")})
        preview = await seen.post(PREVIEW, {**which, "change": change})
    except Refused as refused:
        problem = refused.problem
    names = {**dict(categories), **dict(brands), **{one["id"]: one["name"] for one in classes["items"]}}
    return {
        **{"categories": categories, "brands": brands, "preview": preview, "problem": problem, "chosen": said},
        **{"classes": [(one["id"], one["name"]) for one in classes["items"]], "has_change": bool(change)},
        **{"own_fields": [_own(one) for one in own], "ids": ",".join(ids), "is_all": is_all, "asked": asked},
        **{
            "back": address_of(asked),
            "change": json.dumps(change),
            "names": names,
            "labels": LABELS,
            "money_of": MONEY,
        },
        **{"own_labels": {f"custom.{one['key']}": one["label"] for one in own}},
        "products": json.dumps(preview["products"]) if preview and preview["changed"] else "",
    }


async def names_of(seen: Seen) -> Mapping[str, Any]:
    """What ids and own fields that stand in a change are called."""
    categories, brands, classes, own = await asyncio.gather(
        category_options(seen),
        brand_options(seen),
        seen.get("/taxes/classes", limit=200),
        all_of(seen, "/custom-fields", entity=ENTITY),
    )
    return {
        "names": {**dict(categories), **dict(brands), **{one["id"]: one["name"] for one in classes["items"]}},
        "own_labels": {f"custom.{one['key']}": one["label"] for one in own},
    }


def ticked_in(query: Mapping[str, str]) -> list[str]:
    """The products that were ticked: as the list sends them, one field each, or as this page does, in one."""
    ticked = [name.removeprefix(TICKED) for name in query if name.startswith(TICKED)]
    return list(dict.fromkeys([*ticked, *filter(None, query.get("ids", "").split(","))]))


def change_of(said: Mapping[str, str]) -> dict[str, Any]:
    """What the fields of the page say, as the API takes it."""
    change: dict[str, Any] = {name: _or_none(said[name]) for name in CHOSEN if said.get(name)}
    change |= {name: said[name] for name in TEXTS if said.get(name)}
    change |= {name: said[name] == "true" for name in YES_NO if said.get(name)}
    if said.get("percent"):
        by = {"percent": said["percent"]} | ({"round_to": said["round_to"]} if said.get("round_to") else {})
        change |= {name: by for name in MONEY if name == "price" or said.get("wholesale")}
    for name in ("add_tags", "remove_tags"):
        if tags := [one.strip() for one in said.get(name, "").split(",") if one.strip()]:
            change[name] = tags
    own = {name.removeprefix("custom."): value for name, value in said.items() if name.startswith("custom.")}
    if own:
        change["custom"] = {key: _meant(value) for key, value in own.items()}
    return change


def _said_in(query: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(TO): value for name, value in query.items() if name.startswith(TO) and value}


def _or_none(value: str) -> str | None:
    return None if value == NONE else value


def _meant(value: str) -> Any:
    """A value of the shop's own field: what a select says of yes and no has a mark, any other is a text."""
    marked: Iterable[tuple[str, Any]] = (("is:true", True), ("is:false", False), (NONE, None))
    return dict(marked).get(value, value)


def _own(field: Mapping[str, Any]) -> dict[str, Any]:
    return {**field, "options": [(choice, choice) for choice in field["choices"]]}
