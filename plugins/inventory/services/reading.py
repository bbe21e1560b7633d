"""Levels, moves and documents looked up, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.errors import NotFound
from kernel.money import format_micro
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.api import product_columns, product_names, surely_fits
from plugins.inventory.models import Adjustment, AdjustmentLine, Level, Move, Receipt, ReceiptLine
from plugins.inventory.schemas import (
    AdjustmentLineOut,
    AdjustmentOut,
    AdjustmentSummary,
    DocumentQuery,
    LevelOut,
    LevelQuery,
    LowStockOut,
    LowStockQuery,
    MoveOut,
    MoveQuery,
    Person,
    ProductExt,
    ReceiptLineOut,
    ReceiptOut,
    ReceiptSummary,
    StockOf,
    StockOut,
)
from plugins.inventory.services.documents import cost_text
from plugins.inventory.services.places import open_place


async def list_levels(work: Work, query: LevelQuery) -> Page[LevelOut]:
    """Levels by the product's name."""
    product = product_columns()
    statement = (
        sa.select(Level.product_id, product.c.sku, product.c.name, Level.location_id, Level.on_hand, Level.reserved)
        .join(product, sa.and_(product.c.business_id == Level.business_id, product.c.id == Level.product_id))
        .where(Level.business_id == work.business_id, *_same(Level, query, "location_id", "product_id"))
        .where(product.c.name >= "")  # always so; it has SQLite begin with the names, not sort by them
    )
    if query.q and query.q.strip():
        statement = statement.where(surely_fits(query.q, work.business_id, Level.product_id))
    order = [product.c.name, product.c.id, Level.location_id]
    return await page(work, statement, query, order=order, make=_level)


async def stock_of(work: Work, query: StockOf) -> list[StockOut]:
    """What there is of some products together; those that never stood anywhere are left out. Raises NotFound."""
    known = await product_names(work, query.product_ids)
    for place, product_id in enumerate(query.product_ids):
        if product_id not in known:
            raise NotFound.at(f"/product_ids/{place}", "There is no such product")
    if query.location_id is not None:
        await open_place(work, query.location_id)
    statement = (
        sa.select(Level.product_id, sa.func.sum(Level.on_hand), sa.func.sum(Level.reserved))
        .where(
            Level.business_id == work.business_id,
            Level.product_id.in_(query.product_ids),
            work.here(Level.location_id),
            *_same(Level, query, "location_id"),
        )
        .group_by(Level.product_id)
    )
    found: Sequence[Any] = (await work.execute(statement)).all()
    return [
        StockOut(product_id, *(format_micro(int(value)) for value in (on_hand, reserved, on_hand - reserved)))
        for product_id, on_hand, reserved in found
    ]


async def list_moves(work: Work, query: MoveQuery) -> Page[MoveOut]:
    """Moves, newest first."""
    product = product_columns()
    statement = (
        sa.select(Move.__table__, product.c.sku, product.c.name)
        .join(product, sa.and_(product.c.business_id == Move.business_id, product.c.id == Move.product_id))
        .where(
            Move.business_id == work.business_id,
            *_same(Move, query, "product_id", "location_id", "kind", "document_id"),
            *_days(Move, query),
        )
    )
    return await page(work, statement, query, order=[Move.id], make=lambda row: _move(work, row), descending=True)


async def list_receipts(work: Work, query: DocumentQuery) -> Page[ReceiptSummary]:
    """Receipts, newest first."""
    statement = sa.select(Receipt.__table__).where(
        Receipt.business_id == work.business_id, *_same(Receipt, query, "location_id"), *_days(Receipt, query)
    )
    return await page(work, statement, query, order=[Receipt.id], make=_receipt, descending=True)


async def get_receipt(work: Work, receipt_id: UUID) -> ReceiptOut:
    """A receipt with its lines. Raises NotFound."""
    head = _receipt(receipt := await work.get(Receipt, receipt_id))
    found = await work.execute(
        sa.select(ReceiptLine.__table__)
        .where(ReceiptLine.business_id == work.business_id, ReceiptLine.receipt_id == receipt_id)
        .order_by(ReceiptLine.line)
    )
    lines = [
        ReceiptLineOut(
            row.line, row.product_id, row.sku, row.name, format_micro(row.quantity), cost_text(work, row.unit_cost)
        )
        for row in found
    ]
    return ReceiptOut(
        head.id,
        head.number,
        head.kind,
        head.location_id,
        head.supplier,
        receipt.note,
        head.at,
        head.business_date,
        head.by,
        lines,
    )


