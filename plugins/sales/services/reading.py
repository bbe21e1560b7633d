"""Look up sales: one whole, a list, today's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.custom import conditions, custom_fields, custom_filter, shown_values
from kernel.errors import NotFound
from kernel.money import format_amount, format_micro
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work, business_date
from plugins.payments.api import payments_of
from plugins.sales.models import Sale, SaleLine
from plugins.sales.schemas.answers import SaleNews, SaleOut, SaleRow, TodayOut, Trace
from plugins.sales.schemas.requests import ENTITY, SaleQuery, TodayQuery
from plugins.sales.services.shapes import cashier_of, in_words, row_out, stored_line_out
from plugins.sales.services.taxed import stored_taxes, stored_terms, totals_out

_SALE = Sale.__table__
_LINE = SaleLine.__table__


async def sale_row(work: Work, sale_id: uuid.UUID) -> Any:
    """A sale's stored row. Raises NotFound."""
    found = await work.execute(sa.select(_SALE).where(_SALE.c.business_id == work.business_id, _SALE.c.id == sale_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound
    work.see_location(row.location_id)
    return row


async def line_rows(work: Work, sale_id: uuid.UUID) -> list[Any]:
    """A sale's stored lines, in order."""
    found = await work.execute(
        sa.select(_LINE)
        .where(_LINE.c.business_id == work.business_id, _LINE.c.sale_id == sale_id)
        .order_by(_LINE.c.line)
    )
    return list(found.all())


async def find_sale(work: Work, sale_id: uuid.UUID) -> SaleOut:
    """A sale, whole. Raises NotFound."""
    return await whole_sale(work, await sale_row(work, sale_id))


async def whole_sale(work: Work, row: Any) -> SaleOut:
    """A sale by its stored row, with its lines and payments."""
    exponent = work.shop.exponent
    lines = await line_rows(work, row.id)
    payments = await payments_of(work, "sale", [row.id])
    return SaleOut(
        id=row.id,
        number=row.number,
        status=row.status,
        business_date=row.business_date,
        sold_at=row.sold_at,
        location_id=row.location_id,
        register_id=row.register_id,
        customer_id=row.customer_id,
        channel=row.channel,
        currency=row.currency,
        prices_include_tax=row.prices_include_tax,
        epoch=row.epoch,
        lines=[stored_line_out(line, exponent) for line in lines],
        subtotal=format_amount(row.subtotal, exponent),
        discount_total=format_amount(row.discount_total, exponent),
        tax_total=format_amount(row.tax_total, exponent),
        rounding=format_amount(row.rounding, exponent),
        total=format_amount(row.total, exponent),
        payments=payments.get(row.id, []),
        paid=format_amount(row.paid, exponent),
        change=format_amount(row.change, exponent),
        balance_due=format_amount(row.total + row.rounding - row.paid, exponent),
        cashier=cashier_of(row.cashier_id, row.cashier_name),
        note=row.note,
        ext=row.ext,
        order_number=row.order_number,
        expires_at=row.expires_at if row.status == "pending" else None,
        tax_terms=stored_terms(row.tax_terms),
        tax_totals=totals_out(stored_taxes(lines), exponent),
        voided_at=row.voided_at,
        voided_by=row.voided_by,
        void_reason=row.void_reason,
        custom=shown_values(await custom_fields(work, ENTITY), row.custom),
    )


async def news_of(work: Work, sale_id: uuid.UUID) -> SaleNews:
    """How a sale stands. Raises NotFound."""
    row, exponent = await sale_row(work, sale_id), work.shop.exponent
    return SaleNews(
        row.id,
        row.number,
        row.status,
        format_amount(row.paid, exponent),
        format_amount(row.total + row.rounding - row.paid, exponent),
        row.expires_at if row.status == "pending" else None,
        (await payments_of(work, "sale", [sale_id]))[sale_id],
    )


async def list_sales(work: Work, query: SaleQuery) -> Page[SaleRow]:
    """Sales, newest first."""
    statement = sa.select(_SALE).where(_SALE.c.business_id == work.shop.id)
    for name in ("business_date", "location_id", "register_id", "customer_id", "status", "number", "order_number"):
        wanted = getattr(query, name)
        if wanted is not None:
            statement = statement.where(_SALE.c[name] == wanted)
    if query.status not in (None, "completed"):
        statement = statement.where(
            _SALE.c.status != sa.literal_column("'completed'")
        )  # they have an index of their own
    custom = await custom_filter(work, ENTITY, query.custom)
    if own := conditions(ENTITY, _SALE.c.id, custom.shape):
        statement = statement.where(*own).params(business_id=work.business_id, **custom.parameters)
    return await page(
        work,
        statement,
        query,
        order=[_SALE.c.sold_at, _SALE.c.id],
        make=await _shown(work),
        descending=True,
    )


async def _shown(work: Work) -> Callable[[Any], SaleRow]:
    exponent, fields = work.shop.exponent, await custom_fields(work, ENTITY)
    return lambda row: row_out(row, exponent, fields)


async def todays_sales(work: Work, query: TodayQuery) -> TodayOut:
    """The sales of the business day that is running, with their sum. Raises NotFound for an unknown location."""
    zone, cutoff = work.shop.tz, 0
    statement = sa.select(_SALE).where(_SALE.c.business_id == work.shop.id, work.here(_SALE.c.location_id))
    if query.location_id is not None:
        place = await work.get(Location, query.location_id)
        zone, cutoff = ZoneInfo(place.zone), place.day_cutoff
        statement = statement.where(_SALE.c.location_id == query.location_id)
    today = business_date(work.now, zone, cutoff)
    statement = statement.where(_SALE.c.business_date == today)
    sold = _SALE.c.status.not_in(("voided", "pending", "expired"))
    counted = sa.select(
        sa.func.count().filter(sold),
        sa.func.coalesce(sa.func.sum(_SALE.c.total).filter(sold), 0),
        sa.func.count().filter(_SALE.c.status == "voided"),
    ).where(statement.whereclause if statement.whereclause is not None else sa.true())
    count, total, voided = tuple((await work.execute(counted)).one())
    order = [_SALE.c.sold_at, _SALE.c.id]
    listed = await page(work, statement, query, order=order, make=await _shown(work), descending=True)
    shown = format_amount(int(total), work.shop.exponent)
    return TodayOut(today, count, shown, voided, listed.items, listed.next_cursor)


async def trace_line(work: Work, sale_id: uuid.UUID, line: int) -> Trace:
    """Why a line of a sale costs what it does. Raises NotFound."""
    row = await sale_row(work, sale_id)
    lines = [one for one in await line_rows(work, sale_id) if one.line == line]
    if not lines:
        raise NotFound
    shown = stored_line_out(lines[0], work.shop.exponent)
    words = in_words(shown.steps, row.currency, work.shop.region)
    return Trace(
        sale_id, row.number, line, shown.name, format_micro(lines[0].quantity), shown.total, shown.steps, words
    )
