"""Sheets of a list: to save what is seen as a view, to change a view, to choose columns. Each is a page as well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from kernel.web import Given
from plugins.console.schemas import ListSeen
from plugins.console.schemas.listing import VIEW
from plugins.console.services import listings
from plugins.console.services.views import SHARE
from plugins.console.services.visiting import Visit


async def new(visit: Visit) -> Given:
    """Save what is seen as a view."""
    return await _sheet(visit, "console/views/new.html", "Save view")


async def change(visit: Visit) -> Given:
    """Rename a view, replace what it has by what is seen, open the page with it, throw it away."""
    return await _sheet(visit, "console/views/change.html", "Change view", wants_view=True)


async def columns(visit: Visit) -> Given:
    """Choose the columns of a list."""
    return await _sheet(visit, "console/views/columns.html", "Columns")


async def _sheet(visit: Visit, template: str, title: str, *, wants_view: bool = False) -> Given:
    listing = await _listing(visit)
    if listing is None or listing.told is None or (wants_view and listing.view is None):
        return await visit.html("console/missing.html", status=404)
    may_share = visit.seen().may(SHARE)
    return await visit.html(template, title=title, list=listing, may_share=may_share, kept=_kept(listing))


async def _listing(visit: Visit) -> ListSeen | None:
    """The list that a sheet is about, as it was seen on the page that the sheet was opened from."""
    found = visit.composed().find(visit.query.get("at", ""))
    seen = visit.seen()
    if found is None or (page := found[0].page).lists is None or not seen.may(page.permission):
        return None
    asked = dict(parse_qsl(visit.query.get("asked", ""), keep_blank_values=True))
    through = {VIEW: visit.query.get(VIEW, "")}
    return await listings.begin(seen, page.lists, visit.query["at"], asked | through, has_place=True)


def _kept(listing: ListSeen) -> Mapping[str, Any]:
    """What a view of this keeps, as fields of a form."""
    return {"query:json": json.dumps(listing.query), "columns:json": json.dumps(listing.columns)}
