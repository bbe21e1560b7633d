"""The payments of documents, for those who show them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, among
from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.models import Attempt
from plugins.payments.schemas.answers import PaymentOut

_A = Attempt.__table__.c
_OF_SUBJECTS = Prepared(
    sa.select(
        _A.id,
        _A.subject_id,
        _A.method,
        _A.amount,
        _A.tendered,
        _A.change,
        _A.currency,
        _A.state,
        _A.reference,
        _A.captured,
        _A.refundable,
    )
    .where(
        _A.business_id == sa.bindparam("business_id"),
        _A.subject_kind == sa.bindparam("kind"),
        among(_A.subject_id, "subjects"),
    )
    .order_by(_A.subject_id, _A.id)
)


async def payments_of(work: Work, subject_kind: str, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[PaymentOut]]:
    """The payments of subjects, in the order they were taken; every id has a list."""
    found: dict[uuid.UUID, list[PaymentOut]] = {id_: [] for id_ in ids}
    for row in await work.fetch(_OF_SUBJECTS, kind=subject_kind, subjects=list(ids)):
        found[row.subject_id].append(_shown(row))
    return found


def _shown(row: Any) -> PaymentOut:
    digits = exponent(row.currency)
    return PaymentOut(
        row.id,
        row.method,
        format_amount(row.amount, digits),
        None if row.tendered is None else format_amount(row.tendered, digits),
        format_amount(row.change, digits),
        row.state,
        row.reference,
        format_amount(row.captured - row.refundable, digits),
    )
