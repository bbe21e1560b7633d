"""What inventory does when goods are sold or kept for a sale, when it is taken back, and when it missed that."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.jobs import job
from kernel.plugin import CatchUp
from kernel.work import Work
from plugins.inventory.models import Adjustment, Move, Receipt
from plugins.inventory.schemas import Document, Goods
from plugins.inventory.services import knowingly, move_stock
from plugins.sales.api import CancelledSale, PlacedSale, VoidedSale, sale_columns, sale_line_columns, take_part

JOB: Final = "inventory.catch_up"
BATCH: Final = 100
"""Sales whose goods are taken off in one deed."""


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
async def catching_up(work: Work) -> CatchUp | None:
    """The counted products that were sold while inventory was off."""
    sale, line = _missed(work), sale_line_columns()
    same = sa.and_(line.c.business_id == work.business_id, line.c.sale_id == sale.c.id, line.c.track_stock)
    counted = sa.select(
        sa.func.count(sa.distinct(line.c.product_id)).label("products"),
        sa.func.count(sa.distinct(sale.c.id)).label("sales"),
    )
    row = (await work.execute(counted.select_from(sale.join(line, same)))).one()
    if not row.products:
        return None
    words = (
        f"Counted products sold while inventory was off, in sales ({row.sales}) whose goods now leave the shelf,"
        " below zero where too little stood; goods that came in meanwhile are for you to enter"
    )
    return CatchUp(words, row.products)


@answers
async def switched_on(work: Work) -> None:
    """Have it taken off the shelf."""
    first = sa.select(Receipt.id).where(Receipt.business_id == work.business_id).limit(1)
    corrected = sa.select(Adjustment.id).where(Adjustment.business_id == work.business_id).limit(1)
    for known in (first, corrected):
        if (await work.execute(known)).one_or_none() is not None:
            work.later(JOB, {})
            return


@job(JOB)
async def catch_up(work: Work, payload: Mapping[str, Any]) -> None:
    """Take off what the next sales sold while inventory was off. payload: `from`, the business date to go on from.

    The sales are held first and looked at again then: one that is voided at the same time gives back what was taken
    for it, or is not taken for at all; one that another process has just taken for is left out.
    """
    start = dt.date.fromisoformat(payload.get("from", dt.date.min.isoformat()))
    sale = _missed(work)
    in_turn = (sale.c.business_date, sale.c.recorded_at, sale.c.id)
    page = sa.select(sale.c.id, sale.c.business_date).where(sale.c.business_date >= start).order_by(*in_turn)
    found = (await work.execute(page.limit(BATCH))).all()
    if found:
        ids = [row.id for row in found]
        await take_part(work, "inventory", ids)
        await _take_for(work, ids)
    if len(found) == BATCH:
        work.later(JOB, {"from": found[-1].business_date.isoformat()})


async def _take_for(work: Work, ids: Sequence[uuid.UUID]) -> None:
    sale, line = _missed(work), sale_line_columns()
    sales = (
        await work.execute(sa.select(sale).where(sale.c.id.in_(ids)).order_by(sale.c.recorded_at, sale.c.id))
    ).all()
    of_them = sa.and_(line.c.business_id == work.business_id, line.c.sale_id.in_(ids), line.c.track_stock)
    lines = (await work.execute(sa.select(line).where(of_them).order_by(line.c.sale_id, line.c.line))).all()
    by_sale = {id_: list(some) for id_, some in itertools.groupby(lines, key=lambda row: row.sale_id)}
    for row in sales:
        goods = [
            Goods(one.product_id, one.name, one.line, -one.base_quantity, True, one.cost_price)
            for one in by_sale[row.id]
        ]
        move_stock(work, _as_placed(row), goods)


def _as_placed(row: Any) -> Document:
    """A stored sale as the document it was when its goods left: an order, if it waited for its money."""
    waited = row.order_number is not None
    return Document(
        "sale",
        "sale",
        row.id,
        row.order_number if waited else row.number,
        row.location_id,
        "",
        row.recorded_at if waited else row.sold_at,
        row.order_date if waited else row.business_date,
        row.cashier_id,
        row.cashier_name,
    )


def _missed(work: Work) -> sa.Subquery:
    """Sales that stand and took nothing, though they sold counted goods where stock was known.

    It is known at a location from its first receipt or adjustment on; what was sold there before came from a shelf that
    nobody had counted. A sale that was taken back meanwhile took nothing and gave nothing back.
    """
    sale, line, known = sale_columns(), sale_line_columns(), _known_since(work)
    counted = sa.and_(line.c.business_id == sale.c.business_id, line.c.sale_id == sale.c.id, line.c.track_stock)
    moved = sa.and_(Move.business_id == sale.c.business_id, Move.document_id == sale.c.id, Move.kind == "sale")
    here = sa.and_(known.c.location_id == sale.c.location_id, known.c.since <= sale.c.recorded_at)
    return (
        sa.select(sale)
        .join(known, here)
        .where(
            sale.c.business_id == work.business_id,
            sale.c.status.in_(("completed", "pending")),
            sa.exists().where(counted),
            ~sa.exists().where(moved),
        )
        .subquery()
    )


def _known_since(work: Work) -> sa.Subquery:
    """Locations with the instant from which their stock is known."""
    said = sa.union_all(
        *(
            sa.select(model.location_id, model.at).where(model.business_id == work.business_id)
            for model in (Receipt, Adjustment)
        )
    ).subquery()
    return sa.select(said.c.location_id, sa.func.min(said.c.at).label("since")).group_by(said.c.location_id).subquery()


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
