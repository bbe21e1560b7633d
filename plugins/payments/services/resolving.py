"""The review queue: what is to be decided about money, what may be decided, and doing it; of two people one wins."""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.errors import Invalid, NotFound
from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.payments.errors import ActionNotOffered, ReviewClosed
from plugins.payments.hooks import money_applied, money_wanted
from plugins.payments.models import Attempt, Refund, Review
from plugins.payments.rules import actions_for
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.schemas.review_queue import ResolveIn, ReviewOut
from plugins.payments.schemas.reviews import Action
from plugins.payments.schemas.told import AppliedMoney, Place, Subject
from plugins.payments.services.accounts import installed
from plugins.payments.services.declaring_refunds import ByHand
from plugins.payments.services.hearing_refunds import hear_refund
from plugins.payments.services.refunding import check_largest, give_back
from plugins.payments.services.requesting import have_asked
from plugins.payments.services.rows import subject_of, today_at
from plugins.payments.services.sending_back import ASK_REFUND, PLAN_ENDED

REFUND: Final = "payments.refund"
"""The permission that whoever decides to give money back must hold as well."""
GIVING_BACK: Final = frozenset({"refund", "refund_by_hand"})
_A, _R, _V = Attempt.__table__, Refund.__table__, Review.__table__
QUEUE: Final = sa.select(
    _V,
    _A.c.subject_kind,
    _A.c.subject_id,
    _A.c.subject_number,
    _A.c.gateway,
    _A.c.captured,
    _A.c.applied,
    _A.c.refundable,
    _A.c.location_id,
).select_from(_V.outerjoin(_A, sa.and_(_A.c.business_id == _V.c.business_id, _A.c.id == _V.c.attempt_id)))
"""Reviews with the payments they are about."""


def review_out(work: Work, row: Any) -> ReviewOut:
    """A row of the queue as answers show it, with what its reader may decide."""
    currency = row.currency
    return ReviewOut(
        id=row.id,
        kind=row.kind,
        words=row.words,
        amount=None if row.amount is None or not currency else format_amount(row.amount, exponent(currency)),
        currency=currency,
        about=row.about,
        payment_id=row.attempt_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        subject_number=row.subject_number,
        state=row.state,
        opened_at=row.opened_at,
        actions=list(_offered(work, row)) if row.state == "open" else [],
        resolution=row.resolution,
        note=row.note,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by_name,
    )


async def find_review(work: Work, review_id: uuid.UUID) -> ReviewOut:
    """One question. Raises NotFound."""
    return review_out(work, await _row(work, review_id))


async def resolve(work: Work, review_id: uuid.UUID, data: ResolveIn) -> ReviewOut:
    """Decide something, once. Raises NotFound, ReviewClosed, ActionNotOffered and what a refund is refused with.

    Money goes back by those alone who may give it back, as far as they may: Forbidden, ApprovalRequired.
    """
    row = await _row(work, review_id)
    if data.action in GIVING_BACK:
        work.require(REFUND)
    onto = await _named(work, row, data)
    if row.attempt_id is not None:  # held, so that what is offered is what is done
        here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == row.attempt_id)
        await work.execute(sa.select(_A.c.id).where(here).with_for_update())
    closed = await work.execute(
        sa.update(Review)
        .where(_V.c.business_id == work.business_id, _V.c.id == review_id, _V.c.state == "open")
        .values(
            state="resolved",
            resolution=data.action,
            note=data.note,
            resolved_at=work.now,
            resolved_by=work.actor.id,
            resolved_by_name=work.actor.name,
            version=_V.c.version + 1,
        )
        .returning(_V.c.id)
    )
    if closed.one_or_none() is None:
        raise ReviewClosed
    row = await _row(work, review_id)
    if data.action not in (offered := _offered(work, row)):
        raise ActionNotOffered(f"Do one of {', '.join(offered)}")
    await _do(work, row, data, onto)
    work.audit(
        subject=f"review:{review_id}",
        reason=data.note,
        location_id=row.location_id,
        action=data.action,
        kind=row.kind,
        payment=None if row.attempt_id is None else str(row.attempt_id),
    )
    work.changed(Review, review_id, {"state": "open"}, {"state": "resolved"})
    await work.flush()
    return review_out(work, await _row(work, review_id))


