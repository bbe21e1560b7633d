"""Taking money: declared with the document it pays for, whose owner commits both."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.money import format_amount
from kernel.work import Work
from plugins.payments.hooks import payment_captured
from plugins.payments.rules import Fact, project
from plugins.payments.schemas.answers import PaymentOut
from plugins.payments.schemas.told import CapturedPayment, Place, Subject, Taken
from plugins.payments.services.claiming import claim_money
from plugins.payments.services.declaring import declare_attempt
from plugins.payments.services.events import note
from plugins.payments.services.requesting import request_payment


async def take(work: Work, subject: Subject, taken: Sequence[Taken], place: Place) -> list[PaymentOut]:
    """Declare the payments of a subject and tell `payment_captured` of each whose money is there.

    Awaited ones are noted and told when they are confirmed; those by a gateway are asked for after the commit. Raises
    what a listener refuses with, and what `request_payment` and `claim_money` raise.
    """
    made: list[PaymentOut] = []
    there: list[CapturedPayment] = []
    for place_, one in enumerate(taken):
        if one.claims is None and one.method.gateway is not None:
            made.append(await request_payment(work, subject, one, place))
            continue
        if one.claims is not None:
            payment = await claim_money(work, subject, one, place, f"/payments/{place_}")
        else:
            payment = _declare_payment(work, subject, one, place)
        made.append(_as_taken(payment, one))
        if not one.awaited:
            there.append(payment)
    for payment in there:
        await work.tell(payment_captured, work=work, payment=payment)
    return made


def _declare_payment(work: Work, subject: Subject, taken: Taken, place: Place) -> CapturedPayment:
    shop, actor, at = work.shop, work.actor, place.at or work.now
    fact = Fact("accepted" if taken.awaited else "captured", "hand", "taken", taken.amount, shop.currency)
    standing = project(taken.amount, shop.currency, (fact,))
    attempt_id = declare_attempt(
        work, subject, taken, place, state=standing.state, captured=standing.captured, applied=standing.captured
    )
    note(work, attempt_id, fact.kind, fact.source, fact.amount, fact.currency, at=at)
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
        format_amount(taken.amount, digits),
        None if payment.tendered is None else format_amount(payment.tendered, digits),
        format_amount(payment.change, digits),
        "pending" if taken.awaited else "captured",
        payment.reference,
        format_amount(0, digits),
        captured=format_amount(0 if taken.awaited else payment.amount, digits),
        surplus=format_amount(0, digits),
        unverified=payment.unverified,
    )
