"""Money that a person has seen, and that no statement shows."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.models import Attempt, Money
from plugins.payments.rules import UNVERIFIED
from plugins.payments.services.reviews import open_review

_A, _M = Attempt.__table__.c, Money.__table__.c
_AT_ONCE: Final = 500


async def ask_about_unverified(work: Work, account_id: uuid.UUID, before: dt.datetime) -> int:
    """Ask a person about payments whose money only a person has seen, before an instant; returns how many were found.

    For who has read the statements up to then. A later statement that shows the money answers the question.
    """
    await work.write()
    unproved = (
        sa.select(_A.id, _A.captured, _A.currency, _M.money_key)
        .join(Money.__table__, sa.and_(_M.business_id == _A.business_id, _M.attempt_id == _A.id))
        .where(
            _A.business_id == work.business_id,
            _A.account_id == account_id,
            _M.known_by == "hand",
            _M.claimed_at < before,
        )
        .order_by(_A.id)
        .limit(_AT_ONCE)
    )
    rows = (await work.execute(unproved)).all()
    for row in rows:
        await open_review(
            work,
            UNVERIFIED,
            row.id,
            attempt_id=row.id,
            amount=row.captured,
            currency=row.currency,
            words=f"Somebody said that it came as {row.money_key}, and no statement shows it",
        )
    return len(rows)
