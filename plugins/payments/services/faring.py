"""How gateways fare over all businesses of a region: for operators, who see sums and no business."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import businesses_in, look
from kernel.work import Deployment, Work
from plugins.payments.models import Account, Attempt, Health
from plugins.payments.schemas.regions import FareOut
from plugins.payments.services.accounts import installed

SPAN: Final = dt.timedelta(hours=24)
LAST: Final = 500
"""So many of the latest payments of a business are looked at."""
_A, _H, _P = Account.__table__.c, Health.__table__.c, Attempt.__table__.c
Counts = Counter[tuple[str, str, str]]
"""Gateway, mode and what is counted → how many."""


async def fares(deployment: Deployment) -> list[FareOut]:
    """Each gateway in each region and mode in which an account is open at it."""
    found = []
    for region in sorted({region for one in installed(deployment).values() for region in one.capabilities.regions}):
        counts: Counts = Counter()
        for business in await look(deployment, None, lambda work: businesses_in(work, region)):  # noqa: B023
            counts += await look(deployment, business, counted)
        found += [_fare(region, gateway, mode, counts) for gateway, mode in sorted({key[:2] for key in counts})]
    return found


async def counted(work: Work) -> Counts:
    """What one business has: accounts that are on, those of them that rest, the last day's payments, those paid."""
    resting = sa.exists().where(_H.business_id == _A.business_id, _H.account_id == _A.id, _H.closed_until > work.now)
    accounts = sa.select(_A.gateway, _A.mode, resting.label("rests")).where(
        _A.business_id == work.business_id, _A.is_on.is_(True)
    )
    latest = (
        sa.select(_P.gateway, _P.mode, _P.captured, _P.taken_at)
        .where(_P.business_id == work.business_id, _P.gateway.is_not(None), _P.direction == "in")
        .order_by(_P.id.desc())
        .limit(LAST)
    )
    counts: Counts = Counter()
    for row in (await work.execute(accounts)).all():
        counts += Counter({(row.gateway, row.mode, "accounts"): 1, (row.gateway, row.mode, "resting"): int(row.rests)})
    for row in (await work.execute(latest)).all():
        if row.taken_at >= work.now - SPAN:
            counts[row.gateway, row.mode, "payments"] += 1
            counts[row.gateway, row.mode, "paid"] += 1 if row.captured else 0
    return counts


def _fare(region: str, gateway: str, mode: Any, counts: Mapping[tuple[str, str, str], int]) -> FareOut:
    figures = {name: counts.get((gateway, mode, name), 0) for name in ("accounts", "resting", "payments", "paid")}
    return FareOut(region, gateway, mode, **figures)
