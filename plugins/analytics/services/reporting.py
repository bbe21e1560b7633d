"""Reports: one statement each, over the sales and the money of a period."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.cells import figure
from kernel.errors import Invalid
from kernel.money import format_amount, format_micro, round_ratio
from kernel.web import csv_line
from kernel.wire import Download
from kernel.work import Work
from plugins.analytics.schemas import By, Report, ReportQuery, ReportRow
from plugins.payments.api import captured_payments, made_refunds
from plugins.sales.api import sale_columns, sale_line_columns

LONGEST: Final = dt.timedelta(days=366)
MOST_ROWS: Final = 500
QUARTER_S: Final = 900
"""Hours are put together of quarters, which every zone's offset is a multiple of."""
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
IN_ORDER: Final = frozenset({"day", "hour", "weekday"})
COLUMNS: Final = ("key", "label", "count", "quantity", "total", "tax", "discount")


@dataclass(frozen=True)
class Sum:
    """A row before it is written out: minor units; quantity scaled by MICRO."""

    key: str
    label: str
    count: int
    total: int
    tax: int | None = None
    discount: int | None = None
    quantity: int | None = None


async def report(work: Work, query: ReportQuery, *, is_whole: bool = False) -> Report:
    """What was sold in a period. Raises Invalid for a period that ends before it begins or is too long.

    is_whole: with all rows, however many.
    """
    if not dt.timedelta(0) <= query.to_date - query.from_date < LONGEST:
        raise Invalid.at("?to_date", "From a day to the same or a later one, at most 366 days")
    sums = await _READ[query.by](work, query)
    rows = sums if query.by in IN_ORDER else sorted(sums, key=lambda one: (-one.total, one.key))
    whole = _added(sums, "", "") if query.by not in ("product",) else (await _whole(work, query))
    exponent = work.shop.exponent
    shown = [_shown(one, exponent) for one in (rows if is_whole else rows[:MOST_ROWS])]
    sum_ = _shown(whole, exponent)
    return Report(
        *(query.by, query.from_date, query.to_date, query.location_id, work.shop.currency, shown),
        *(sum_.count, sum_.total, sum_.tax, sum_.discount),
        _average(query.by, whole, exponent),
    )


async def as_csv(work: Work, query: ReportQuery) -> Download:
    """The same as a table, with all rows and ended by their sums."""
    made = await report(work, query, is_whole=True)
    lines = [csv_line(COLUMNS), *(csv_line([row.key, row.label, row.count, *_cells(row)]) for row in made.rows)]
    whole = ReportRow("", "total", made.count, None, made.total, made.tax, made.discount)
    lines.append(csv_line([whole.key, whole.label, whole.count, *_cells(whole)]))
    name = f"sales-by-{made.by}-{made.from_date}-{made.to_date}.csv"
    return Download(io.BytesIO(b"".join(lines)), "text/csv; charset=utf-8", name)


def _cells(row: ReportRow) -> list[object]:
    return [figure(one) for one in (row.quantity, row.total, row.tax, row.discount)]


def _sold(work: Work, query: ReportQuery, sale: sa.Subquery) -> sa.ColumnElement[bool]:
    """The sales of the period that stand, of places where the reader works."""
    return sa.and_(_of(work, query, sale), sale.c.was_completed, sale.c.status != "voided")


def _of(work: Work, query: ReportQuery, table: sa.Subquery) -> sa.ColumnElement[bool]:
    """What belongs to the period and to places where the reader works."""
    here = sa.and_(
        table.c.business_id == work.business_id,
        table.c.business_date.between(query.from_date, query.to_date),
        work.here(table.c.location_id),
    )
    return here if query.location_id is None else sa.and_(here, table.c.location_id == query.location_id)


def _figures(sale: sa.Subquery) -> list[sa.Label[Any]]:
    return [
        sa.func.count().label("count"),
        sa.func.sum(sale.c.total).label("total"),
        sa.func.sum(sale.c.tax_total).label("tax"),
        sa.func.sum(sale.c.discount_total).label("discount"),
    ]


async def _whole(work: Work, query: ReportQuery) -> Sum:
    sale = sale_columns()
    return _sum("", "", (await work.execute(sa.select(*_figures(sale)).where(_sold(work, query, sale)))).one())


async def _grouped(work: Work, query: ReportQuery, sale: sa.Subquery, *keys: Any) -> Sequence[Any]:
    statement = sa.select(*keys, *_figures(sale)).where(_sold(work, query, sale)).group_by(*keys)
    return (await work.execute(statement)).all()


async def _by_day(work: Work, query: ReportQuery) -> list[Sum]:
    sale = sale_columns()
    found = await _grouped(work, query, sale, sale.c.business_date)
    return [_sum(str(row[0]), str(row[0]), row) for row in sorted(found, key=lambda row: row[0])]


