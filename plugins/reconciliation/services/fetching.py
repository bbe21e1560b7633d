"""Statements fetched from providers, page by page, each page a deed; windows overlap, and each line is kept once."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import act, count_try
from kernel.jobs import Call
from kernel.sealing import SealBroken
from kernel.work import Work
from plugins.payments.api import (
    AccountNotUsable,
    GatewayFailed,
    StatementWay,
    UnknownGateway,
    Window,
    statement_way,
)
from plugins.reconciliation.errors import NotFetched
from plugins.reconciliation.models import Source
from plugins.reconciliation.rules.days import whole_days, window_of
from plugins.reconciliation.schemas.sources import SourceOut
from plugins.reconciliation.services.keeping import Kept, keep_lines, mark_stated
from plugins.reconciliation.services.matching import MATCH, hold_source
from plugins.reconciliation.services.sources import ensure_sources, source_out

FETCH: Final = "reconciliation.fetch"
"""The job that fetches the statement of a source. Payload: `source_id`."""
MOST_PAGES: Final = 2_000
TRIES, WINDOW = 20, dt.timedelta(hours=1)
AGAIN: Final = dt.timedelta(hours=1)
_S: Final = Source.__table__


async def fetch_all(work: Work) -> int:
    """Have the statement of every account that gives one fetched; returns of how many."""
    accounts = {account.id for account in await ensure_sources(work)}
    on = sa.select(_S.c.id).where(_S.c.business_id == work.business_id, _S.c.is_on, _S.c.account_id.is_not(None))
    ids = [row.id for row in await work.execute(on.order_by(_S.c.id)) if row.id in accounts]
    for source_id in ids:
        work.later(FETCH, {"source_id": str(source_id)})
    return len(ids)


async def fetch(work: Work, source_id: uuid.UUID) -> Call | None:
    """Take up the fetching of a statement, and return the call that does it; None where it cannot be fetched."""
    source = await hold_source(work, source_id)
    if source.account_id is None or not source.is_on:
        return None
    try:
        way = await statement_way(work, source.account_id)
    except (UnknownGateway, AccountNotUsable, SealBroken) as fault:
        await note_fault(work, source_id, str(fault) or fault.title)
        return None
    since, until = window_of(work.now, source.fetched_until, source.zone, way.statements.reaches_back)
    deployment, business_id = work.deployment, work.business_id

    async def call() -> None:
        async def do(deed: Any) -> Any:
            return await act(deployment, business_id, deed, deed=FETCH, audited=False)

        try:
            await _pages(way, source_id, source.zone, Window(since, until), do)
        except GatewayFailed as failed:
            said, later = failed.fault.said, failed.fault.again
            await do(lambda work: note_fault(work, source_id, said, again=later))
        else:
            await do(lambda work: _end(work, source, since, until))

    return call


async def fetch_now(work: Work, source_id: uuid.UUID) -> SourceOut:
    """Have a statement fetched after the commit. Raises NotFound, NotFetched, RateLimited."""
    await ensure_sources(work)
    row = await work.get(Source, source_id)
    if row.account_id is None or not row.is_on:
        raise NotFetched
    await count_try(work, f"statement:{source_id}", TRIES, WINDOW)
    work.later(FETCH, {"source_id": str(source_id)})
    work.audit(subject=f"source:{source_id}")
    return source_out(row)


async def note_fault(work: Work, source_id: uuid.UUID, said: str, *, again: bool = False) -> None:
    """Note why a statement could not be fetched; what came of it before the fault is looked at all the same.

    again: asking once more may help; so it is in an hour.
    """
    await work.write()
    here = sa.and_(_S.c.business_id == work.business_id, _S.c.id == source_id)
    await work.execute(sa.update(Source).where(here).values(last_fault=said[:500]))
    work.later(MATCH, {"source_id": str(source_id)})
    if again:
        at = work.now + AGAIN
        work.later(FETCH, {"source_id": str(source_id)}, at=at, dedup=f"{FETCH}:{source_id}:{at:%Y%m%d%H}")


async def _pages(way: StatementWay, source_id: uuid.UUID, zone: str, window: Window, do: Any) -> None:
    """Fetch and keep page after page, until there is no further one or one brings nothing that was not on another."""
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await way.gateway.fetch_statement(way.line, window, cursor)
        fresh = [line for line in page.items if line.line_key not in seen]
        seen.update(line.line_key for line in fresh)
        if fresh:
            await do(_keeping(source_id, zone, fresh))
        cursor = page.next_cursor
        if cursor is None or not fresh:
            return


def _keeping(source_id: uuid.UUID, zone: str, lines: Any) -> Any:
    async def keep(work: Work) -> Kept:
        return await keep_lines(work, source_id, zone, lines)

    return keep


async def _end(work: Work, source: Any, since: dt.datetime, until: dt.datetime) -> None:
    """Note what has been stated whole, and have it held against the books."""
    await work.write()
    await mark_stated(work, source.id, whole_days(since, until, source.zone))
    here = sa.and_(_S.c.business_id == work.business_id, _S.c.id == source.id)
    said = {"fetched_at": work.now, "fetched_until": until, "last_fault": None}
    await work.execute(sa.update(Source).where(here).values(**said))
    work.later(MATCH, {"source_id": str(source.id)})
