"""What a person has chosen of a list: its columns, under a view or without one, and the view it opens with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.errors import NotFound
from kernel.work import Work
from plugins.console import hooks as places
from plugins.console.models import ListChoice, View
from plugins.console.schemas import Listing
from plugins.console.schemas.views import ColumnsIn, ListColumnOut, ListOut, OpeningIn
from plugins.console.services import views
from plugins.console.services.arranging import may_see

_C = ListChoice.__table__.c
PLAIN = ""
"""The key of the columns that one has without a view."""


async def list_for(work: Work, name: str, view_id: UUID | None) -> tuple[ListOut, int]:
    """A list as the caller has it, and the version of what they have chosen: 0 for nothing. Raises NotFound."""
    listing = views.listing_of(work, name)
    saved = await views.views_of(work, name)
    choice = await _choice(work, name)
    through = next((one for one in saved if one.id == view_id), None)
    chosen, is_own = _chosen(choice.columns if choice else {}, through)
    opens_with = choice.opens_with if choice else None
    said = ListOut(
        list_name=name,
        views=[views.out(work, one) for one in saved],
        opens_with=opens_with if any(one.id == opens_with for one in saved) else None,
        columns=arranged(listing, added_to(work, name), chosen),
        is_own=is_own,
    )
    return said, choice.version if choice else 0


async def choose_columns(work: Work, name: str, data: ColumnsIn) -> None:
    """Keep the caller's columns of a list. Raises NotFound, Invalid, PreconditionFailed.

    What was said of columns that cannot be seen now (their plugin is off) goes with the next choice.
    """
    saved = await _saved(work, name, data.view_id)
    choice = await _held(work, name)
    key = str(data.view_id) if data.view_id else PLAIN
    there = {PLAIN, *(str(one.id) for one in saved)}
    columns = {one: said for one, said in (choice.columns if choice else {}).items() if one in there and one != key}
    if data.columns:
        columns[key] = views.kept_of(data.columns)
    await _keep(work, name, choice, columns=columns, opens_with=choice.opens_with if choice else None)


async def open_with(work: Work, name: str, data: OpeningIn) -> None:
    """Keep the view that a page opens with for the caller. Raises NotFound, PreconditionFailed."""
    await _saved(work, name, data.view_id)
    choice = await _held(work, name)
    await _keep(work, name, choice, columns=choice.columns if choice else {}, opens_with=data.view_id)


def added_to(work: Work, name: str) -> list[tuple[str, str]]:
    """The columns that plugins add to a list for the caller, in the order in which they come: name and title."""
    offered = [(one.plugin, column) for one in work.hooks.offers(places.console_columns) for column in one.value or ()]
    offered.sort(key=lambda pair: (pair[1].order, pair[1].name))
    return [
        (f"{plugin}.{column.name}", column.title)
        for plugin, column in offered
        if column.slot == name and may_see(work, column.permission)
    ]


def arranged(
    listing: Listing, added: Sequence[tuple[str, str]], chosen: Sequence[Mapping[str, Any]]
) -> list[ListColumnOut]:
    """Columns as somebody has chosen them: the fixed one, those chosen in their order, then those never spoken of."""
    known = dict([*((one.name, one.title) for one in listing.columns), *added])
    fixed = [one.name for one in listing.columns[:1]]
    said = {one["column"]: one["is_shown"] for one in chosen if one["column"] in known}
    order = [*fixed, *(name for name in (*said, *(one for one in known if one not in said)) if name not in fixed)]
    return [ListColumnOut(name, known[name], name in fixed or said.get(name, True), name in fixed) for name in order]


def _chosen(columns: Mapping[str, Any], through: View | None) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """What counts under a view: one's own choice there, the view's, one's own of the plain list; and whether one chose.

    One's own of the plain list is no change to a view.
    """
    if through is None:
        return columns.get(PLAIN, ()), PLAIN in columns
    if (own := columns.get(str(through.id))) is not None:
        return own, True
    return through.columns if through.columns is not None else columns.get(PLAIN, ()), False


async def _saved(work: Work, name: str, view_id: UUID | None) -> list[View]:
    views.listing_of(work, name)
    saved = await views.views_of(work, name)
    if view_id is not None and all(one.id != view_id for one in saved):
        raise NotFound.at("/view_id", "There is no such view")
    return saved


async def _choice(work: Work, name: str) -> Any:
    return (await work.execute(sa.select(_C.columns, _C.opens_with, _C.version).where(_mine(work, name)))).one_or_none()


async def _held(work: Work, name: str) -> Any:
    """The row to be changed, at the version that the caller saw."""
    await work.write()
    asked = sa.select(_C.columns, _C.opens_with, _C.version).where(_mine(work, name)).with_for_update()
    choice = (await work.execute(asked)).one_or_none()
    work.check_version(choice.version if choice else 0)
    return choice


async def _keep(work: Work, name: str, choice: Any, **values: Any) -> None:
    values["changed_at"] = work.now
    if choice is None:
        key = {"business_id": work.business_id, "user_id": work.actor.id, "list_name": name}
        await work.execute(sa.insert(ListChoice).values(**key, **values, version=1))
    else:
        raised = sa.update(ListChoice).where(_mine(work, name)).values(**values, version=choice.version + 1)
        await work.execute(raised)
    work.audit(subject=f"list:{work.actor.id}", list_name=name)


def _mine(work: Work, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(_C.business_id == work.business_id, _C.user_id == work.actor.id, _C.list_name == name)
