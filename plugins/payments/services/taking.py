"""Taking money: declared with the document it pays for, whose owner commits both."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.db import new_id
from kernel.money import format_amount
from kernel.work import Work
from plugins.payments.hooks import payment_captured
from plugins.payments.models import Attempt, Event
from plugins.payments.rules import Fact, project
from plugins.payments.schemas.answers import PaymentOut
from plugins.payments.schemas.told import CapturedPayment, Place, Subject, Taken
from plugins.payments.services.requesting import request_payment


async def take(work: Work, subject: Subject, taken: Sequence[Taken], place: Place) -> list[PaymentOut]:
    """Declare the payments of a subject and tell `payment_captured` of each whose money is there.

    Awaited ones are noted and told when they are confirmed; those by a gateway are asked for after the commit. Raises
    what a listener refuses with, and what `request_payment` raises.
    """
    made: list[PaymentOut] = []
    there: list[CapturedPayment] = []
    for one in taken:
        if one.method.gateway is not None:
            made.append(await request_payment(work, subject, one, place))
            continue
        payment = _declare_payment(work, subject, one, place)
        made.append(_as_taken(payment, one))
        if not one.awaited:
            there.append(payment)
    for payment in there:
        await work.tell(payment_captured, work=work, payment=payment)
    return made


def _declare_payment(work: Work, subject: Subject, taken: Taken, place: Place) -> CapturedPayment:
    shop, actor, at = work.shop, work.actor, place.at or work.now
    attempt_id, event_id = new_id(), new_id()
    fact = Fact("accepted" if taken.awaited else "captured", "hand", str(event_id), taken.amount, shop.currency)
    standing = project(taken.amount, shop.currency, (fact,))
    work.insert(
        Attempt,
        {
            "id": attempt_id,
            "subject_kind": subject.kind,
            "subject_id": subject.id,
            "subject_number": subject.number,
            "method": taken.method.code,
            "kind": taken.method.kind,
            "gateway": taken.method.gateway,
            "mode": "live",
            "direction": "in",
            "amount": taken.amount,
            "tendered": taken.tendered,
            "change": taken.change,
            "currency": shop.currency,
            "state": standing.state,
            "captured": standing.captured,
            "refundable": standing.captured,
            "merchant_ref": None,
            "account_id": None,
            "provider_ids": None,
            "payer_phone": None,
            "show": None,
            "fault": None,
            "expires_at": None,
            "next_ask_at": None,
            "asks": 0,
            "applied": standing.captured,
            "reference": taken.reference,
            "location_id": place.location_id,
            "register_id": place.register_id,
            "customer_id": place.customer_id,
            "business_date": place.business_date,
            "taken_at": at,
            "taken_by": actor.id,
            "taken_by_name": actor.name,
            "flags": [],
            "version": 1,
        },
    )
    work.insert(
        Event,
        {
            "id": event_id,
            "attempt_id": attempt_id,
            "kind": fact.kind,
            "source": fact.source,
            "dedupe_key": None,
            "amount": fact.amount,
            "currency": fact.currency,
            "provider_ids": None,
            "at": at,
        },
    )
    return CapturedPayment(
        attempt_id,
        subject,
        taken.method.code,
        taken.method.kind,
        taken.amount,
        taken.tendered,
        taken.change,
        shop.currency,
        shop.exponent,
        taken.reference,
        place.location_id,
        place.register_id,
        place.customer_id,
        place.business_date,
        at,
        actor.id,
        actor.name,
    )


def _as_taken(payment: CapturedPayment, taken: Taken) -> PaymentOut:
    digits = payment.exponent
    return PaymentOut(
        payment.id,
        payment.method,
        format_amount(payment.amount, digits),
        None if payment.tendered is None else format_amount(payment.tendered, digits),
        format_amount(payment.change, digits),
        "pending" if taken.awaited else "captured",
        payment.reference,
        format_amount(0, digits),
    )
