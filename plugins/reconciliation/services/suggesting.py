"""Payments that a line may be, where nothing proves it: of the same amount, near in time, the likeliest first."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.api import stated_payments
from plugins.reconciliation.rules.likeness import closeness, is_same_payer
from plugins.reconciliation.schemas.differences import CandidateOut
from plugins.reconciliation.services.pairing import free

NEAR: Final = dt.timedelta(days=3)
MOST: Final = 10
LOOKED_AT: Final = 200


async def candidates(work: Work, difference: Any) -> list[CandidateOut]:
    """The payments that the line of a difference may be. Nothing is done by it: a person looks, and decides."""
    if difference.line_id is None or difference.kind not in ("missing_here", "duplicate"):
        return []
    p, at = stated_payments(), difference.occurred_at
    found = sa.select(p).where(
        p.c.business_id == work.business_id,
        p.c.amount == difference.amount,
        p.c.currency == difference.currency,
        p.c.kind != "cash",
        p.c.at.between(at - NEAR, at + NEAR),
        p.c.business_date.between((at - NEAR).date(), (at + NEAR).date()),
        free("payment", p),
        work.here(p.c.location_id),
    )
    rows = sorted(
        (await work.execute(found.order_by(p.c.id).limit(LOOKED_AT))).all(),
        key=lambda row: closeness(difference.payer, row.payer_phone, at, row.at),
    )
    return [_out(row, difference) for row in rows[:MOST]]


def _out(row: Any, difference: Any) -> CandidateOut:
    return CandidateOut(
        row.id,
        row.subject_kind,
        row.subject_id,
        row.subject_number,
        row.method,
        format_amount(row.amount, exponent(row.currency)),
        row.at,
        row.location_id,
        is_same_payer(difference.payer, row.payer_phone),
        round(abs((row.at - difference.occurred_at).total_seconds()) / 60),
    )
