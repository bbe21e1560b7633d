"""The API of stock, below /api/v1/inventory."""

from __future__ import annotations

from uuid import UUID

from kernel.web import command, query
from kernel.wire import Page, Reply
from kernel.work import ApprovalNotValid, ApprovalRequired, Work
from plugins.inventory import services
from plugins.inventory.errors import OutOfStock
from plugins.inventory.schemas import (
    AdjustmentIn,
    AdjustmentOut,
    AdjustmentSummary,
    DocumentQuery,
    LevelOut,
    LevelQuery,
    LowStockOut,
    LowStockQuery,
    MoveOut,
    MoveQuery,
    ReceiptIn,
    ReceiptOut,
    ReceiptSummary,
    StockOf,
    StockOut,
)


@query("/levels", permission="inventory.see")
async def list_levels(work: Work, query: LevelQuery) -> Page[LevelOut]:
    """What stands of each product at each location."""
    return await services.list_levels(work, query)


@query("/stock", method="POST", permission="inventory.see")
async def stock_of(work: Work, data: StockOf) -> list[StockOut]:
    """What there is of some products together, over the places where one works or at one of them."""
    return await services.stock_of(work, data)


@query("/moves", permission="inventory.see")
async def list_moves(work: Work, query: MoveQuery) -> Page[MoveOut]:
    """Every move of stock, newest first.

    A level is the sum of its moves. `unit_cost` is left out for those who may not see costs.
    """
    return await services.list_moves(work, query)


@query("/low-stock", permission="inventory.see")
async def list_low_stock(work: Work, query: LowStockQuery) -> Page[LowStockOut]:
    """Products of which no more is available than their minimum.

    Counted over all locations, or at one. Products without a minimum never stand here.
    """
    return await services.list_low_stock(work, query)


@query("/receipts", permission="inventory.see")
async def list_receipts(work: Work, query: DocumentQuery) -> Page[ReceiptSummary]:
    """Goods that were taken in, newest first."""
    return await services.list_receipts(work, query)


@query("/receipts/{receipt_id}", permission="inventory.see")
async def get_receipt(work: Work, receipt_id: UUID) -> ReceiptOut:
    """One receipt with its lines."""
    return await services.get_receipt(work, receipt_id)


@command("POST", "/receipts", permission="inventory.receive", moves=True, read_first=True)
async def receive_goods(work: Work, data: ReceiptIn) -> Reply[ReceiptOut]:
    """Take goods in at a location.

    Quantities count in the product's own unit. A product may stand on several lines. A receipt is never changed:
    correct it by an adjustment.
    """
    made = await services.receive_goods(work, data)
    return Reply(made, location=f"/api/v1/inventory/receipts/{made.id}")


@query("/adjustments", permission="inventory.see")
async def list_adjustments(work: Work, query: DocumentQuery) -> Page[AdjustmentSummary]:
    """Corrections of stock, newest first."""
    return await services.list_adjustments(work, query)


@query("/adjustments/{adjustment_id}", permission="inventory.see")
async def get_adjustment(work: Work, adjustment_id: UUID) -> AdjustmentOut:
    """One adjustment with its lines."""
    return await services.get_adjustment(work, adjustment_id)


@command(
    "POST",
    "/adjustments",
    permission="inventory.adjust",
    moves=True,
    read_first=True,
    errors=(ApprovalNotValid, ApprovalRequired, OutOfStock),
)
async def adjust_stock(work: Work, data: AdjustmentIn) -> Reply[AdjustmentOut]:
    """Correct the stock of a location, by more (positive) or less (negative) of each product.

    The lines of one product are taken together. Nothing goes below what is available, unless the product allows it.
    """
    made = await services.adjust_stock(work, data)
    return Reply(made, location=f"/api/v1/inventory/adjustments/{made.id}")