async def list_adjustments(work: Work, query: DocumentQuery) -> Page[AdjustmentSummary]:
    """Adjustments, newest first."""
    statement = sa.select(Adjustment.__table__).where(
        Adjustment.business_id == work.business_id, *_same(Adjustment, query, "location_id"), *_days(Adjustment, query)
    )
    return await page(work, statement, query, order=[Adjustment.id], make=_adjustment, descending=True)


async def get_adjustment(work: Work, adjustment_id: UUID) -> AdjustmentOut:
    """An adjustment with its lines. Raises NotFound."""
    head = _adjustment(await work.get(Adjustment, adjustment_id))
    found = await work.execute(
        sa.select(AdjustmentLine.__table__)
        .where(AdjustmentLine.business_id == work.business_id, AdjustmentLine.adjustment_id == adjustment_id)
        .order_by(AdjustmentLine.line)
    )
    lines = [
        AdjustmentLineOut(row.line, row.product_id, row.sku, row.name, format_micro(row.quantity)) for row in found
    ]
    return AdjustmentOut(
        head.id, head.number, head.location_id, head.reason, head.at, head.business_date, head.by, lines
    )


async def list_low_stock(work: Work, query: LowStockQuery) -> Page[LowStockOut]:
    """Active, counted products of which no more is available than their minimum, by name; also what never came."""
    product = product_columns()
    here = [Level.business_id == work.business_id, work.here(Level.location_id), *_same(Level, query, "location_id")]
    left = (
        sa.select(Level.product_id, sa.func.sum(Level.on_hand - Level.reserved).label("available"))
        .where(*here)
        .group_by(Level.product_id)
        .subquery()
    )
    available = sa.cast(sa.func.coalesce(left.c.available, 0), sa.BigInteger)
    statement = (
        sa.select(
            product.c.id,
            product.c.sku,
            product.c.name,
            product.c.min_stock,
            product.c.ext,
            available.label("available"),
        )
        .outerjoin(left, left.c.product_id == product.c.id)
        .where(
            product.c.business_id == work.business_id,
            product.c.is_active.is_(True),
            product.c.track_stock.is_(True),
            available <= product.c.min_stock,
        )
    )
    return await page(work, statement, query, order=[product.c.name, product.c.id], make=_low_stock)


def _same(table: Any, query: Any, *names: str) -> list[sa.ColumnElement[bool]]:
    """Conditions for the filters that were given; column and filter bear one name."""
    return [getattr(table, name) == given for name in names if (given := getattr(query, name)) is not None]


def _days(table: Any, query: Any) -> list[sa.ColumnElement[bool]]:
    found = []
    if query.from_date is not None:
        found.append(table.business_date >= query.from_date)
    if query.to_date is not None:
        found.append(table.business_date <= query.to_date)
    return found


def _level(row: Any) -> LevelOut:
    return LevelOut(
        row.product_id,
        row.sku,
        row.name,
        row.location_id,
        format_micro(row.on_hand),
        format_micro(row.reserved),
        format_micro(row.on_hand - row.reserved),
    )


def _move(work: Work, row: Any) -> MoveOut:
    return MoveOut(
        row.id,
        row.product_id,
        row.sku,
        row.name,
        row.location_id,
        format_micro(row.quantity),
        row.kind,
        row.document_kind,
        row.document_id,
        row.document_number,
        row.line,
        row.reason,
        cost_text(work, row.unit_cost),
        row.reverses_id,
        row.at,
        row.business_date,
        Person(row.by, row.by_name),
    )


def _receipt(row: Any) -> ReceiptSummary:
    return ReceiptSummary(
        row.id, row.number, row.kind, row.location_id, row.supplier, row.at, row.business_date, _by(row)
    )


def _adjustment(row: Any) -> AdjustmentSummary:
    return AdjustmentSummary(row.id, row.number, row.location_id, row.reason, row.at, row.business_date, _by(row))


def _by(row: Any) -> Person:
    return Person(row.by, row.by_name)


def _low_stock(row: Any) -> LowStockOut:
    shelf = (row.ext or {}).get("inventory", {}).get("shelf", ProductExt().shelf)
    return LowStockOut(row.id, row.sku, row.name, format_micro(row.available), format_micro(row.min_stock), shelf)
