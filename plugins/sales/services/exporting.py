"""Sales as a table for whoever does the books: each a line, its figures as numbers."""

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
from plugins.sales.models import Register, Sale
from plugins.sales.schemas.requests import SaleExport

LONGEST: Final = dt.timedelta(days=366)
COLUMNS: Final = (
    *("business_date", "sold_at", "number", "status", "place", "register", "cashier"),
    *("net", "tax", "total", "discount", "voided_total", "currency", "voided_at", "voided_by", "void_reason"),
)
_S, _R, _P = Sale.__table__.c, Register.__table__.c, Location.__table__.c


async def export_sales(scene: Scene, asked: SaleExport) -> Download:
    """Sales as a file, in one snapshot; that it was taken stands in the trail. Raises Invalid for the period."""
    if not dt.timedelta() <= asked.to_date - asked.from_date < LONGEST:
        raise Invalid.at("?to_date", "From a day to the same or a later one, at most 366 days")

    async def note(work: Work) -> str:
        work.audit(subject="sales", first=str(asked.from_date), last=str(asked.to_date), format=asked.format)
        return f"sales-{work.shop.slug}-{asked.from_date}-{asked.to_date}"

    name = await scene.deed(note)
    lines = await look(
        scene.deployment,
        scene.standing.business_id,
        lambda work: gathered(_lines(work, asked)),
        actor=scene.standing.actor,
    )
    return await as_table(lines, asked.format, name)


async def _lines(work: Work, asked: SaleExport) -> AsyncIterator[bytes]:
    """The head, and day by day the sales in the order in which they were sold."""
    yield table_line(COLUMNS, asked.format)
    chosen = _chosen(work, asked)
    for more in range((asked.to_date - asked.from_date).days + 1):
        day = asked.from_date + dt.timedelta(days=more)
        for row in (await work.execute(chosen.where(_S.business_date == day))).all():
            yield table_line(_cells(work, row), asked.format)


def _chosen(work: Work, asked: SaleExport) -> sa.Select[Any]:
    """Sales that were completed; what waits for its money, or was given up, is none."""
    was_completed = sa.or_(_S.order_number.is_(None), _S.number != _S.order_number)
    where = [_S.business_id == work.business_id, _S.status.in_(("completed", "voided")), was_completed]
    if asked.location_id is not None:
        where.append(_S.location_id == asked.location_id)
    if asked.status is not None:
        where.append(_S.status == asked.status)
    register = sa.and_(_R.business_id == _S.business_id, _R.id == _S.register_id)
    place = sa.and_(_P.business_id == _S.business_id, _P.id == _S.location_id)
    return (
        sa.select(Sale.__table__, _R.code.label("register"), _P.name.label("place"))
        .select_from(Sale.__table__.join(Register.__table__, register).join(Location.__table__, place))
        .where(*where, work.here(_S.location_id))
        .order_by(_S.sold_at, _S.id)
    )


def _cells(work: Work, row: Any) -> list[object]:
    """A sale; of one that was taken back nothing counts, and what it came to stands apart."""
    stands = row.status != "voided"
    counted = (row.total - row.tax_total, row.tax_total, row.total, row.discount_total)
    sums = [*(one if stands else 0 for one in counted), 0 if stands else row.total]
    return [
        *(row.business_date, _clock(work, row.sold_at), row.number, row.status),
        *(row.place, row.register, row.cashier_name),
        *(figure(format_amount(one, work.shop.exponent)) for one in sums),
        *(row.currency, _clock(work, row.voided_at), row.voided_by, row.void_reason),
    ]


def _clock(work: Work, at: dt.datetime | None) -> str:
    """A moment by the clock of the business."""
    return "" if at is None else at.astimezone(work.shop.tz).strftime("%Y-%m-%d %H:%M")
