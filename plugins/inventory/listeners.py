"""What inventory answers to the kernel's hooks: what must hold of stock, the count that is due, the demo's stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from kernel.custom import ListFilter
from kernel.hooks import Invariant, answers
from kernel.invariants import Rule
from kernel.plugin import CatchUp
from kernel.work import Work
from plugins.catalog.api import tracked_products
from plugins.inventory.models import Adjustment, Receipt
from plugins.inventory.services.demo import Demo, stock_the_shelves
from plugins.inventory.services.states import STOCK_STATE

_SUMS = (
    "(SELECT business_id, product_id, location_id, SUM(quantity) AS total FROM inventory_move"
    " GROUP BY business_id, product_id, location_id)"
)
_SAME_STOCK = "m.business_id = l.business_id AND m.product_id = l.product_id AND m.location_id = l.location_id"
_SAME_LINE = (
    "m.business_id = l.business_id AND m.document_id = d.id AND m.line = l.line AND m.product_id = l.product_id"
    " AND m.quantity = l.quantity AND m.location_id = d.location_id AND m.business_date = d.business_date"
)


def _moved_once(document: str) -> str:
    """Lines of a kind of document that are not exactly one move each."""
    return (
        f"SELECT l.business_id, d.number, l.line, COUNT(m.id) FROM inventory_{document}_line l"  # noqa: S608 - constants
        f" JOIN inventory_{document} d ON d.business_id = l.business_id AND d.id = l.{document}_id"
        f" LEFT JOIN inventory_move m ON {_SAME_LINE} AND m.document_kind = '{document}'"
        " GROUP BY l.business_id, d.number, l.line HAVING COUNT(m.id) <> 1"
    )


RULES: Final = (
    Rule(
        "a level is the sum of its moves",
        "SELECT l.business_id, l.product_id, l.location_id, l.on_hand, m.total FROM inventory_level l"  # noqa: S608
        f" LEFT JOIN {_SUMS} m ON {_SAME_STOCK} WHERE l.on_hand <> COALESCE(m.total, 0)"
        " UNION ALL"
        " SELECT m.business_id, m.product_id, m.location_id, l.on_hand, m.total"
        f" FROM {_SUMS} m LEFT JOIN inventory_level l ON {_SAME_STOCK} WHERE l.product_id IS NULL AND m.total <> 0",
    ),
    Rule(
        "no level is below zero, but of a product that may be, or might when it was taken",
        "SELECT l.business_id, l.product_id, l.location_id, l.on_hand FROM inventory_level l"  # noqa: S608
        " JOIN catalog_product p ON p.business_id = l.business_id AND p.id = l.product_id"
        " WHERE l.on_hand < 0 AND NOT p.allow_negative_stock AND NOT EXISTS (SELECT 1 FROM inventory_move m"
        f" WHERE {_SAME_STOCK} AND m.is_forced)",
    ),
    Rule("every line of a receipt is one move", _moved_once("receipt")),
    Rule("every line of an adjustment is one move", _moved_once("adjustment")),
    Rule(
        "every move by a receipt or an adjustment is a line of it",
        "SELECT m.business_id, m.id FROM inventory_move m"
        " LEFT JOIN inventory_receipt_line r ON r.business_id = m.business_id AND r.receipt_id = m.document_id"
        " AND r.line = m.line"
        " LEFT JOIN inventory_adjustment_line a ON a.business_id = m.business_id AND a.adjustment_id = m.document_id"
        " AND a.line = m.line"
        " WHERE (m.document_kind = 'receipt' AND r.line IS NULL)"
        " OR (m.document_kind = 'adjustment' AND a.line IS NULL)",
    ),
    Rule(
        "a move that takes another back is its opposite, in the same place",
        "SELECT m.business_id, m.id, m.reverses_id FROM inventory_move m LEFT JOIN inventory_move o"
        " ON o.business_id = m.business_id AND o.id = m.reverses_id"
        " WHERE m.reverses_id IS NOT NULL AND (o.id IS NULL OR o.quantity <> -m.quantity"
        " OR o.product_id <> m.product_id OR o.location_id <> m.location_id)",
    ),
    Rule(
        "goods leave with a sale and come in with receipts, voids and returns",
        "SELECT business_id, id, kind, quantity FROM inventory_move"
        " WHERE (kind = 'sale' AND quantity >= 0)"
        " OR (kind IN ('receipt', 'opening', 'void', 'return') AND quantity <= 0)"
        " OR (kind = 'void' AND reverses_id IS NULL)",
    ),
)


@answers
def invariants() -> Sequence[Invariant]:
    """What must hold of levels, moves and the documents behind them."""
    return RULES


@answers
def list_filters() -> Sequence[ListFilter]:
    """Products by how much of them there is."""
    return (STOCK_STATE,)


@answers
async def catching_up(work: Work) -> CatchUp | None:
    """An opening count, where nobody has said yet what stands on any shelf."""
    for model in (Receipt, Adjustment):
        first = sa.select(model.id).where(model.business_id == work.business_id).limit(1)
        if (await work.execute(first)).one_or_none() is not None:
            return None
    counted = len(await tracked_products(work))
    words = "Counted products, all of which begin with none; enter what stands there as goods received"
    return CatchUp(words, counted) if counted else None


@answers
async def seed_demo(demo: Demo) -> None:
    """Stock the shelves on the eve of the demo's month."""
    await stock_the_shelves(demo)
