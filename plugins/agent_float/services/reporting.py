"""A day of every line, and every day of a line: computed from the entries, never stored."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kernel.errors import Invalid
from kernel.money import format_amount
from kernel.work import Work
from plugins.agent_float.models import AgentLine, Closing, Entry, Transaction
from plugins.agent_float.rules import COLUMNS, closing_of
from plugins.agent_float.schemas import DayOut, LineDay, SpanQuery
from plugins.agent_float.services.booking import today_at

LONGEST, MONTH = dt.timedelta(days=366), dt.timedelta(days=30)
_L, _E, _T, _C = AgentLine.__table__.c, Entry.__table__.c, Transaction.__table__.c, Closing.__table__.c


async def read_day(work: Work, day: dt.date, location_id: uuid.UUID | None) -> DayOut:
    """A business day: its lines, and how many customers were served."""
    here = [_L.business_id == work.business_id, work.here(_L.location_id)]
    served = [_T.business_id == work.business_id, work.here(_T.location_id), _T.business_date == day]
    if location_id is not None:
        here.append(_L.location_id == location_id)
        served.append(_T.location_id == location_id)
    lines = (await work.execute(sa.select(AgentLine.__table__).where(*here).order_by(_L.id))).all()
    ids = [line.id for line in lines]
    opened = await _opened(work, ids, day)
    moved = await _moved(work, ids, day, day)
    counted = await _counted(work, ids, day, day)
    digits = work.shop.exponent
    shown = [
        _line_day(line, day, opened.get(line.id, 0), moved.get((line.id, day), {}), counted.get((line.id, day)), digits)
        for line in lines
        if line.is_active or opened.get(line.id) or (line.id, day) in moved
    ]
    counts = (
        await work.execute(
            sa.select(
                _count(_T.kind == "deposit").label("deposits"),
                _count(_T.kind == "withdrawal").label("withdrawals"),
                sa.func.coalesce(
                    sa.func.sum(sa.case((_T.kind == "reversal", -_T.commission), else_=_T.commission)), 0
                ).label("earned"),
            ).where(*served)
        )
    ).one()
    return DayOut(
        day,
        location_id,
        work.shop.currency,
        counts.deposits,
        counts.withdrawals,
        format_amount(int(counts.earned), digits),
        shown,
    )


async def read_days(work: Work, line_id: uuid.UUID, query: SpanQuery) -> list[LineDay]:
    """The days of a line on which something moved or that were closed, oldest first. Raises NotFound, Invalid."""
    line = await work.get(AgentLine, line_id)
    since, until = await span_of(work, line, query)
    moved = await _moved(work, [line.id], since, until)
    counted = await _counted(work, [line.id], since, until)
    opening = (await _opened(work, [line.id], since)).get(line.id, 0)
    found, digits = [], work.shop.exponent
    for day in sorted({key[1] for key in (*moved, *counted)}):
        by_kind = moved.get((line.id, day), {})
        found.append(_line_day(line, day, opening, by_kind, counted.get((line.id, day)), digits))
        opening = closing_of(opening, by_kind.values())
    return found


async def span_of(work: Work, line: AgentLine, query: SpanQuery) -> tuple[dt.date, dt.date]:
    """The days that are asked for of a line. Raises Invalid."""
    until = query.until or await today_at(work, line.location_id)
    since = query.since or until - MONTH
    if not dt.timedelta(0) <= until - since <= LONGEST:
        raise Invalid.at("?until", "At most a year from since")
    return since, until


async def _opened(work: Work, ids: list[uuid.UUID], day: dt.date) -> dict[uuid.UUID, int]:
    """What stood on lines when a day began."""
    before = (
        sa.select(_E.line_id, sa.func.sum(_E.amount))
        .where(_E.business_id == work.business_id, _E.line_id.in_(ids), _E.business_date < day)
        .group_by(_E.line_id)
    )
    return {line_id: int(amount) for line_id, amount in map(tuple, await work.execute(before))}


async def _moved(
    work: Work, ids: list[uuid.UUID], since: dt.date, until: dt.date
) -> dict[tuple[uuid.UUID, dt.date], dict[str, int]]:
    """What moved on lines: by line and day, by kind."""
    between = _E.business_date.between(since, until)
    summed = (
        sa.select(_E.line_id, _E.business_date, _E.kind, sa.func.sum(_E.amount))
        .where(_E.business_id == work.business_id, _E.line_id.in_(ids), between)
        .group_by(_E.line_id, _E.business_date, _E.kind)
    )
    found: dict[tuple[uuid.UUID, dt.date], dict[str, int]] = {}
    for line_id, day, kind, amount in map(tuple, await work.execute(summed)):
        found.setdefault((line_id, day), {})[kind] = int(amount)
    return found


async def _counted(
    work: Work, ids: list[uuid.UUID], since: dt.date, until: dt.date
) -> dict[tuple[uuid.UUID, dt.date], int]:
    closed = sa.select(_C.line_id, _C.business_date, _C.counted).where(
        _C.business_id == work.business_id, _C.line_id.in_(ids), _C.business_date.between(since, until)
    )
    return {(line_id, day): counted for line_id, day, counted in map(tuple, await work.execute(closed))}


def _line_day(
    line: Any, day: dt.date, opening: int, by_kind: Mapping[str, int], counted: int | None, digits: int
) -> LineDay:
    moved = {column: format_amount(by_kind.get(kind, 0), digits) for kind, column in COLUMNS.items()}
    return LineDay(
        line_id=line.id,
        code=line.code,
        name=line.name,
        kind=line.kind,
        business_date=day,
        opening=format_amount(opening, digits),
        **moved,
        closing=format_amount(closing_of(opening, by_kind.values()), digits),
        counted=None if counted is None else format_amount(counted, digits),
        is_closed=counted is not None,
    )


def _count(where: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count().filter(where)
