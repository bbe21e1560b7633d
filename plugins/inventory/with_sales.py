"""What inventory does when goods are sold or kept for a sale, and when it is taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.work import Work
from plugins.inventory.models import Move
from plugins.inventory.schemas import Document, Goods
from plugins.inventory.services import knowingly, move_stock
from plugins.sales.api import CancelledSale, PlacedSale, VoidedSale


@answers
async def sale_placed(work: Work, sale: PlacedSale) -> None:
    """Take what is sold from the location's stock; too little of a product refuses the sale with OutOfStock.

    What a sale that waits for its money needs is taken too: nobody else can buy it meanwhile.
    """
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
        sale.location_name,
        sale.sold_at,
        sale.business_date,
        sale.cashier_id,
        sale.cashier_name,
    )
    move_stock(work, document, await knowingly(work, document, goods))


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
    """Put back what the sale took."""
    await _put_back(work, void.sale, void.voided_at, void.business_date, void.voided_by_name, void.reason)


@answers
async def sale_cancelled(work: Work, cancel: CancelledSale) -> None:
    """Put back what was kept for a sale whose money did not come."""
    by, why = cancel.cancelled_by_name, cancel.reason
    await _put_back(work, cancel.sale, cancel.cancelled_at, cancel.business_date, by, why)


async def _put_back(
    work: Work, sale: PlacedSale, at: dt.datetime, business_date: dt.date, by: str, reason: str
) -> None:
    """Reverse the sale's moves. A sale made while inventory was off took nothing, so nothing comes back."""
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
        at,
        business_date,
        work.actor.id,
        by,
        reason,
    )
    move_stock(work, document, goods)


@answers
def invariants() -> Sequence[Invariant]:
    """What must hold between sales and the moves they caused. Sales made while inventory was off have none."""
    same = "l.business_id = m.business_id AND l.sale_id = m.document_id AND l.line = m.line"
    return (
        Rule(
            "every move by a sale is a line of it, where and when it was sold",
            "SELECT m.business_id, m.document_number, m.line FROM inventory_move m"  # noqa: S608 - constants
            " LEFT JOIN sales_sale s ON s.business_id = m.business_id AND s.id = m.document_id"
            f" LEFT JOIN sales_line l ON {same} WHERE m.kind = 'sale' AND (s.id IS NULL OR l.line IS NULL"
            " OR l.product_id <> m.product_id OR l.base_quantity <> -m.quantity"
            " OR coalesce(s.order_number, s.number) <> m.document_number OR s.location_id <> m.location_id"
            " OR coalesce(s.order_date, s.business_date) <> m.business_date)",
        ),
        Rule(
            "a sale that moved any stock moved every counted line once",
            "SELECT l.business_id, l.sale_id, l.line, COUNT(m.id) FROM sales_line l"  # noqa: S608 - constants
            f" LEFT JOIN inventory_move m ON {same} AND m.kind = 'sale'"
            " WHERE l.track_stock AND EXISTS (SELECT 1 FROM inventory_move o WHERE o.business_id = l.business_id"
            " AND o.document_id = l.sale_id) GROUP BY l.business_id, l.sale_id, l.line HAVING COUNT(m.id) <> 1",
        ),
        Rule(
            "a voided or expired sale has given back what it took, others have not",
            "SELECT m.business_id, m.document_number, m.line, s.status, v.id FROM inventory_move m"
            " JOIN sales_sale s ON s.business_id = m.business_id AND s.id = m.document_id"
            " LEFT JOIN inventory_move v ON v.business_id = m.business_id AND v.reverses_id = m.id AND v.kind = 'void'"
            " WHERE m.kind = 'sale' AND (s.status IN ('voided', 'expired')) <> (v.id IS NOT NULL)",
        ),
    )
