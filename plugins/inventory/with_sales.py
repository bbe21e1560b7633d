"""What inventory does when goods are sold, and when a sale is taken back."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.hooks import answers
from kernel.work import Work
from plugins.inventory.models import Move
from plugins.inventory.schemas import Document, Goods
from plugins.inventory.services import move_stock, place_name
from plugins.sales.schemas.told import CompletedSale, VoidedSale


@answers
async def sale_completed(work: Work, sale: CompletedSale) -> None:
    """Take what was sold from the location's stock; too little of a product refuses the sale with OutOfStock."""
    goods = [
        Goods(line.product_id, line.name, line.line, -line.base_quantity, line.allow_negative_stock, line.cost_price)
        for line in sale.lines
        if line.track_stock
    ]
    if not goods:
        return
    document = Document(
        "sale",
        "sale",
        sale.id,
        sale.number,
        sale.location_id,
        await place_name(work, sale.location_id),
        sale.sold_at,
        sale.business_date,
        sale.cashier_id,
        sale.cashier_name,
    )
    move_stock(work, document, goods)


_TAKEN = Prepared(
    sa.select(Move.id, Move.product_id, Move.line, Move.quantity, Move.unit_cost, Move.document_number)
    .where(
        Move.business_id == sa.bindparam("business_id"),
        Move.document_id == sa.bindparam("document_id"),
        Move.document_kind == "sale",
        Move.kind == "sale",
    )
    .order_by(Move.line)
)


@answers
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Put back what the sale took. A sale made while inventory was off took nothing, so nothing comes back."""
    sale = void.sale
    names = {line.line: line.name for line in sale.lines}
    goods = [
        Goods(row.product_id, names.get(row.line, ""), row.line, -row.quantity, True, row.unit_cost, row.id)
        for row in await work.fetch(_TAKEN, document_id=sale.id)
    ]
    document = Document(
        "void",
        "sale",
        sale.id,
        sale.number,
        sale.location_id,
        "",
        void.voided_at,
        void.business_date,
        void.voided_by,
        void.voided_by_name,
        void.reason,
    )
    move_stock(work, document, goods)
