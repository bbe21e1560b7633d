"""The book as a table for whoever does the books: each entry a line, its figures as numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import Location, look
from kernel.cells import figure
from kernel.errors import Invalid
from kernel.money import format_amount
from kernel.web import Scene, as_table, gathered, table_line
from kernel.wire import Download
from kernel.work import Work
from plugins.daybook.models import Entry
from plugins.daybook.schemas import EntryExport

LONGEST: Final = dt.timedelta(days=366)
COLUMNS: Final = (
    *("business_date", "at", "place", "kind", "document_number", "sold", "account", "in", "out", "currency"),
    *("words", "by"),
)
SOLD: Final = {"sale": 1, "void": -1}
"""Kind of entry → what it does to what was sold."""
_E, _P = Entry.__table__.c, Location.__table__.c


async def export_entries(scene: Scene, asked: EntryExport) -> Download:
    """Entries as a file, in one snapshot; that it was taken stands in the trail. Raises Invalid for the period."""
    if not dt.timedelta() <= asked.to_date - asked.from_date < LONGEST:
        raise Invalid.at("?to_date", "From a day to the same or a later one, at most 366 days")

    async def note(work: Work) -> str:
        work.audit(subject="daybook", first=str(asked.from_date), last=str(asked.to_date), format=asked.format)
        return f"day-book-{work.shop.slug}-{asked.from_date}-{asked.to_date}"

    name = await scene.deed(note)
    lines = await look(
        scene.deployment,
        scene.standing.business_id,
        lambda work: gathered(_lines(work, asked)),
        actor=scene.standing.actor,
    )
    return await as_table(lines, asked.format, name)


async def _lines(work: Work, asked: EntryExport) -> AsyncIterator[bytes]:
    """The head, and day by day the entries in the order they happened."""
    yield table_line(COLUMNS, asked.format)
    chosen = _chosen(work, asked)
    for more in range((asked.to_date - asked.from_date).days + 1):
        day = asked.from_date + dt.timedelta(days=more)
        for row in (await work.execute(chosen.where(_E.business_date == day))).all():
            yield table_line(_cells(work, row), asked.format)


def _chosen(work: Work, asked: EntryExport) -> sa.Select[Any]:
    where = [_E.business_id == work.business_id, work.here(_E.location_id)]
    if asked.location_id is not None:
        where.append(_E.location_id == asked.location_id)
    place = sa.and_(_P.business_id == _E.business_id, _P.id == _E.location_id)
    return (
        sa.select(Entry.__table__, _P.name.label("place"))
        .select_from(Entry.__table__.join(Location.__table__, place))
        .where(*where)
        .order_by(_E.at, _E.id)
    )


def _cells(work: Work, row: Any) -> list[object]:
    """An entry: what it did to what was sold, or to an account; its moment by the clock of the business."""
    sold = SOLD[row.kind] * row.amount if row.kind in SOLD else None
    moved = [row.amount if row.direction == way else None for way in ("in", "out")]
    sums = [None if one is None else figure(format_amount(one, work.shop.exponent)) for one in (sold, *moved)]
    return [
        *(row.business_date, row.at.astimezone(work.shop.tz).strftime("%Y-%m-%d %H:%M"), row.place, row.kind),
        *(row.document_number, sums[0], row.account, *sums[1:], row.currency, row.words, row.by_name),
    ]
