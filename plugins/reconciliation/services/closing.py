"""What follows once lines are matched: payments that a stated day lacks, payouts that are no sum, news of old lines."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.api import ask_about_unverified, provider_money
from plugins.reconciliation.models import Difference, Line, StatedDay
from plugins.reconciliation.rules.days import bounds_of
from plugins.reconciliation.services.opening import WORDS, clear_stated, insert_differences, open_missing_there
from plugins.reconciliation.services.opening import row_of as difference_row

LOOKED_BACK: Final = dt.timedelta(days=45)
DAYS_AT_ONCE: Final = 31
_D, _L, _X = StatedDay.__table__.c, Line.__table__.c, Difference.__table__.c


async def close_days(work: Work, source: Any) -> int:
    """Open what is missing of days that were stated whole and are past their grace; returns of how many days."""
    await clear_stated(work, source.id)
    mine = sa.and_(_D.business_id == work.business_id, _D.source_id == source.id)
    due = sa.select(_D.day).where(mine, _D.checked_at.is_(None))
    grace, count = dt.timedelta(days=source.grace_days), 0
    last: dt.datetime | None = None
    for row in (await work.execute(due.order_by(_D.day).limit(DAYS_AT_ONCE))).all():
        if bounds_of(row.day, source.zone).until + grace > work.now:
            continue
        await open_missing_there(work, source, row.day)
        await work.execute(sa.update(StatedDay).where(mine, _D.day == row.day).values(checked_at=work.now))
        last, count = bounds_of(row.day, source.zone).until, count + 1
    if last is not None and source.account_id is not None:
        await ask_about_unverified(work, source.account_id, last)
    return count


async def check_payouts(work: Work, source: Any) -> None:
    """Open payouts that are not the sum of the lines that belong to them, as far as all are stated."""
    part = Line.__table__.alias()
    due = (
        sa.select(part.c.settlement_id, sa.func.sum(part.c.net).label("due"))
        .where(part.c.business_id == work.business_id, part.c.source_id == source.id, part.c.kind != "payout")
        .where(part.c.settlement_id.is_not(None), part.c.occurred_at >= work.now - LOOKED_BACK)
        .group_by(part.c.settlement_id)
        .subquery()
    )
    found = (
        sa.select(Line.__table__, due.c.due)
        .select_from(Line.__table__.join(due, due.c.settlement_id == _L.settlement_id))
        .where(_L.business_id == work.business_id, _L.source_id == source.id, _L.kind == "payout")
        .where(_L.occurred_at >= work.now - LOOKED_BACK / 2, -_L.net != due.c.due)
    )
    rows = [
        {
            **difference_row(work, source, "settlement_diff", row.id, row.day, -row.net - int(row.due), row.currency),
            "line_id": row.id,
            "words": WORDS["settlement_diff"],
        }
        for row in (await work.execute(found)).all()
    ]
    await insert_differences(work, rows)


async def look_again(work: Work, source: Any) -> None:
    """Look anew at lines that nobody knew, where something of ours may be theirs by now."""
    waits = sa.exists().where(
        _X.business_id == _L.business_id, _X.line_id == _L.id, _X.state == "open", _X.kind == "missing_here"
    )
    mine = sa.and_(
        _L.business_id == work.business_id,
        _L.source_id == source.id,
        _L.outcome == "missing_here",
        _L.day >= (work.now - LOOKED_BACK).date(),
        waits,
    )
    if source.account_id is not None:
        m = provider_money()
        claimed = sa.exists().where(
            m.c.business_id == _L.business_id,
            m.c.account_id == source.account_id,
            m.c.money_key == _L.money_key,
            m.c.payment_id.is_not(None),
        )
        mine = sa.and_(mine, claimed)
    await work.execute(sa.update(Line).where(mine).values(outcome="new"))
