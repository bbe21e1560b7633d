"""Sales as answers show them: from the values at hand, or from stored rows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from kernel.custom import Field, shown_values
from kernel.money import format_amount, format_micro, format_price, show_text
from plugins.catalog.api import Sellable
from plugins.sales.schemas.answers import Cashier, LineOut, SaleRow, TaxOut
from plugins.sales.schemas.values import Line, PricedLine, Step


def line_out(line: Line, good: Sellable, cost: PricedLine, exponent: int, barcode: str | None) -> LineOut:
    """A line that has just been priced."""
    return LineOut(
        line=line.line,
        product_id=line.product_id,
        name=line.name,
        sku=line.sku,
        barcode=barcode,
        pack=good.pack.name if good.pack else None,
        quantity=format_micro(line.quantity),
        unit_price=format_price(cost.unit_price, exponent),
        gross=format_amount(cost.gross, exponent),
        discount=format_amount(cost.discount, exponent),
        net=format_amount(cost.net, exponent),
        tax=format_amount(cost.tax, exponent),
        total=format_amount(cost.total, exponent),
        taxes=[
            TaxOut(
                tax.code,
                format_micro(tax.rate),
                format_amount(tax.amount, exponent),
                format_amount(tax.taxable, exponent),
            )
            for tax in cost.components
        ],
        steps=list(cost.steps),
        tax_category=line.treatment.category,
        tax_codes=dict(line.treatment.codes),
    )


def stored_line_out(row: Any, exponent: int) -> LineOut:
    """A line as it was stored."""
    return LineOut(
        line=row.line,
        product_id=row.product_id,
        name=row.name,
        sku=row.sku,
        barcode=row.barcode,
        pack=row.pack,
        quantity=format_micro(row.quantity),
        unit_price=format_price(row.unit_price, exponent),
        gross=format_amount(row.gross, exponent),
        discount=format_amount(row.discount, exponent),
        net=format_amount(row.net, exponent),
        tax=format_amount(row.tax, exponent),
        total=format_amount(row.total, exponent),
        taxes=[
            TaxOut(
                tax["code"],
                tax["rate"],
                format_amount(tax["amount"], exponent),
                format_amount(tax["taxable"], exponent) if "taxable" in tax else None,
            )
            for tax in row.taxes
        ],
        steps=msgspec.convert(row.steps, list[Step]),
        tax_category=row.tax_category,
        tax_codes=row.tax_codes or {},
    )


def row_out(row: Any, exponent: int, fields: Sequence[Field]) -> SaleRow:
    """A sale in a list. fields: of the shop's own, on sales."""
    return SaleRow(
        id=row.id,
        number=row.number,
        status=row.status,
        business_date=row.business_date,
        sold_at=row.sold_at,
        location_id=row.location_id,
        register_id=row.register_id,
        customer_id=row.customer_id,
        total=format_amount(row.total, exponent),
        cashier=cashier_of(row.cashier_id, row.cashier_name),
        order_number=row.order_number,
        custom=shown_values(fields, row.custom),
    )


def cashier_of(id_: uuid.UUID | None, name: str) -> Cashier:
    """Who sold."""
    return Cashier(id_, name)


def in_words(steps: list[Step], currency: str, region: str) -> list[str]:
    """The steps of a price, in sentences a cashier understands."""
    said = []
    for step in steps:
        why = f" ({step.reason})" if step.reason else ""
        if step.before is None:
            said.append(f"List price {show_text(step.after, currency, region)}{why}")
        else:
            before, after = (show_text(each, currency, region) for each in (step.before, step.after))
            said.append(f"{step.rule}: {before} → {after}{why}")
    return said
