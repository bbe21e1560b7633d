"""Broken books do not go unseen, and books are not edited."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kernel.db import Base, new_id
from kernel.errors import DukaError
from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.inventory.models import AdjustmentLine, Level, Move, Receipt, ReceiptLine
from plugins.inventory.testing import stock

MOVE: dict[str, Any] = {
    "quantity": -1_000_000,
    "kind": "adjustment",
    "document_kind": "other",
    "document_number": "X-1",
    "line": 1,
    "reason": "",
    "unit_cost": None,
    "is_forced": False,
    "reverses_id": None,
    "at": dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
    "business_date": dt.date(2026, 11, 21),
    "by": None,
    "by_name": "Nobody",
}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, "a level is the sum of its moves"),
        ({"location_id": None}, "a level is the sum of its moves"),
        ({"quantity": -9_000_000, "level": -4_000_000}, "no level is below zero, but of a product that may be"),
        ({"kind": "receipt"}, "goods leave with a sale and come in with receipts"),
        ({"kind": "sale", "quantity": 1}, "goods leave with a sale and come in with receipts"),
        ({"kind": "void", "quantity": 1}, "goods leave with a sale and come in with receipts"),
        ({"document_kind": "receipt"}, "every move by a receipt or an adjustment is a line of it"),
        ({"document_kind": "adjustment"}, "every move by a receipt or an adjustment is a line of it"),
        ({"reverses_id": "missing"}, "a move that takes another back is its opposite"),
        ({"reverses_id": "receipt"}, "a move that takes another back is its opposite"),
        ({"kind": "sale", "document_kind": "sale"}, "every move by a sale is a line of it"),
    ],
)
async def test_a_stray_move_is_found(
    box_settings: Settings, registry: Registry, change: dict[str, Any], rule: str
) -> None:
    box = await open_box(box_settings, registry)
    rice, kilimani = await a_product(box), await box.location()
    await stock(box, rice, kilimani, "5")

    async def stray(work: Work) -> None:
        first = (await work.execute(sa.select(Move.id).where(Move.business_id == work.business_id))).scalar_one()
        ids = {"missing": new_id(), "receipt": first}
        values = MOVE | {"id": new_id(), "product_id": rice, "location_id": kilimani, "document_id": new_id()} | change
        values["location_id"] = values["location_id"] or new_id()
        values["reverses_id"] = ids.get(values["reverses_id"])
        level = values.pop("level", None)
        work.insert(Move, values)
        if level is not None:
            await work.execute(sa.update(Level).where(Level.product_id == rice).values(on_hand=level))

    await box.act(stray)
    faults = await broken(box.deployment)
    await box.close()
    assert any(fault.startswith(rule) for fault in faults), faults


@pytest.mark.parametrize("document", ["receipt", "adjustment"])
async def test_a_line_without_its_move_is_found(box_settings: Settings, registry: Registry, document: str) -> None:
    box = await open_box(box_settings, registry)
    rice, kilimani = await a_product(box), await box.location()
    receipt = await stock(box, rice, kilimani, "5")
    body = {"location_id": str(kilimani), "reason": "Found", "lines": [{"product_id": str(rice), "quantity": "1"}]}
    adjustment = (await box.client("owner").post("/api/v1/inventory/adjustments", body)).json()

    async def stray(work: Work) -> None:
        line = {"line": 2, "product_id": rice, "sku": "", "name": "", "quantity": 1}
        if document == "receipt":
            work.insert(ReceiptLine, {"receipt_id": receipt.id, "unit_cost": None, **line})
        else:
            work.insert(AdjustmentLine, {"adjustment_id": uuid.UUID(adjustment["id"]), **line})

    await box.act(stray)
    faults = await broken(box.deployment)
    await box.close()
    assert [fault.partition(":")[0] for fault in faults] == [
        f"every line of {'a receipt' if document == 'receipt' else 'an adjustment'} is one move"
    ]


@pytest.mark.parametrize("model", [Move, Receipt, ReceiptLine])
@pytest.mark.parametrize("way", ["update", "delete"])
async def test_moves_and_documents_are_never_edited(box: Box, model: type[Base], way: str) -> None:
    await stock(box, await a_product(box), await box.location(), "5")
    table = model.__table__
    mine = table.c.business_id == box.shop.id

    async def edit(work: Work) -> None:
        changed = sa.update(model).where(mine).values(business_id=box.shop.id)
        await work.execute(changed if way == "update" else sa.delete(model).where(mine))

    with pytest.raises((DukaError, IntegrityError)):
        await box.act(edit)
    rows = await box.look(lambda work: work.execute(sa.select(sa.func.count()).select_from(table).where(mine)))
    assert rows.scalar_one() == 1
