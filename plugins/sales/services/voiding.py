"""Take a sale back, whole, on its own business day."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.money import show_amount
from kernel.work import Work, business_date, in_micro, need_approval
from plugins.payments.api import Place as PaidAt
from plugins.payments.api import Subject, give_back
from plugins.sales.errors import NotVoidable
from plugins.sales.hooks import sale_voided
from plugins.sales.models import Sale
from plugins.sales.schemas.answers import SaleOut
from plugins.sales.schemas.told import CompletedSale, VoidedSale
from plugins.sales.services.reading import find_sale, sale_row
from plugins.sales.services.telling import as_told
from plugins.sales.services.waiting import cancel_pending


async def void_sale(work: Work, sale_id: uuid.UUID, reason: str) -> SaleOut:
    """Void a sale: its money goes back, every plugin that took part undoes its share; number and rows stay.

    One that is pending is given up, on whatever day. Raises NotFound, NotVoidable when it is neither pending nor
    completed, or its business day is over.
    """
    row = await sale_row(work, sale_id)
    await need_approval(
        work,
        "sales.void_amount",
        in_micro(work, row.total),
        words=f"Void {row.number} of {show_amount(row.total, row.currency, work.shop.region)}: {reason}",
        location_id=row.location_id,
        register_id=row.register_id,
    )
    if row.status == "pending":
        await cancel_pending(work, row, "voided", reason)
        await work.flush()
        return await find_sale(work, sale_id)
    place = await work.get(Location, row.location_id)
    today = business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)
    if row.business_date != today:
        raise NotVoidable(f"{row.number} belongs to {row.business_date}; take it back as a return")
    await _mark(work, row, reason)
    paid_at = PaidAt(row.location_id, row.register_id, row.business_date, row.customer_id)
    sale = await as_told(work, CompletedSale, row, row.number, place.name)
    await give_back(work, Subject("sale", row.id, row.number), reason, None, paid_at, also=row.plugins)
    void = VoidedSale(sale, reason, work.now, today, work.actor.id, work.actor.name)
    await work.tell_also(row.plugins, sale_voided, work=work, void=void)
    work.audit(subject=f"sale:{sale_id}", reason=reason, location_id=row.location_id, register_id=row.register_id)
    work.changed(Sale, sale_id, {"status": "completed"}, {"status": "voided"})
    await work.flush()
    return await find_sale(work, sale_id)


async def _mark(work: Work, row: Any, reason: str) -> None:
    """Move the sale to voided, once: of two voids at the same time one finds nothing to move."""
    moved = await work.execute(
        sa.update(Sale)
        .where(Sale.business_id == work.business_id, Sale.id == row.id, Sale.status == "completed")
        .values(
            status="voided",
            voided_at=work.now,
            voided_by=work.actor.name,
            void_reason=reason,
            version=Sale.version + 1,
        )
    )
    if not moved.rowcount:
        raise NotVoidable(f"It is {row.status}")
