"""What of a customer's is not finished."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.errors import StillOpen
from kernel.work import Work
from plugins.sales.models import Held, Sale


async def refuse_while_open(work: Work, customer_id: uuid.UUID) -> None:
    """Raise StillOpen while a sale of the customer waits for money, or a cart of theirs is set aside."""
    pending = sa.select(Sale.id).where(
        Sale.business_id == work.business_id, Sale.customer_id == customer_id, Sale.status == "pending"
    )
    if (await work.execute(pending.limit(1))).first():
        raise StillOpen("A sale of theirs waits for money; complete it or let it expire first")
    held = sa.select(Held.id).where(
        Held.business_id == work.business_id, Held.cart["customer_id"].as_string() == str(customer_id)
    )
    if (await work.execute(held.limit(1))).first():
        raise StillOpen("A cart of theirs is set aside; sell it or throw it away first")
