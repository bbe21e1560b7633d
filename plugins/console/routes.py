"""The API of the console: a person's dashboard and lists, saved views, and what changes while somebody looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from kernel.errors import AlreadyExists
from kernel.web import IN_PERSON, SIGNED_IN, Watch, command, query, stream
from kernel.wire import Reply, StreamEvent
from kernel.work import Work
from plugins.console.errors import TooManyViews
from plugins.console.schemas.dashboard import ArrangementIn, ChangesOut, DashboardOut, SinceQuery
from plugins.console.schemas.views import ColumnsIn, ListOut, OpeningIn, ThroughQuery, ViewIn, ViewOut, ViewPatch
from plugins.console.services import arranging, choosing, views, watching


@query("/dashboard", permission=IN_PERSON)
async def get_dashboard(work: Work) -> Reply[DashboardOut]:
    """The caller's dashboard in this business: its cards in their order, with those put away."""
    shown, version = await arranging.dashboard(work)
    return Reply(shown, version=version, living=True)


@command("PUT", "/dashboard", permission=IN_PERSON)
async def arrange_dashboard(work: Work, data: ArrangementIn) -> Reply[DashboardOut]:
    """Arrange one's own dashboard: the order of its cards, which are shown, and how wide.

    It is the caller's alone, and for this business alone. If-Match is the version that was read, `"0"` before the first
    time. What was said of cards whose plugin is off stays.
    """
    await arranging.arrange(work, data)
    shown, version = await arranging.dashboard(work)
    return Reply(shown, version=version, living=True)


@command("DELETE", "/dashboard", permission=IN_PERSON)
async def reset_dashboard(work: Work) -> None:
    """Have one's own dashboard as it comes again. Done already, it is done."""
    await arranging.reset(work)


@query("/lists/{list_name}", permission=IN_PERSON)
async def get_list(work: Work, list_name: str, query: ThroughQuery) -> Reply[ListOut]:
    """A list of the console as the caller has it: its views, its columns, and what its page opens with.

    Lists are those of pages that the caller may see, by the names of their slots. With `view_id` the columns are those
    under that view.
    """
    shown, version = await choosing.list_for(work, list_name, query.view_id)
    return Reply(shown, version=version, living=True)


@command("PUT", "/lists/{list_name}/columns", permission=IN_PERSON)
async def choose_columns(work: Work, list_name: str, data: ColumnsIn) -> Reply[ListOut]:
    """Choose one's own columns of a list: which are shown, and in which order. The first of the list stays the first.

    They are the caller's alone, in this business alone, under one view or without. If-Match is the version that was
    read, `"0"` before the first time.
    """
    await choosing.choose_columns(work, list_name, data)
    shown, version = await choosing.list_for(work, list_name, data.view_id)
    return Reply(shown, version=version, living=True)


@command("PUT", "/lists/{list_name}/opening", permission=IN_PERSON)
async def open_with_view(work: Work, list_name: str, data: OpeningIn) -> Reply[ListOut]:
    """Have the page of a list open with a view, for oneself alone; null for all there is. If-Match as for columns."""
    await choosing.open_with(work, list_name, data)
    shown, version = await choosing.list_for(work, list_name, data.view_id)
    return Reply(shown, version=version, living=True)


@query("/views/{view_id}", permission=IN_PERSON)
async def get_view(work: Work, view_id: UUID) -> Reply[ViewOut]:
    """One view: of one's own, or shared, of a list that one may see."""
    row = await views.view(work, view_id)
    return Reply(views.out(work, row), version=row.version)


@command("POST", "/views", permission=IN_PERSON, errors=(AlreadyExists, TooManyViews))
async def save_view(work: Work, data: ViewIn) -> Reply[ViewOut]:
    """Save what a list is filtered and sorted by, and its columns, under a name.

    It is the caller's alone, unless it `is_shared` with all who may see the list, for which they must hold
    `console.share_views`.
    """
    row = await views.save_view(work, data)
    return Reply(views.out(work, row), version=row.version, location=f"/api/v1/console/views/{row.id}")


@command("PATCH", "/views/{view_id}", permission=IN_PERSON, errors=(AlreadyExists,))
async def change_view(work: Work, view_id: UUID, data: ViewPatch) -> Reply[ViewOut]:
    """Rename a view, replace what it has, share it or not. A shared one asks for `console.share_views`."""
    row = await views.change_view(work, view_id, data)
    return Reply(views.out(work, row), version=row.version)


@command("DELETE", "/views/{view_id}", permission=IN_PERSON)
async def remove_view(work: Work, view_id: UUID) -> None:
    """Throw a view away; what it listed stays as it is. One that is shared asks for `console.share_views`."""
    await views.remove_view(work, view_id)


@stream("/changes", permission=SIGNED_IN)
async def watch_changes(watch: Watch, query: SinceQuery) -> AsyncIterator[StreamEvent[ChangesOut]]:
    """Watch what is done in the business, so as to read anew what may have changed.

    Events are called `changes`: at once what changed since `since`, then whatever does, of plugins in which the caller
    holds a permission; names alone, never what was done. What this process commits is told within a second, what others
    commit within five. Come again with the last `at` when the stream ends: after ten minutes, or with the sign-in.
    """
    async for told in watching.changes(watch, query.since):
        yield StreamEvent("changes", told)
