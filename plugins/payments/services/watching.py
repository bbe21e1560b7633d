"""Gateways on trial: how payments at the tills that try them fare beside others, over all businesses of a region."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import act, businesses_in, look
from kernel.work import Deployment, Work
from plugins.payments.models import Attempt, RegionGateway
from plugins.payments.rules import Tally, is_trial_till, why_trial_fails
from plugins.payments.services.switching import Where, held, write

log = logging.getLogger("duka.payments")
LAST: Final = 100
"""So many of the latest payments of a business are looked at: no shop outweighs the others by its size."""
DUE: Final = dt.timedelta(minutes=10)
"""A payment that brought no money by then counts as one that failed."""
_A, _R = Attempt.__table__.c, RegionGateway.__table__


async def trials_of(work: Work, region: str | None = None) -> Sequence[Any]:
    """The rows of gateways that are on trial. region: only there."""
    on = sa.select(_R).where(_R.c.is_on.is_(True), _R.c.canary_percent.is_not(None))
    return (await work.execute(on if region is None else on.where(_R.c.region == region))).all()


async def judge_trials(deployment: Deployment, region: str) -> None:
    """Look at every trial of a region, and end those that fare clearly worse."""
    businesses = await look(deployment, None, lambda work: businesses_in(work, region))
    for trial in await look(deployment, None, lambda work: trials_of(work, region)):
        await _judge(deployment, trial, businesses)


async def _judge(deployment: Deployment, trial: Any, businesses: Iterable[uuid.UUID]) -> None:
    tried = others = Tally()
    for business in businesses:
        own, rest = await look(deployment, business, lambda work: tallies(work, trial))
        tried, others = _sum((tried, own)), _sum((others, rest))
    why = why_trial_fails(tried, others)
    if why is not None:
        await act(deployment, None, lambda work: end_trial(work, trial, why), deed="payments.watch_canaries")


async def tallies(work: Work, trial: Any) -> tuple[Tally, Tally]:
    """Of the business's latest payments by gateways since the trial began: those on trial, and those at other tills."""
    latest = (
        sa.select(_A.gateway, _A.mode, _A.register_id, _A.location_id, _A.captured)
        .where(
            _A.business_id == work.business_id,
            _A.gateway.is_not(None),
            _A.direction == "in",
            _A.mode == trial.mode,
            _A.taken_at >= trial.canary_since,
            sa.or_(_A.captured > 0, _A.taken_at <= work.now - DUE),
        )
        .order_by(_A.id.desc())
        .limit(LAST)
    )
    tried, others = Tally(), Tally()
    for row in (await work.execute(latest)).all():
        one = Tally(1, 1 if row.captured else 0)
        if not is_trial_till(row.register_id or row.location_id, trial.gateway, trial.canary_percent):
            others = _sum((others, one))
        elif row.gateway == trial.gateway:
            tried = _sum((tried, one))
    return tried, others


async def end_trial(work: Work, trial: Any, why: str) -> None:
    """Switch off what is on trial, unless somebody changed it meanwhile."""
    where = Where(trial.region, trial.gateway, trial.mode)
    before = await held(work, where)
    if before["version"] != trial.version:
        return
    await write(work, where, before, {"is_on": False, "rolled_back_at": work.now, "rolled_back_why": why})
    work.audit(reason=why)
    log.warning("the trial of %s in %s (%s) was ended: %s", trial.gateway, trial.region, trial.mode, why)


def _sum(tallies: Iterable[Tally]) -> Tally:
    parts = list(tallies)
    return Tally(sum(one.ended for one in parts), sum(one.paid for one in parts))
