"""What stands in the tables of payments, as tests look at it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.models import Attempt


async def rows(box: Box, model: Any, shop: str = "mama-njeri") -> list[Any]:
    """Every row of a table, oldest first."""

    async def read(work: Work) -> list[Any]:
        table = model.__table__
        here = sa.select(table).where(table.c.business_id == work.business_id)
        return list((await work.execute(here.order_by(*table.primary_key.columns))).all())

    return await box.look(read, shop=shop)


async def the(box: Box, payment_id: uuid.UUID) -> Any:
    """The row of a payment."""
    return next(row for row in await rows(box, Attempt) if row.id == payment_id)
