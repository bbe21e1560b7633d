"""What sales do where there are payment links: a sale that waits for its money may be paid by one."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.hooks import answers
from kernel.work import Work
from plugins.payment_links.api import document_ended
from plugins.payment_links.hooks import Payable
from plugins.sales.models import Sale
from plugins.sales.schemas.told import CancelledSale, VoidedSale

_KIND = "sale"
_S = Sale.__table__.c


@answers
async def find_payable(work: Work, kind: str, id_: uuid.UUID) -> Payable | None:
    """A sale, and what it waits for."""
    if kind != _KIND:
        return None
    due = (_S.total + _S.rounding - _S.paid).label("due")
    columns = (_S.number, _S.status, _S.location_id, _S.customer_id, due)
    found = sa.select(*columns).where(_S.business_id == work.business_id, _S.id == id_)
    row = (await work.execute(found)).one_or_none()
    if row is None or not work.actor.works_at(row.location_id):
        return None
    return Payable(row.number, row.due if row.status == "pending" else 0, row.location_id, row.customer_id)


@answers
async def sale_cancelled(work: Work, cancel: CancelledSale) -> None:
    """Nobody pays by its link any more."""
    await document_ended(work, _KIND, cancel.sale.id, cancel.reason)


@answers
async def sale_voided(work: Work, void: VoidedSale) -> None:
    """Nobody pays by its link any more."""
    await document_ended(work, _KIND, void.sale.id, void.reason)
