"""Giving money back: never more than came in, however many try at once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import Prepared, new_id
from kernel.errors import Invalid, NotFound
from kernel.money import MICRO_DIGITS, exponent, format_amount, show_amount
from kernel.work import Work, business_date, check_register, need_approval
from plugins.payments.errors import RefundTooLarge
from plugins.payments.hooks import refund_made
from plugins.payments.models import REFUNDABLE, Attempt, Event, Refund
from plugins.payments.schemas.answers import RefundOut
from plugins.payments.schemas.requests import RefundIn
from plugins.payments.schemas.told import MadeRefund, Place, Subject
from plugins.payments.services.asking import amount_at

LARGEST = "payments.refund_amount"
"""The limit on what is given back of one payment by hand, all refunds together."""
_A = Attempt.__table__.c
_LEFT_OF_SUBJECT = Prepared(
    sa.select(
        _A.id,
        _A.method,
        _A.kind,
        _A.currency,
        _A.refundable,
        _A.customer_id,
    )
    .where(
        _A.business_id == sa.bindparam("business_id"),
        _A.subject_kind == sa.bindparam("kind"),
        _A.subject_id == sa.bindparam("subject"),
    )
    .order_by(_A.id)
)


async def give_back(
    work: Work,
    subject: Subject,
    reason: str,
    refunds: Sequence[tuple[uuid.UUID, int]] | None,
    place: Place,
    *,
    also: Iterable[str] = (),
) -> list[RefundOut]:
    """Declare refunds of a subject's payments, (payment id, minor units) each, and tell `refund_made` of each.

    None gives back all that is left of every payment. also: plugins to tell although they may be off today, because
    they took part in the original. However many refunds run at once, they never exceed what was captured: the flush
    raises RefundTooLarge. Raises NotFound for a payment of another subject. A payment must be written before it can be
    refunded: not in the same flush.
    """
    rows = {row.id: row for row in await work.fetch(_LEFT_OF_SUBJECT, kind=subject.kind, subject=subject.id)}
    if refunds is None:
        refunds = [(row.id, row.refundable) for row in rows.values() if row.refundable]
    if unknown := [payment_id for payment_id, _ in refunds if payment_id not in rows]:
        raise NotFound(f"There is no payment {unknown[0]} of this {subject.kind}")
    told = [_declare_refund(work, rows[payment_id], subject, amount, reason, place) for payment_id, amount in refunds]
    others = tuple(also)
    for refund in told:
        if others:
            await work.tell_also(others, refund_made, work=work, refund=refund)
        else:
            await work.tell(refund_made, work=work, refund=refund)
    return [_as_made(refund) for refund in told]


async def refund_one(work: Work, data: RefundIn) -> RefundOut:
    """Give money back for one payment by hand. Raises NotFound for an unknown payment or place, RefundTooLarge."""
    try:
        row = await work.get(Attempt, data.payment_id, to_change=work.actor.limit(LARGEST) is not None)
    except NotFound as fault:
        raise NotFound.at("/payment_id", "There is no such payment") from fault
    digits = exponent(row.currency)
    amount = row.refundable if data.amount is None else amount_at(data.amount, digits, "/amount")
    if not amount:
        raise RefundTooLarge.above(format_amount(0, digits))
    back = row.captured - row.refundable + amount
    await need_approval(
        work,
        LARGEST,
        back * 10 ** (MICRO_DIGITS - digits),
        words=f"Give back {show_amount(back, row.currency, work.shop.region)} of {row.subject_number}: {data.reason}",
        location_id=row.location_id,
        register_id=row.register_id,
    )
    location_id = data.location_id or row.location_id
    register_id = data.register_id if data.location_id or data.register_id else row.register_id
    if data.register_id is not None:
        await check_register(work, location_id, data.register_id)
    place = Place(location_id, register_id, await _business_day(work, location_id), row.customer_id)
    subject = Subject(row.subject_kind, row.subject_id, row.subject_number)
    [made] = await give_back(work, subject, data.reason, [(row.id, amount)], place)
    work.audit(
        subject=f"payment:{row.id}",
        reason=data.reason,
        location_id=location_id,
        register_id=register_id,
        refund=str(made.id),
        amount=made.amount,
    )
    return made


async def _business_day(work: Work, location_id: uuid.UUID) -> dt.date:
    try:
        location = await work.get(Location, location_id)
    except NotFound as fault:
        raise NotFound.at("/location_id", "There is no such location") from fault
    return business_date(work.now, ZoneInfo(location.zone), location.day_cutoff)


def _declare_refund(work: Work, row: Any, subject: Subject, amount: int, reason: str, place: Place) -> MadeRefund:
    """Declare one refund of a payment's row."""
    digits = exponent(row.currency)
    if amount <= 0:
        raise Invalid.at("/amount", "Must be above zero")
    work.decrement(
        REFUNDABLE, (row.id,), amount, or_raise=lambda left: RefundTooLarge.above(format_amount(left, digits))
    )
    at, refund_id = place.at or work.now, new_id()
    work.insert(
        Refund,
        {
            "id": refund_id,
            "attempt_id": row.id,
            "subject_kind": subject.kind,
            "subject_id": subject.id,
            "subject_number": subject.number,
            "method": row.method,
            "amount": amount,
            "currency": row.currency,
            "state": "done",
            "reason": reason,
            "location_id": place.location_id,
            "register_id": place.register_id,
            "business_date": place.business_date,
            "at": at,
            "made_by": work.actor.id,
            "made_by_name": work.actor.name,
        },
    )
    work.insert(
        Event,
        {
            "id": new_id(),
            "attempt_id": row.id,
            "kind": "refund_done",
            "source": "hand",
            "dedupe_key": None,
            "amount": amount,
            "currency": row.currency,
            "provider_ids": {"refund_id": str(refund_id)},
            "at": at,
        },
    )
    return MadeRefund(
        refund_id,
        row.id,
        subject,
        row.method,
        row.kind,
        amount,
        row.currency,
        digits,
        reason,
        place.location_id,
        place.register_id,
        row.customer_id,
        place.business_date,
        at,
        work.actor.id,
        work.actor.name,
    )


def _as_made(refund: MadeRefund) -> RefundOut:
    return RefundOut(
        refund.id,
        refund.payment_id,
        refund.method,
        format_amount(refund.amount, refund.exponent),
        "done",
        refund.reason,
        refund.subject.kind,
        refund.subject.id,
        refund.subject.number,
        refund.location_id,
        refund.register_id,
        refund.business_date,
        refund.at,
        refund.actor_name,
    )
