"""Take a sale back, whole, on its own business day."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth.models import Location
from kernel.money import parse_amount
from kernel.work import Work, business_date
from plugins.payments.api import Place as PaidAt
from plugins.payments.api import Subject, give_back, payments_of
from plugins.sales.errors import NotVoidable
from plugins.sales.hooks import sale_voided
from plugins.sales.models import Sale
from plugins.sales.schemas.answers import SaleOut
from plugins.sales.schemas.told import CompletedSale, SaleMoney, SoldLine, VoidedSale
from plugins.sales.services.reading import find_sale, line_rows, sale_row


async def void_sale(work: Work, sale_id: uuid.UUID, reason: str) -> SaleOut:
    """Void a sale: its money goes back, every plugin that took part undoes its share; number and rows stay.

    Raises NotFound, NotVoidable when it is not completed or its business day is over.
    """
    row = await sale_row(work, sale_id)
    place = await work.get(Location, row.location_id)
    today = business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)
    if row.business_date != today:
        raise NotVoidable(f"{row.number} belongs to {row.business_date}; take it back as a return")
    await _mark(work, row, reason)
    paid_at = PaidAt(row.location_id, row.register_id, row.business_date, row.customer_id)
    sale = await completed_sale(work, row, place.name)
    await give_back(work, Subject("sale", row.id, row.number), reason, None, paid_at, also=row.plugins)
    void = VoidedSale(sale, reason, work.now, today, work.actor.id, work.actor.name)
    await work.tell_also(row.plugins, sale_voided, work=work, void=void)
    work.audit(subject=f"sale:{sale_id}", reason=reason)
    await work.flush()
    return await find_sale(work, sale_id)


async def completed_sale(work: Work, row: Any, location_name: str) -> CompletedSale:
    """A stored sale as it was told when it was completed."""
    lines = await line_rows(work, row.id)
    payments = await payments_of(work, "sale", [row.id])
    return CompletedSale(
        id=row.id,
        number=row.number,
        location_id=row.location_id,
        register_id=row.register_id,
        customer_id=row.customer_id,
        channel=row.channel,
        business_date=row.business_date,
        sold_at=row.sold_at,
        currency=row.currency,
        exponent=work.shop.exponent,
        lines=tuple(_sold(line) for line in lines),
        payments=tuple(_money(paid, work.shop.exponent) for paid in payments.get(row.id, [])),
        subtotal=row.subtotal,
        discount_total=row.discount_total,
        tax_total=row.tax_total,
        rounding=row.rounding,
        total=row.total,
        cashier_id=row.cashier_id,
        cashier_name=row.cashier_name,
        location_name=location_name,
        ext=row.ext,
    )


async def _mark(work: Work, row: Any, reason: str) -> None:
    """Move the sale to voided, once: of two voids at the same time one finds nothing to move."""
    moved = await work.execute(
        sa.update(Sale)
        .where(Sale.business_id == work.business_id, Sale.id == row.id, Sale.status == "completed")
        .values(status="voided", voided_at=work.now, voided_by=work.actor.name, void_reason=reason)
    )
    if not moved.rowcount:
        raise NotVoidable(f"{row.number} is {row.status}")


def _sold(row: Any) -> SoldLine:
    return SoldLine(
        line=row.line,
        product_id=row.product_id,
        name=row.name,
        sku=row.sku,
        quantity=row.quantity,
        base_quantity=row.base_quantity,
        unit_price=row.unit_price,
        gross=row.gross,
        discount=row.discount,
        net=row.net,
        tax=row.tax,
        total=row.total,
        track_stock=row.track_stock,
        allow_negative_stock=row.allow_negative_stock,
        cost_price=row.cost_price,
    )


def _money(paid: Any, exponent: int) -> SaleMoney:
    tendered = None if paid.tendered is None else parse_amount(paid.tendered, exponent)
    change = parse_amount(paid.change or "0", exponent)
    return SaleMoney(paid.id, paid.method, parse_amount(paid.amount, exponent), tendered, change)
