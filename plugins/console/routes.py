"""The API of the console: a person's dashboard, and what changes while somebody looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kernel.web import IN_PERSON, SIGNED_IN, Watch, command, query, stream
from kernel.wire import Reply, StreamEvent
from kernel.work import Work
from plugins.console.schemas.dashboard import ArrangementIn, ChangesOut, DashboardOut, SinceQuery
from plugins.console.services import arranging, watching


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


@stream("/changes", permission=SIGNED_IN)
async def watch_changes(watch: Watch, query: SinceQuery) -> AsyncIterator[StreamEvent[ChangesOut]]:
    """Watch what is done in the business, so as to read anew what may have changed.

    Events are called `changes`: at once what changed since `since`, then whatever does, of plugins in which the caller
    holds a permission; names alone, never what was done. What this process commits is told within a second, what others
    commit within five. Come again with the last `at` when the stream ends: after ten minutes, or with the sign-in.
    """
    async for told in watching.changes(watch, query.since):
        yield StreamEvent("changes", told)
