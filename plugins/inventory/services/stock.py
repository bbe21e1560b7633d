"""How stock moves: a move for each line and one change for each level, declared together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from msgspec import structs

from kernel.db import Prepared, among, new_id
from kernel.errors import DukaError
from kernel.work import ApprovalRequired, Ask, Work, may_knowingly
from plugins.inventory.errors import OutOfStock
from plugins.inventory.models import STOCK, Level, Move
from plugins.inventory.rules import wants
from plugins.inventory.schemas import Document, Goods, Want

OVERSELL = "inventory.oversell"


async def knowingly(work: Work, document: Document, goods: Sequence[Goods]) -> Sequence[Goods]:
    """Goods as they may be taken: though too little is there, where somebody means it and may, or has approved it."""
    if await may_knowingly(work, OVERSELL, words=_words(document), location_id=document.location_id):
        return [structs.replace(one, is_forced=True) for one in goods]
    return goods


def move_stock(work: Work, document: Document, goods: Sequence[Goods]) -> None:
    """Declare what a document does to stock.

    The flush raises OutOfStock, at the lines concerned, where less is available than the document takes of a product
    that not every one of its lines may force.
    """
    for one in goods:
        work.insert(Move, _move(document, one))
    for want in wants(goods):
        key = (want.product_id, document.location_id)
        if want.quantity <= 0:
            work.increment(STOCK, key, -want.quantity)
        else:
            refusal = None if want.is_forced else _refusal(work, want, document)
            work.decrement(STOCK, key, want.quantity, refusal)


def _refusal(work: Work, want: Want, document: Document) -> Callable[[int], DukaError]:
    """What is answered where too little is there: whoever means it all the same is told to ask for approval."""
    if work.origin.asks and not work.actor.may(OVERSELL):
        ask = Ask(OVERSELL, None, f"{_words(document)}: {want.name}", document.location_id)
        return lambda left: ApprovalRequired(ask)
    return partial(OutOfStock.at, want, place=document.place)


def _words(document: Document) -> str:
    return f"Let stock go below zero at {document.place}" if document.place else "Let stock go below zero"


_AVAILABLE = Prepared(
    sa.select(Level.product_id, (Level.on_hand - Level.reserved).label("available")).where(
        Level.business_id == sa.bindparam("business_id"),
        Level.location_id == sa.bindparam("location_id"),
        among(Level.product_id, "product_ids"),
    )
)


async def available(work: Work, location_id: UUID, product_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Tell what may be taken of some products at a location, scaled by MICRO; 0 where none ever stood.

    For showing only: a figure read is old by the time it is used, so never decide a sale by it.
    """
    wanted = list(product_ids)
    rows = await work.fetch(_AVAILABLE, location_id=location_id, product_ids=wanted)
    return dict.fromkeys(wanted, 0) | {row.product_id: row.available for row in rows}


def _move(document: Document, one: Goods) -> dict[str, object]:
    return {
        "id": new_id(),
        "product_id": one.product_id,
        "location_id": document.location_id,
        "quantity": one.quantity,
        "kind": document.kind,
        "document_kind": document.document_kind,
        "document_id": document.id,
        "document_number": document.number,
        "line": one.line,
        "reason": document.reason,
        "unit_cost": one.unit_cost,
        "is_forced": one.is_forced and one.quantity < 0,
        "reverses_id": one.reverses_id,
        "at": document.at,
        "business_date": document.business_date,
        "by": document.by_id,
        "by_name": document.by_name,
    }
