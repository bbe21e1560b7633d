"""A payment by itself as answers show it, with all that became known of it."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.models import Attempt, Event, Refund
from plugins.payments.schemas.answers import EventOut, PaymentFacts, PaymentWhole
from plugins.payments.services.declaring_refunds import refund_out
from plugins.payments.services.reading import payment_out

_E, _R = Event.__table__.c, Refund.__table__.c


async def whole_payment(work: Work, payment_id: uuid.UUID) -> PaymentWhole:
    """A payment with its facts and refunds. Raises NotFound."""
    payment = await work.get(Attempt, payment_id)
    events = sa.select(Event.__table__).where(_E.business_id == work.business_id, _E.attempt_id == payment_id)
    refunds = sa.select(Refund.__table__).where(_R.business_id == work.business_id, _R.attempt_id == payment_id)
    return PaymentWhole(
        **structs.asdict(facts_out(payment)),
        events=[_event(row, payment.currency) for row in await work.execute(events.order_by(_E.id))],
        refunds=[refund_out(row) for row in await work.execute(refunds.order_by(_R.id))],
    )


def facts_out(row: Any) -> PaymentFacts:
    """A payment's row as a list shows it."""
    digits, said = exponent(row.currency), payment_out(row)
    return PaymentFacts(
        row.id,
        row.subject_kind,
        row.subject_id,
        row.subject_number,
        row.method,
        row.gateway,
        row.mode,
        format_amount(row.amount, digits),
        None if row.tendered is None else format_amount(row.tendered, digits),
        format_amount(row.change, digits),
        row.currency,
        row.state,
        format_amount(row.captured, digits),
        format_amount(row.captured - row.refundable, digits),
        row.reference,
        row.flags,
        row.location_id,
        row.register_id,
        row.customer_id,
        row.business_date,
        row.taken_at,
        row.taken_by_name,
        said.fault,
        said.show,
        said.expires_at,
    )


def _event(row: Any, currency: str) -> EventOut:
    amount = None if row.amount is None else format_amount(row.amount, exponent(row.currency or currency))
    ids = {"refund_id": str(row.refund_id)} if row.refund_id else {}
    return EventOut(
        row.id, row.kind, row.source, amount, row.currency, ids | (row.provider_ids or {}), row.at, row.code, row.words
    )
