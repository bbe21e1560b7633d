"""What happens at a till without a sale: the drawer opened, a line taken off a cart, a receipt printed again.

Each leaves a row that is never changed, with person, reason and till (promise P43). Voids, discounts and price changes
are deeds with rows of their own.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import BadDecimal, format_amount, format_micro, parse_amount, parse_micro
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.catalog.api import product_names
from plugins.sales.models import Register, Sale, TillEvent
from plugins.sales.schemas.till_events import TillEventIn, TillEventOut, TillEventQuery

_T = TillEvent.__table__.c
_NEEDS = {"line_deleted": "product_id", "reprint": "sale_id"}
"""What an event of a kind must name."""


async def note_event(work: Work, register_id: uuid.UUID, data: TillEventIn) -> TillEventOut:
    """Note what happened at a till. Raises NotFound for an unknown one, Invalid for what the kind needs and has not."""
    register = await work.get(Register, register_id)
    await _check(work, data)
    row = {
        "id": new_id(),
        "register_id": register.id,
        "location_id": register.location_id,
        "kind": data.kind,
        "reason": data.reason,
        "sale_id": data.sale_id,
        "product_id": data.product_id,
        "quantity": None if data.quantity is None else parse_micro(data.quantity),
        "amount": _minor(work, data.amount),
        "at": work.now,
        "by_id": work.actor.id,
        "by_name": work.actor.name,
    }
    work.insert(TillEvent, row)
    work.audit(
        subject=f"register:{register.id}",
        reason=data.reason,
        location_id=register.location_id,
        register_id=register.id,
        event=data.kind,
        event_id=row["id"],
    )
    return _out(work, TillEvent(business_id=work.business_id, **row))


async def list_events(work: Work, register_id: uuid.UUID, query: TillEventQuery) -> Page[TillEventOut]:
    """What happened at a till, newest first. Raises NotFound."""
    register = await work.get(Register, register_id)
    statement = sa.select(*_T).where(_T.business_id == work.business_id, _T.register_id == register.id)
    if query.kind is not None:
        statement = statement.where(_T.kind == query.kind)
    return await page(work, statement, query, order=[_T.at, _T.id], make=lambda row: _out(work, row), descending=True)


async def _check(work: Work, data: TillEventIn) -> None:
    needed = _NEEDS.get(data.kind)
    if needed is not None and getattr(data, needed) is None:
        raise Invalid.at(f"/{needed}", f"Say which, for {data.kind}", code="required")
    if data.product_id is not None and not await product_names(work, [data.product_id]):
        raise NotFound.at("/product_id", "There is no such product")
    if data.sale_id is not None:
        here = sa.select(Sale.id).where(Sale.business_id == work.business_id, Sale.id == data.sale_id)
        if (await work.execute(here)).first() is None:
            raise NotFound.at("/sale_id", "There is no such sale")


def _minor(work: Work, amount: str | None) -> int | None:
    try:
        return None if amount is None else parse_amount(amount, work.shop.exponent)
    except BadDecimal as fault:
        raise Invalid.at("/amount", f"The currency has {work.shop.exponent} decimals") from fault


def _out(work: Work, row: TillEvent) -> TillEventOut:
    return TillEventOut(
        row.id,
        row.register_id,
        row.location_id,
        row.kind,
        row.reason,
        row.sale_id,
        row.product_id,
        None if row.quantity is None else format_micro(row.quantity),
        None if row.amount is None else format_amount(row.amount, work.shop.exponent),
        row.at,
        row.by_id,
        row.by_name,
    )
