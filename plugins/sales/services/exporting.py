"""Sales as a table for whoever does the books: each a line, its figures as numbers."""

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
from plugins.sales.models import Register, Sale
from plugins.sales.schemas.requests import SaleExport

COLUMNS: Final = (
    *("business_date", "sold_at", "number", "status", "place", "register", "cashier"),
    *("net", "tax", "total", "discount", "voided_total", "currency", "voided_at", "voided_by", "void_reason"),
)
_S, _R, _P = Sale.__table__.c, Register.__table__.c, Location.__table__.c


async def export_sales(scene: Scene, asked: SaleExport) -> Download:
    """Sales as a file, day by day in the order in which they were sold. Raises Invalid for the period."""

    async def rows(work: Work, day: dt.date) -> list[list[object]]:
        found = await work.execute(_chosen(work, asked).where(_S.business_date == day))
        return [_cells(work, row) for row in found.all()]

    return await table_by_day(scene, asked, "sales", COLUMNS, rows)


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
