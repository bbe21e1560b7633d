"""The book as a table for whoever does the books: each entry a line, its figures as numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import Location
from kernel.cells import figure
from kernel.money import format_amount
from kernel.web import Scene, table_by_day
from kernel.wire import Download
from kernel.work import Work
from plugins.daybook.models import Entry
from plugins.daybook.schemas import EntryExport

COLUMNS: Final = (
    *("business_date", "at", "place", "kind", "document_number", "sold", "account", "in", "out", "currency"),
    *("words", "by"),
)
SOLD: Final = {"sale": 1, "void": -1}
"""Kind of entry → what it does to what was sold."""
_E, _P = Entry.__table__.c, Location.__table__.c


async def export_entries(scene: Scene, asked: EntryExport) -> Download:
    """Entries as a file, day by day in the order they happened. Raises Invalid for the period."""

    async def rows(work: Work, day: dt.date) -> list[list[object]]:
        found = await work.execute(_chosen(work, asked).where(_E.business_date == day))
        return [_cells(work, row) for row in found.all()]

    return await table_by_day(scene, asked, "daybook", COLUMNS, rows)


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
