"""Changes of many products that can be undone: the list of them, one looked at first, the button in the trail."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from plugins.catalog.with_console.many import LABELS, MONEY, names_of
from plugins.console.api import Refused, Seen

EDITS: Final = "/catalog/product-edits"
SUBJECT: Final = "product_edit:"
ALL_LABELS: Final = {
    **LABELS,
    **{"cost_price": "Cost", "mrp": "Maximum retail price", "track_stock": "Count its stock", "custom": "Own fields"},
}
ALL_MONEY: Final = (*MONEY, "cost_price", "mrp")
NEEDED: Final = {**dict.fromkeys(MONEY, "catalog.prices"), "cost_price": "catalog.see_cost"}
"""What undoing a change of a field needs besides `catalog.edit`, as the API has it."""


async def read_edits(seen: Seen) -> Mapping[str, Any]:
    """Changes of many products of the last days."""
    listed = await seen.get(EDITS, limit=50, cursor=seen.query.get("cursor"))
    items = [_known(seen, one) for one in listed["items"]]
    return {"listed": {**listed, "items": items}, "labels": ALL_LABELS}


async def read_undo(seen: Seen) -> Mapping[str, Any]:
    """One of them, and what undoing it comes to."""
    edit = await seen.get(f"{EDITS}/{seen.path['product_edit_id']}")
    shown: dict[str, Any] = {"edit": edit, "look": None, "problem": None}
    shown |= {"labels": ALL_LABELS, "money_of": ALL_MONEY, "names": {}, "own_labels": {}}
    if edit["undo_id"]:
        return shown
    try:
        look, names = await asyncio.gather(seen.get(f"{EDITS}/{edit['id']}/undo"), names_of(seen))
        return {**shown, "look": look, **names}
    except Refused as refused:
        if refused.status == 403:
            raise
        return {**shown, "problem": refused.problem}


async def read_deed(seen: Seen, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The change of many products that a row of the trail tells of, where it can still be looked at."""
    subject = given["deed"].get("subject") or ""
    if not subject.startswith(SUBJECT):
        return {"edit": None}
    edit = await seen.look(f"{EDITS}/{subject.removeprefix(SUBJECT)}")
    return {"edit": _known(seen, edit) if edit else None}


def _known(seen: Seen, edit: Mapping[str, Any]) -> dict[str, Any]:
    """A change, and whether the reader may undo it."""
    return {**edit, "may_undo": all(seen.may(NEEDED[name]) for name in edit["fields"] if name in NEEDED)}
