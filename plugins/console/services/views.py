"""Views of lists: saved by people for themselves, or for everybody who sees the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import UNSET, structs

from kernel.db import new_id
from kernel.errors import AlreadyExists, Fault, Invalid, NotFound
from kernel.work import Work
from plugins.console import hooks as places
from plugins.console.errors import TooManyViews
from plugins.console.models import View
from plugins.console.schemas import Listing
from plugins.console.schemas.listing import NEVER_KEPT
from plugins.console.schemas.views import ChosenColumn, ColumnKept, ViewIn, ViewOut, ViewPatch
from plugins.console.services.arranging import in_order, may_see

SHARE: Final = "console.share_views"
MOST: Final = 100
"""Views of one list that one person sees."""


def listing_of(work: Work, name: str) -> Listing:
    """A list by name. Raises NotFound where no page shows it, or none that the caller may see."""
    for one in work.hooks.offers(places.console_pages):
        for page in one.value or ():
            if page.lists is not None and page.lists.name == name and may_see(work, page.permission):
                found: Listing = page.lists
                return found
    raise NotFound


async def views_of(work: Work, list_name: str) -> list[View]:
    """The views of a list that the caller sees: shared ones first, each kind in the order in which they were saved."""
    seen = sa.or_(View.is_shared, View.made_by == work.actor.id)
    asked = sa.select(View).where(View.business_id == work.business_id, View.list_name == list_name, seen)
    return list((await work.session.scalars(asked.order_by(View.is_shared.desc(), View.made_at, View.id))).all())


async def view(work: Work, id_: UUID, *, to_change: bool = False) -> View:
    """A view that the caller sees, or may change. Raises NotFound, Forbidden."""
    row = await work.get(View, id_, to_change=to_change)
    if not (row.is_shared or row.made_by == work.actor.id):
        raise NotFound
    listing_of(work, row.list_name)
    if to_change and row.is_shared:
        work.require(SHARE)
    return row


async def save_view(work: Work, data: ViewIn) -> View:
    """Save a view. Raises NotFound for a list that is not there, AlreadyExists, TooManyViews, Forbidden, Invalid."""
    try:
        listing_of(work, data.list_name)
    except NotFound as fault:
        raise NotFound.at("/list_name", "There is no such list") from fault
    if data.is_shared:
        work.require(SHARE)
    _refuse_what_is_no_filter(data.query)
    there = await views_of(work, data.list_name)
    if len(there) >= MOST:
        raise TooManyViews
    _refuse_taken(there, data.name)
    row = View(
        **{"id": data.id or new_id(), "list_name": data.list_name, "name": data.name, "query": data.query},
        **{"columns": kept_of(data.columns), "is_shared": data.is_shared},
        **{"made_by": work.actor.id, "made_at": work.now, "version": 1},
    )
    work.session.add(row)
    await work.session.flush()
    work.audit(subject=f"view:{row.id}")
    return row


async def change_view(work: Work, id_: UUID, patch: ViewPatch) -> View:
    """Rename a view, replace what it asks for, share it. Raises NotFound, Forbidden, AlreadyExists, Invalid."""
    row = await view(work, id_, to_change=True)
    work.check_version(row.version)
    if patch.is_shared is not UNSET and patch.is_shared != row.is_shared:
        work.require(SHARE)
    if isinstance(patch.query, Mapping):
        _refuse_what_is_no_filter(patch.query)
    if isinstance(patch.name, str):
        _refuse_taken([one for one in await views_of(work, row.list_name) if one.id != id_], patch.name)
    for name, value in structs.asdict(patch).items():
        if value is not UNSET:
            setattr(row, name, kept_of(patch.columns) if name == "columns" else value)  # type: ignore[arg-type]
    row.version += 1
    await work.session.flush()
    work.audit(subject=f"view:{id_}")
    return row


async def remove_view(work: Work, id_: UUID) -> None:
    """Throw a view away. Pages that opened with it show everything. Raises NotFound, Forbidden."""
    row = await view(work, id_, to_change=True)
    await work.session.delete(row)
    await work.session.flush()
    work.audit(subject=f"view:{id_}")


def out(work: Work, row: View) -> ViewOut:
    """A view as the API answers it."""
    is_own = row.made_by == work.actor.id
    return ViewOut(
        id=row.id,
        list_name=row.list_name,
        name=row.name,
        query=row.query,
        columns=[ColumnKept(**one) for one in row.columns] if row.columns is not None else None,
        is_shared=row.is_shared,
        is_own=is_own,
        may_change=work.actor.may(SHARE) if row.is_shared else is_own,
        version=row.version,
    )


def kept_of(columns: Sequence[ChosenColumn] | None) -> list[dict[str, Any]] | None:
    """Columns as they are stored, in their order. Raises Invalid for one that is named twice."""
    if columns is None:
        return None
    names = [one.column for one in columns]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid.at(f"/columns/{place}/column", "Named before", code="duplicate")
    return [{"column": one.column, "is_shown": one.is_shown} for one in in_order(columns)]


def _refuse_what_is_no_filter(query: Mapping[str, str]) -> None:
    for name in query:
        if name in NEVER_KEPT:
            raise Invalid.at(f"/query/{name}", "A view keeps no page and no other view")


def _refuse_taken(there: Sequence[View], name: str) -> None:
    if any(one.name.casefold() == name.casefold() for one in there):
        said = "There is a view of this name"
        raise AlreadyExists(said, faults=[Fault("/name", "already-exists", said)])