async def _row(work: Work, review_id: uuid.UUID) -> Any:
    found = QUEUE.where(_V.c.business_id == work.business_id, _V.c.id == review_id)
    row = (await work.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    work.see_location(row.location_id)
    return row


def _offered(work: Work, row: Any) -> tuple[Action, ...]:
    gateway = installed(work.deployment).get(row.gateway or "")
    can = gateway.capabilities if gateway else None
    fitting = actions_for(
        row.kind,
        sends_back=can.sends_back if can else row.gateway is not None,
        is_asked=can.is_asked if can else row.gateway is not None,
        surplus=_surplus(row),
        refundable=row.refundable or 0,
    )
    return fitting if work.actor.may(REFUND) else tuple(one for one in fitting if one not in GIVING_BACK)


def _surplus(row: Any) -> int:
    """What the document of a review's payment does not take, and was not given back; minor units."""
    if row.attempt_id is None:
        return 0
    over: int = min(row.captured - row.applied, row.refundable)
    return over


async def _do(work: Work, row: Any, data: ResolveIn, onto: Subject | None) -> None:
    match data.action:
        case "refund" | "refund_by_hand" if row.kind == "refund_unknown":
            await _decide_refund(work, row, data)
        case "refund":
            await _give_back(work, row, data, None)
        case "refund_by_hand":
            await _give_back(work, row, data, ByHand(None, data.reference))
        case "apply":
            await _apply(work, row, onto or subject_of(row))
        case "ask_again" if row.kind == "refund_unknown":
            work.later(ASK_REFUND, {"refund_id": str(row.about), "asks": PLAN_ENDED})
        case "ask_again":
            have_asked(work, row.attempt_id)
        case "accept" | "dismiss":
            pass


async def _give_back(work: Work, row: Any, data: ResolveIn, by_hand: ByHand | None) -> None:
    """Give back what a review is about: what nobody wants of a payment, or what failed to go back."""
    amount = min(row.amount, row.refundable) if row.kind == "refund_failed" else _surplus(row)
    if amount <= 0:
        raise ActionNotOffered("Nothing is left that could go back")
    await check_largest(work, await work.get(Attempt, row.attempt_id), amount, _why(row, data))
    await _refund(work, row, amount, data, by_hand)


async def _decide_refund(work: Work, row: Any, data: ResolveIn) -> None:
    """Say what became of a refund that nobody knows the end of: it went back, or it did not and is sent anew."""
    await check_largest(work, await work.get(Attempt, row.attempt_id), 0, _why(row, data))  # of what is back, it is one
    if data.action == "refund_by_hand":
        fact = GatewayFact(kind="refund_done", key=f"review:{row.id}", ids=_as_ids(data.reference))
        await hear_refund(work, row.about, [fact], "hand")
        return
    here = sa.and_(_R.c.business_id == work.business_id, _R.c.id == row.about, _R.c.state == "pending")
    amount = (await work.execute(sa.select(_R.c.amount).where(here))).scalar_one_or_none()
    if amount is None:
        raise ActionNotOffered("The refund has ended")
    words = data.note or "it did not go back"
    await hear_refund(work, row.about, [GatewayFact(kind="refund_failed", key=f"review:{row.id}", words=words)], "hand")
    await _close_failed(work, row.about, data)
    await _refund(work, row, amount, data, None)


async def _close_failed(work: Work, refund_id: uuid.UUID, data: ResolveIn) -> None:
    """The question whether a refund that failed is made again is answered with it."""
    here = sa.and_(_V.c.business_id == work.business_id, _V.c.about == refund_id, _V.c.state == "open")
    by = {"resolved_by": work.actor.id, "resolved_by_name": work.actor.name, "resolved_at": work.now}
    closed = sa.update(Review).where(here, _V.c.kind == "refund_failed")
    await work.execute(closed.values(state="resolved", resolution=data.action, version=_V.c.version + 1, **by))


async def _refund(work: Work, row: Any, amount: int, data: ResolveIn, by_hand: ByHand | None) -> None:
    payment = await work.get(Attempt, row.attempt_id)
    today = await today_at(work, payment.location_id)
    paid_at = Place(payment.location_id, payment.register_id, today, payment.customer_id)
    back = [(payment.id, amount)]
    await give_back(work, subject_of(payment), _why(row, data), back, paid_at, by_hand=by_hand)


def _why(row: Any, data: ResolveIn) -> str:
    """The reason that is stored with a refund."""
    return data.note or str(row.words[:200])


async def _named(work: Work, row: Any, data: ResolveIn) -> Subject | None:
    """The document that money is to be put onto, if one is named: one that payments know. Raises NotFound, Invalid."""
    if data.subject_id is None:
        return None
    found = sa.select(_A.c.subject_kind, _A.c.subject_number).where(
        _A.c.business_id == work.business_id, _A.c.subject_id == data.subject_id, work.here(_A.c.location_id)
    )
    if row.subject_kind is not None:
        found = found.where(_A.c.subject_kind == row.subject_kind)
    known = (await work.execute(found.limit(1))).one_or_none()
    if known is None:
        raise NotFound.at("/subject_id", "There is no such document")
    if data.action != "apply":
        raise Invalid.at("/subject_id", "Only money that is put onto a document names one")
    return Subject(known.subject_kind, data.subject_id, known.subject_number)


async def _apply(work: Work, row: Any, subject: Subject) -> None:
    """Put money that nobody takes onto its document if that still wants it, or onto another of the same kind."""
    if subject.id != row.subject_id and row.applied:
        raise ActionNotOffered("A part of it belongs to its own document; give the rest back")
    said = await work.tell(money_wanted, work=work, subject=subject, amount=_surplus(row))
    taken = min(_surplus(row), max(0, said[0].value)) if said else 0
    if taken <= 0:
        raise ActionNotOffered("That document waits for no money")
    here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == row.attempt_id)
    values = {"subject_id": subject.id, "applied": _A.c.applied + taken, "version": _A.c.version + 1}
    await work.execute(sa.update(Attempt).where(here).values(values))
    work.forget_read()
    work.changed(Attempt, row.attempt_id, {"applied": row.applied}, {"applied": row.applied + taken})
    money = AppliedMoney(row.attempt_id, subject, taken, row.currency)
    await work.tell(money_applied, work=work, money=money)


def _as_ids(reference: str | None) -> dict[str, str]:
    return {} if reference is None else {"reference": reference}
