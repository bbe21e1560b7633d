"""What the day book tells reconciliation: expenses, since what was spent from the till is not in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from kernel.hooks import answers
from kernel.work import Work
from plugins.daybook.models import Expense
from plugins.reconciliation.api import Spent

_X = Expense.__table__.c


@answers
async def money_spent(work: Work, business_date: dt.date) -> Sequence[Spent]:
    """The expenses of the day by location and method, less those that were reversed on it."""
    signed = sa.case((_X.reverses_id.is_(None), _X.amount), else_=-_X.amount)
    found = (
        sa.select(_X.location_id, _X.method, sa.func.sum(signed).label("amount"))
        .where(_X.business_id == work.business_id, _X.business_date == business_date)
        .group_by(_X.location_id, _X.method)
    )
    return [Spent(row.location_id, row.method, int(row.amount)) for row in await work.execute(found)]
