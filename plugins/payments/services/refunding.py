"""Giving money back: never more than came in, however many try at once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import sqlalchemy as sa

from kernel.db import Prepared
from kernel.errors import Invalid, NotFound
from kernel.money import exponent, format_amount, show_amount
from kernel.work import Work, check_register, in_micro, need_approval
from plugins.payments.errors import RefundTooLarge, UnknownMethod
from plugins.payments.hooks import refund_made
from plugins.payments.models import Attempt
from plugins.payments.schemas.answers import RefundOut
from plugins.payments.schemas.requests import RefundIn
from plugins.payments.schemas.told import Place, Subject
from plugins.payments.services.asking import amount_at, methods
from plugins.payments.services.declaring_refunds import ByHand, declare_refund, why_not
from plugins.payments.services.hearing_refunds import hear_refund
from plugins.payments.services.reviews import ask_about
from plugins.payments.services.rows import subject_of, today_at

__all__ = ["LARGEST", "ByHand", "check_largest", "give_back", "hear_refund", "refund_one"]

LARGEST = "payments.refund_amount"
"""The limit on what is given back of one payment by hand, all refunds together."""
_A = Attempt.__table__.c
_LEFT_OF_SUBJECT = Prepared(
    sa.select(
        _A.id,
        _A.method,
        _A.kind,
        _A.currency,
        _A.captured,
        _A.refundable,
        _A.customer_id,
        _A.gateway,
        _A.account_id,
        _A.taken_at,
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
    by_hand: ByHand | None = None,
    unable: Literal["refuse", "ask"] = "refuse",
) -> list[RefundOut]:
    """Declare refunds of a subject's payments, (payment id, minor units) each, and tell `refund_made` of those made.

    None gives back all that is left of every payment. What came by a gateway is pending until the gateway has sent it
    back, and told then; by_hand: it was given back already. unable: where a gateway gives nothing back, refuse, or ask
    a person and leave the money where it is. also: plugins to tell although they may be off today, because they took
    part in the original. However many refunds run at once, they never exceed what was captured: the flush raises
    RefundTooLarge. Raises NotFound for a payment of another subject, RefundNotSupported. A payment must be written
    before it can be refunded: not in the same flush.
    """
    rows = {row.id: row for row in await work.fetch(_LEFT_OF_SUBJECT, kind=subject.kind, subject=subject.id)}
    if refunds is None:
        refunds = [(row.id, row.refundable) for row in rows.values() if row.refundable]
    if unknown := [payment_id for payment_id, _ in refunds if payment_id not in rows]:
        raise NotFound(f"There is no payment {unknown[0]} of this {subject.kind}")
    declared = []
    for payment_id, amount in refunds:
        row = rows[payment_id]
        if unable == "ask" and by_hand is None and (said := why_not(work, row, amount)):
            await _ask_to_give_back(work, row, amount, said)
        else:
            declared.append(declare_refund(work, row, subject, amount, reason, place, by_hand))
    others = tuple(also)
    for made in (one.made for one in declared if one.made is not None):
        if others:
            await work.tell_also(others, refund_made, work=work, refund=made)
        else:
            await work.tell(refund_made, work=work, refund=made)
    return [one.out for one in declared]


async def _ask_to_give_back(work: Work, row: Any, amount: int, said: str) -> None:
    """Ask a person to give back what a gateway does not."""
    back = show_amount(amount, row.currency, work.shop.region)
    await ask_about(work, "refund_failed", row, amount, f"{back} must go back: {said}")


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
    await check_largest(work, row, amount, data.reason)
    location_id = data.location_id or row.location_id
    register_id = data.register_id if data.location_id or data.register_id else row.register_id
    if data.register_id is not None:
        await check_register(work, location_id, data.register_id)
    place = Place(location_id, register_id, await _business_day(work, location_id), row.customer_id)
    by_hand = _by_hand(work, data, row.gateway)
    [made] = await give_back(work, subject_of(row), data.reason, [(row.id, amount)], place, by_hand=by_hand)
    work.audit(
        subject=f"payment:{row.id}",
        reason=data.reason,
        location_id=location_id,
        register_id=register_id,
        refund=str(made.id),
        amount=made.amount,
    )
    return made


async def check_largest(work: Work, row: Any, amount: int, reason: str) -> None:
    """Let an amount go back of a payment's row by hand as far as the person may, all refunds of it together.

    amount: in minor units. Raises ApprovalRequired, ApprovalNotValid.
    """
    back = row.captured - row.refundable + amount
    await need_approval(
        work,
        LARGEST,
        in_micro(work, back),
        words=f"Give back {show_amount(back, row.currency, work.shop.region)} of {row.subject_number}: {reason}",
        location_id=row.location_id,
        register_id=row.register_id,
    )


def _by_hand(work: Work, data: RefundIn, gateway: str | None) -> ByHand | None:
    """How money is given back without a gateway, where that is asked for. Raises UnknownMethod, Invalid."""
    if data.method is None and not data.by_hand:
        if data.reference is not None and gateway is not None:
            raise Invalid.at("/reference", "A refund that the gateway sends gets its number there")
        return ByHand(None, data.reference) if data.reference is not None else None
    if data.method is None:
        return ByHand(None, data.reference)
    method = methods(work).get(data.method)
    if method is None or method.gateway is not None:
        raise UnknownMethod.at("/method", "Give it back by a method that needs no gateway", code="unknown-method")
    return ByHand(method, data.reference)


async def _business_day(work: Work, location_id: uuid.UUID) -> dt.date:
    try:
        return await today_at(work, location_id)
    except NotFound as fault:
        raise NotFound.at("/location_id", "There is no such location") from fault
