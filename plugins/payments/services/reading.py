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
from plugins.payments.rules import FINAL, GIVEN_UP, UNVERIFIED
from plugins.payments.schemas.answers import PaymentNews, PaymentOut, ShowOut
from plugins.payments.services.declaring_refunds import fault_out

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
        _A.applied,
        _A.fault,
        _A.show,
        _A.expires_at,
        _A.flags,
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
        found[row.subject_id].append(payment_out(row))
    return found


def payment_out(row: Any) -> PaymentOut:
    """A payment's row as a part of its document."""
    digits = exponent(row.currency)
    is_open = row.state not in FINAL
    return PaymentOut(
        row.id,
        row.method,
        format_amount(row.amount, digits),
        None if row.tendered is None else format_amount(row.tendered, digits),
        format_amount(row.change, digits),
        row.state,
        row.reference,
        format_amount(row.captured - row.refundable, digits),
        fault_out(row.fault) if not row.captured else None,
        show_out(row.show) if is_open else None,
        row.expires_at if is_open else None,
        GIVEN_UP in row.flags,
        format_amount(row.captured, digits),
        format_amount(row.captured - row.applied, digits),
        UNVERIFIED in row.flags,
    )


async def news_of(work: Work, payment_id: uuid.UUID) -> PaymentNews:
    """How a payment stands. Raises NotFound."""
    said = payment_out(await work.get(Attempt, payment_id))
    return PaymentNews(
        said.id,
        said.method,
        said.status,
        said.amount,
        said.captured,
        said.refunded,
        said.fault,
        said.show,
        said.expires_at,
        said.given_up,
    )


def show_out(show: dict[str, Any] | None) -> ShowOut | None:
    """What a payer does next, as it was stored."""
    return None if not show else ShowOut(show["kind"], show.get("words") or "", show.get("text") or "")
