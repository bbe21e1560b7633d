"""A stored sale as it is told to other plugins."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

from kernel.money import parse_amount
from kernel.work import Work
from plugins.payments.api import PaymentOut, payments_of
from plugins.sales.schemas.told import PlacedSale, SaleMoney, SoldLine
from plugins.sales.services.reading import line_rows
from plugins.sales.services.taxed import components_of, stored_terms

S = TypeVar("S", bound=PlacedSale)


async def as_told(
    work: Work,
    kind: type[S],
    row: Any,
    number: str,
    location_name: str,
    business_date: dt.date | None = None,
    sold_at: dt.datetime | None = None,
) -> S:
    """A stored sale with its lines and the payments whose money came, under a number; its own day if none is given."""
    lines = await line_rows(work, row.id)
    payments = (await payments_of(work, "sale", [row.id]))[row.id]
    return kind(
        id=row.id,
        number=number,
        location_id=row.location_id,
        register_id=row.register_id,
        customer_id=row.customer_id,
        channel=row.channel,
        business_date=business_date or row.business_date,
        sold_at=sold_at or row.sold_at,
        currency=row.currency,
        exponent=work.shop.exponent,
        lines=tuple(_sold(line) for line in lines),
        payments=tuple(money for paid in payments if (money := _money(paid, work.shop.exponent)).amount),
        subtotal=row.subtotal,
        discount_total=row.discount_total,
        tax_total=row.tax_total,
        rounding=row.rounding,
        total=row.total,
        cashier_id=row.cashier_id,
        cashier_name=row.cashier_name,
        location_name=location_name,
        ext=row.ext,
        tax_terms=stored_terms(row.tax_terms),
        custom=row.custom,
    )


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
        tax_category=row.tax_category,
        taxes=components_of(row),
    )


def _money(paid: PaymentOut, exponent: int) -> SaleMoney:
    """What a sale took of a payment; nothing of one whose money has not come, or came when nobody wanted it."""
    tendered = None if paid.tendered is None else parse_amount(paid.tendered, exponent)
    change = parse_amount(paid.change or "0", exponent)
    came = parse_amount(paid.captured, exponent) - parse_amount(paid.surplus, exponent)
    return SaleMoney(paid.id, paid.method, came, tendered, change)