async def _by_cashier(work: Work, query: ReportQuery) -> list[Sum]:
    sale = sale_columns()
    found = await _grouped(work, query, sale, sale.c.cashier_id, sale.c.cashier_name)
    return [_sum(str(row[0] or ""), row[1], row) for row in found]


async def _by_location(work: Work, query: ReportQuery) -> list[Sum]:
    sale, place = sale_columns(), Location.__table__.c
    found = await _grouped(work, query, sale, sale.c.location_id)
    named = await work.execute(sa.select(place.id, place.name).where(place.business_id == work.business_id))
    names = {row.id: row.name for row in named.all()}
    return [_sum(str(row[0]), names[row[0]], row) for row in found]


async def _by_weekday(work: Work, query: ReportQuery) -> list[Sum]:
    days = await _by_day(work, query)
    return _gathered(days, lambda one: dt.date.fromisoformat(one.key).weekday(), DAYS)


async def _by_hour(work: Work, query: ReportQuery) -> list[Sum]:
    """By the hour of the clock in the business's zone."""
    sale = sale_columns()
    seconds = sa.cast(sa.extract("epoch", sale.c.sold_at), sa.BigInteger())
    quarter = (seconds - seconds % QUARTER_S).label("quarter")
    found = await _grouped(work, query, sale, quarter)
    zone = ZoneInfo(work.shop.zone)
    quarters = [_sum(str(dt.datetime.fromtimestamp(int(row.quarter), zone).hour), "", row) for row in found]
    return _gathered(quarters, lambda one: int(one.key), [f"{hour:02}:00" for hour in range(24)])


async def _by_product(work: Work, query: ReportQuery) -> list[Sum]:
    sale, line = sale_columns(), sale_line_columns()
    joined = sa.and_(line.c.business_id == sale.c.business_id, line.c.sale_id == sale.c.id)
    statement = (
        sa.select(
            line.c.product_id,
            sa.func.max(line.c.name).label("name"),
            sa.func.count(line.c.sale_id.distinct()).label("count"),
            sa.func.sum(line.c.base_quantity).label("quantity"),
            sa.func.sum(line.c.total).label("total"),
            sa.func.sum(line.c.tax).label("tax"),
        )
        .select_from(sale.join(line, joined))
        .where(_sold(work, query, sale))
        .group_by(line.c.product_id)
    )
    found: Sequence[Any] = (await work.execute(statement)).all()
    return [
        Sum(str(row.product_id), row.name, int(row.count), int(row.total), int(row.tax), None, int(row.quantity))
        for row in found
    ]


async def _by_method(work: Work, query: ReportQuery) -> list[Sum]:
    """Money by its way: what came in the period, less what went back in it."""
    sums: list[Sum] = []
    for table, sign in ((captured_payments(), 1), (made_refunds(), -1)):
        statement = sa.select(table.c.method, sa.func.count(), sa.func.sum(table.c.amount)).where(
            _of(work, query, table)
        )
        found: Sequence[Any] = (await work.execute(statement.group_by(table.c.method))).all()
        sums += [
            Sum(method, method, int(count) if sign > 0 else 0, sign * int(amount)) for method, count, amount in found
        ]
    methods = sorted({one.key for one in sums})
    return [_added([one for one in sums if one.key == method], method, method) for method in methods]


_READ: Final[Mapping[By, Callable[[Work, ReportQuery], Awaitable[list[Sum]]]]] = {
    "day": _by_day,
    "hour": _by_hour,
    "weekday": _by_weekday,
    "product": _by_product,
    "cashier": _by_cashier,
    "location": _by_location,
    "method": _by_method,
}


def _sum(key: str, label: str, row: Any) -> Sum:
    return Sum(key, label, int(row.count), int(row.total or 0), int(row.tax or 0), int(row.discount or 0))


def _gathered(sums: Sequence[Sum], place_of: Callable[[Sum], int], labels: Sequence[str]) -> list[Sum]:
    """Sums put together by a number, each under its label."""
    places = sorted({place_of(one) for one in sums})
    return [_added([one for one in sums if place_of(one) == place], str(place), labels[place]) for place in places]


def _added(sums: Sequence[Sum], key: str, label: str) -> Sum:
    def of(name: str) -> int | None:
        values = [getattr(one, name) for one in sums]
        return None if None in values else sum(values)

    return Sum(key, label, of("count") or 0, of("total") or 0, of("tax"), of("discount"))


def _average(by: By, whole: Sum, exponent: int) -> str | None:
    """What a sale came to; nothing of ways of paying, whose counts are of payments and leave out what went back."""
    if by == "method" or not whole.count:
        return None
    return format_amount(round_ratio(whole.total, whole.count), exponent)


def _shown(one: Sum, exponent: int) -> ReportRow:
    amounts = [None if value is None else format_amount(value, exponent) for value in (one.tax, one.discount)]
    quantity = None if one.quantity is None else format_micro(one.quantity)
    return ReportRow(one.key, one.label, one.count, quantity, format_amount(one.total, exponent), *amounts)
