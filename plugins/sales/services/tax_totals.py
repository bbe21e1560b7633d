"""The tax of a period, summed from what stands in the lines: nothing is computed or rounded again (M4)."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import Location
from kernel.cells import figure
from kernel.errors import Invalid
from kernel.money import format_amount, parse_amount, parse_micro
from kernel.web import csv_line
from kernel.wire import Download
from kernel.work import Work
from plugins.sales.models import Sale, SaleLine
from plugins.sales.schemas.answers import CategoryTotal, PeriodTaxes, TaxTotal
from plugins.sales.schemas.requests import PeriodQuery

LONGEST = dt.timedelta(days=92)
"""The longest period: a quarter."""
COLUMNS: Final = ("kind", "code", "rate", "net", "tax", "total")
"""Of the table; `rate` is of taxes alone, whose `net` is what they were taken of."""
_S, _L = Sale.__table__.c, SaleLine.__table__.c
_SOLD = _S.status.not_in(("voided", "pending", "expired"))


async def tax_totals(work: Work, query: PeriodQuery) -> PeriodTaxes:
    """The tax of what was sold from a business day to another, both inclusive; voided sales count for nothing.

    Raises Invalid for a period that ends before it begins or is too long, NotFound for an unknown location.
    """
    if not dt.timedelta() <= query.to_date - query.from_date <= LONGEST:
        raise Invalid.at("?to_date", f"The period is 1 to {LONGEST.days + 1} days")
    if query.location_id is not None:
        await work.get(Location, query.location_id)
    lines = _lines(work, query)
    categories = await _by_category(work, lines)
    return PeriodTaxes(query.from_date, query.to_date, query.location_id, categories, await _by_tax(work, lines))


async def tax_table(work: Work, query: PeriodQuery) -> Download:
    """The same as a table: categories, their sums, then each tax at each rate. Raises as `tax_totals`."""
    found = await tax_totals(work, query)
    rows: list[tuple[object, ...]] = [
        COLUMNS,
        *(("category", one.category, None, *map(figure, (one.net, one.tax, one.total))) for one in found.categories),
        ("total", None, None, *map(figure, _sums(found, work.shop.exponent))),
        *(("tax", one.code, *map(figure, (one.rate, one.taxable, one.amount)), None) for one in found.taxes),
    ]
    name = f"taxes-{work.shop.slug}-{query.from_date}-{query.to_date}.csv"
    return Download(io.BytesIO(b"".join(map(csv_line, rows))), "text/csv; charset=utf-8", name)


def _sums(found: PeriodTaxes, exponent: int) -> list[str]:
    """Net, tax and total of all categories."""
    return [
        format_amount(sum(parse_amount(getattr(one, name), exponent) for one in found.categories), exponent)
        for name in ("net", "tax", "total")
    ]


def _lines(work: Work, query: PeriodQuery) -> sa.Subquery:
    """The lines that count."""
    where = [
        _S.business_id == work.business_id,
        _S.business_date >= query.from_date,
        _S.business_date <= query.to_date,
        _SOLD,
        work.here(_S.location_id),
    ]
    if query.location_id is not None:
        where.append(_S.location_id == query.location_id)
    joined = sa.join(Sale.__table__, SaleLine.__table__, sa.and_(_L.business_id == _S.business_id, _L.sale_id == _S.id))
    columns = (_L.tax_category, _L.net, _L.tax, _L.total, _L.taxes)
    return sa.select(*columns).select_from(joined).where(*where).subquery()


async def _by_category(work: Work, lines: sa.Subquery) -> list[CategoryTotal]:
    sums = [sa.func.sum(lines.c[name]).label(name) for name in ("net", "tax", "total")]
    found = await work.execute(sa.select(lines.c.tax_category, *sums).group_by(lines.c.tax_category))
    exponent = work.shop.exponent
    rows = sorted(found.all(), key=lambda row: (row.tax_category is None, row.tax_category or ""))
    return [
        CategoryTotal(
            row.tax_category,
            format_amount(int(row.net), exponent),
            format_amount(int(row.tax), exponent),
            format_amount(int(row.total), exponent),
        )
        for row in rows
    ]


async def _by_tax(work: Work, lines: sa.Subquery) -> list[TaxTotal]:
    """Each tax at each rate; what it was taken of is the net of lines where that was not kept."""
    spread = sa.func.jsonb_array_elements if work.deployment.database.is_postgres else sa.func.json_each
    part: Any = spread(lines.c.taxes).table_valued("value")
    code, rate = part.c.value.op("->>")("code"), part.c.value.op("->>")("rate")
    amount = sa.cast(part.c.value.op("->>")("amount"), sa.BigInteger)
    taxable = sa.func.coalesce(sa.cast(part.c.value.op("->>")("taxable"), sa.BigInteger), lines.c.net)
    named = sa.select(
        code.label("code"), rate.label("rate"), taxable.label("taxable"), amount.label("amount")
    ).select_from(lines.join(part, sa.true()))
    each = named.subquery()
    found = await work.execute(
        sa.select(
            each.c.code,
            each.c.rate,
            sa.func.sum(each.c.taxable).label("taxable"),
            sa.func.sum(each.c.amount).label("amount"),
        ).group_by(each.c.code, each.c.rate)
    )
    exponent = work.shop.exponent
    rows = sorted(found.all(), key=lambda row: (row.code, parse_micro(row.rate)))
    figures = [(row, [format_amount(int(each), exponent) for each in (row.taxable, row.amount)]) for row in rows]
    return [TaxTotal(row.code, row.rate, *each) for row, each in figures]
