"""What a person must decide about money; of one kind about one thing at most one question is open."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.db import new_id, upsert
from kernel.work import Work
from plugins.payments.models import Review
from plugins.payments.schemas.reviews import ReviewKind

_V = Review.__table__.c


async def open_review(
    work: Work,
    kind: ReviewKind,
    about: uuid.UUID,
    *,
    words: str,
    attempt_id: uuid.UUID | None = None,
    money_id: uuid.UUID | None = None,
    notice_id: uuid.UUID | None = None,
    amount: int | None = None,
    currency: str | None = None,
) -> None:
    """Ask a person about something, unless they are asked already. about: its id."""
    row = {
        "business_id": work.business_id,
        "id": new_id(),
        "kind": kind,
        "about": about,
        "attempt_id": attempt_id,
        "money_id": money_id,
        "notice_id": notice_id,
        "amount": amount,
        "currency": currency,
        "words": words,
        "state": "open",
        "opened_at": work.now,
        "version": 1,
    }
    await work.execute(upsert(work.deployment.database, Review).values(row).on_conflict_do_nothing())


async def ask_about(work: Work, kind: ReviewKind, row: Any, amount: int | None, words: str) -> None:
    """Ask a person about a payment's row, and an amount of it in minor units, unless they are asked already."""
    await open_review(work, kind, row.id, attempt_id=row.id, amount=amount, currency=row.currency, words=words)


async def close_reviews(work: Work, about: uuid.UUID, kinds: Sequence[ReviewKind]) -> None:
    """Close what needs no decision any more: what happened since has answered it."""
    open_ones = sa.update(Review).where(
        _V.business_id == work.business_id, _V.about == about, _V.kind.in_(kinds), _V.state == "open"
    )
    by = {"resolved_at": work.now, "resolved_by": None, "resolved_by_name": work.actor.name}
    await work.execute(open_ones.values(state="resolved", resolution="settled", version=_V.version + 1, **by))
