"""The two documents that move stock by themselves: goods taken in, and stock corrected."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import format_micro, format_price, parse_micro
from kernel.work import Work
from plugins.catalog.api import StockFacts, stock_facts
from plugins.inventory.models import Adjustment, AdjustmentLine, Receipt, ReceiptLine
from plugins.inventory.rules import faults_in
from plugins.inventory.schemas import (
    AdjustmentIn,
    AdjustmentLineOut,
    AdjustmentOut,
    Document,
    Goods,
    MoveKind,
    Person,
    ReceiptIn,
    ReceiptKind,
    ReceiptLineOut,
    ReceiptOut,
)
from plugins.inventory.services.places import Place, open_place
from plugins.inventory.services.stock import knowingly, move_stock


async def receive_goods(work: Work, data: ReceiptIn, kind: ReceiptKind = "receipt") -> ReceiptOut:
    """Take goods in at a location. Raises Invalid for a place or lines that cannot be."""
    place = await open_place(work, data.location_id)
    quantities = [parse_micro(line.quantity) for line in data.lines]
    products = await _products(work, [line.product_id for line in data.lines], quantities)
    document = _document(work, place, kind, "receipt", "GR")
    goods = [
        Goods(
            line.product_id,
            product.name,
            number,
            quantity,
            product.allow_negative_stock,
            None if line.unit_cost is None else parse_micro(line.unit_cost),
        )
        for number, (line, product, quantity) in enumerate(zip(data.lines, products, quantities, strict=True), 1)
    ]
    work.insert(Receipt, _row(document) | {"kind": kind, "supplier": data.supplier, "note": data.note})
    for one, product in zip(goods, products, strict=True):
        work.insert(ReceiptLine, _line_row("receipt_id", document, one, product) | {"unit_cost": one.unit_cost})
    move_stock(work, document, goods)
    work.audit(subject=f"inventory.receipt:{document.id}", location_id=place.id)
    return ReceiptOut(
        document.id,
        document.number,
        kind,
        place.id,
        data.supplier,
        data.note,
        document.at,
        document.business_date,
        _by(document),
        [
            ReceiptLineOut(
                one.line, one.product_id, p.sku, p.name, format_micro(one.quantity), cost_text(work, one.unit_cost)
            )
            for one, p in zip(goods, products, strict=True)
        ],
    )


async def adjust_stock(work: Work, data: AdjustmentIn) -> AdjustmentOut:
    """Correct stock by signed quantities. Raises Invalid as a receipt does; OutOfStock at the flush."""
    place = await open_place(work, data.location_id)
    quantities = [parse_micro(line.quantity) for line in data.lines]
    products = await _products(work, [line.product_id for line in data.lines], quantities)
    document = _document(work, place, "adjustment", "adjustment", "AD", data.reason)
    goods = [
        Goods(product.id, product.name, number, quantity, product.allow_negative_stock)
        for number, (product, quantity) in enumerate(zip(products, quantities, strict=True), 1)
    ]
    work.insert(Adjustment, _row(document) | {"reason": data.reason})
    for one, product in zip(goods, products, strict=True):
        work.insert(AdjustmentLine, _line_row("adjustment_id", document, one, product))
    move_stock(work, document, await knowingly(work, document, goods))
    work.audit(subject=f"inventory.adjustment:{document.id}", reason=data.reason, location_id=place.id)
    return AdjustmentOut(
        document.id,
        document.number,
        place.id,
        data.reason,
        document.at,
        document.business_date,
        _by(document),
        [
            AdjustmentLineOut(one.line, one.product_id, product.sku, product.name, format_micro(one.quantity))
            for one, product in zip(goods, products, strict=True)
        ],
    )


def cost_text(work: Work, cost: int | None) -> str | None:
    """A cost in words."""
    return None if cost is None else format_price(cost, work.shop.exponent)


async def _products(work: Work, ids: Sequence[UUID], quantities: Sequence[int]) -> list[StockFacts]:
    """The product of each line. Raises NotFound with every unknown one, else Invalid with every fault of every line."""
    known = await stock_facts(work, ids)
    if faults := faults_in(list(zip(ids, quantities, strict=True)), known):
        if missing := [fault for fault in faults if fault.code == "not-found"]:
            raise NotFound(missing[0].detail, faults=missing)
        raise Invalid(faults[0].detail, faults=faults)
    return [known[id_] for id_ in ids]


def _document(work: Work, place: Place, kind: MoveKind, document_kind: str, letters: str, reason: str = "") -> Document:
    """A document of now. Its series is named by its prefix, so that no number comes twice if locations change codes."""
    prefix = f"{letters}-{place.code.upper()}-"
    return Document(
        kind,
        document_kind,
        new_id(),
        work.number(f"inventory:{prefix}", prefix),
        place.id,
        place.name,
        work.now,
        place.today,
        work.actor.id,
        work.actor.name,
        reason,
    )


def _row(document: Document) -> dict[str, object]:
    return {
        "id": document.id,
        "number": document.number,
        "location_id": document.location_id,
        "at": document.at,
        "business_date": document.business_date,
        "by": document.by_id,
        "by_name": document.by_name,
    }


def _line_row(owner: str, document: Document, one: Goods, product: StockFacts) -> dict[str, object]:
    return {
        owner: document.id,
        "line": one.line,
        "product_id": one.product_id,
        "sku": product.sku,
        "name": product.name,
        "quantity": one.quantity,
    }


def _by(document: Document) -> Person:
    return Person(document.by_id, document.by_name)
