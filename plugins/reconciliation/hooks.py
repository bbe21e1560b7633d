"""The hooks that reconciliation calls: books say what else became of money that the till took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kernel.hooks import spec
from kernel.work import Work
from plugins.reconciliation.schemas.told import Spent


@spec(failing="skip", budget_ms=3_000)
async def money_spent(work: Work, business_date: dt.date) -> Sequence[Spent] | None:
    """Say what was paid out of the till on a business day for other things than refunds.

    When: while somebody looks whether a day's takings are all there. Answer: sums by location and method, in minor
    units. You may read; write nothing. Errors: what you know is left out, and the cash seems to be short by it.
    Since: 0.1. Not for: refunds, which payments tells of, and cash that was taken to the bank.
    """
