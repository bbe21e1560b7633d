"""What is heard of money on its way back: kept as events, and made of a refund what they come to.

Money that went back wins over bad news, before or after it. A refund that was made without Duka is recorded all the
same.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import structs

from kernel.db import new_id
from kernel.errors import NotFound
from kernel.money import show_amount
from kernel.work import Work
from plugins.payments.hooks import refund_made
from plugins.payments.models import Attempt, Event, Refund
from plugins.payments.rules import REFUND_FACTS, RefundState, Source, refund_state
from plugins.payments.schemas.gateways import GatewayFact
from plugins.payments.services.cleaning import split
from plugins.payments.services.declaring_refunds import as_made
from plugins.payments.services.events import fault_of, note_event
from plugins.payments.services.reviews import close_reviews, open_review
from plugins.payments.services.rows import hold, today_at

_A, _E, _R = Attempt.__table__, Event.__table__, Refund.__table__
ELSEWHERE = "given back on the provider's pages"


async def hear_refund(work: Work, refund_id: uuid.UUID, facts: Sequence[GatewayFact], source: Source) -> None:
    """Take in what became known of a refund, once each: done is told once, failed is asked about.

    Raises NotFound for an unknown refund.
    """
    found = sa.select(_R.c.attempt_id).where(_R.c.business_id == work.business_id, _R.c.id == refund_id)
    attempt_id = (await work.execute(found)).scalar_one_or_none()
    if attempt_id is None:
        raise NotFound
    sound = await sound_facts(work, attempt_id, facts)
    ours = [structs.replace(fact, refund_id=str(refund_id)) for fact in sound]
    await hear_about_refunds(work, attempt_id, ours, source)


async def sound_facts(work: Work, attempt_id: uuid.UUID, facts: Sequence[GatewayFact]) -> Sequence[GatewayFact]:
    """The facts about a payment as they can be stored; a person is asked about those of amounts that cannot be."""
    sound, unsound = split(facts)
    if unsound:
        await work.write()
        words = "The provider tells of an amount that cannot be"
        await open_review(work, "contradicted", attempt_id, attempt_id=attempt_id, words=words)
    return sound


async def hear_about_refunds(work: Work, attempt_id: uuid.UUID, facts: Sequence[GatewayFact], source: Source) -> Any:
    """Take in facts about refunds of a payment: of ours, named by id or by the provider's ids, and of others.

    Returns the payment's row as it is then. Raises NotFound for an unknown payment.
    """
    payment = await hold(work, attempt_id)
    for fact in facts:
        if fact.kind in REFUND_FACTS:
            payment = await _take_in(work, payment, fact, source)
    return payment


async def _take_in(work: Work, payment: Any, fact: GatewayFact, source: Source) -> Any:
    """Take in one fact; returns the payment's row as it is then."""
    refunds = await _refunds(work, payment.id)
    heard = await _heard(work, payment.id)
    refund = _meant(payment, refunds, fact)
    if refund is None and any(one.dedupe_key == fact.key for one in heard):
        return payment
    if refund is None:
        refund = _likely(payment, refunds, fact)
    if refund is None:
        return await _record(work, payment, fact, source)
    if any((one.source, one.dedupe_key) == (source, fact.key) for one in heard):
        return payment
    await _note_ids(work, refund, fact)
    kinds = [one.kind for one in heard if one.refund_id == refund.id]
    comes_to = refund_state(refund.state, [*kinds, fact.kind])
    if comes_to == "done" and refund.state == "failed" and payment.refundable < refund.amount:
        _note_only(work, payment, fact, source)
        await _ask(
            work, payment, refund, "contradicted", "A refund that had failed was made after all: too much went back"
        )
    else:
        note_event(work, payment.id, structs.replace(fact, refund_id=str(refund.id)), source)
        payment = await _move(work, payment, refund, comes_to, fact)
    await work.flush()
    return payment


async def _move(work: Work, payment: Any, refund: Any, comes_to: RefundState, fact: GatewayFact) -> Any:
    """Move a refund to what it comes to; returns the payment's row as it is then."""
    if comes_to == "done" and refund.state != "done":
        return await _be_done(work, payment, refund)
    if comes_to == "failed" and refund.state == "pending":
        return await _fail(work, payment, refund, fact)
    if refund.state == "done" and fact.kind == "refund_failed":
        words = "The provider says that a refund failed which it had made"
        await _ask(work, payment, refund, "contradicted", words)
    return payment


async def _be_done(work: Work, payment: Any, refund: Any) -> Any:
    """The money has gone back: on the running business day, and told once."""
    if refund.state == "failed":
        payment = await _change_refundable(work, payment, -refund.amount)
    today = await today_at(work, refund.location_id)
    row = await _change(work, refund, "done", fault=None, business_date=today, at=work.now)
    await close_reviews(work, refund.id, ("refund_failed", "refund_unknown"))
    await work.tell(refund_made, work=work, refund=as_made(row, payment.kind, payment.customer_id))
    return payment


async def _fail(work: Work, payment: Any, refund: Any, fact: GatewayFact) -> Any:
    """The money stays: it may be given back again, and somebody is asked."""
    fault = fault_of(fact, "The provider refused")
    await _change(work, refund, "failed", fault=fault)
    payment = await _change_refundable(work, payment, refund.amount)
    await close_reviews(work, refund.id, ("refund_unknown",))
    back = show_amount(refund.amount, refund.currency, work.shop.region)
    await _ask(work, payment, refund, "refund_failed", f"{back} did not go back: {fault['said']}")
    return payment


async def _record(work: Work, payment: Any, fact: GatewayFact, source: Source) -> Any:
    """A refund that was made without Duka: recorded, as far as there is anything left to be given back."""
    amount = payment.refundable if fact.amount is None else fact.amount
    if fact.kind != "refund_done":
        return payment
    if not 0 < amount <= payment.refundable or fact.currency not in (None, payment.currency):
        back = show_amount(amount, fact.currency or payment.currency, work.shop.region)
        _note_only(work, payment, fact, source)
        await open_review(
            work,
            "contradicted",
            payment.id,
            attempt_id=payment.id,
            amount=amount,
            currency=fact.currency or payment.currency,
            words=f"The provider gave {back} back, which is not left of this payment",
        )
        return payment
    values = {
        "id": new_id(),
        "business_id": work.business_id,
        "attempt_id": payment.id,
        "subject_kind": payment.subject_kind,
        "subject_id": payment.subject_id,
        "subject_number": payment.subject_number,
        "method": payment.method,
        "amount": amount,
        "currency": payment.currency,
        "state": "done",
        "provider_ids": dict(fact.ids) or None,
        "fault": None,
        "reason": ELSEWHERE,
        "location_id": payment.location_id,
        "register_id": payment.register_id,
        "business_date": await today_at(work, payment.location_id),
        "at": work.now,
        "made_by": None,
        "made_by_name": work.actor.name,
    }
    row = (await work.execute(sa.insert(Refund).values(values).returning(_R))).one()
    payment = await _change_refundable(work, payment, -amount)
    note_event(work, payment.id, structs.replace(fact, refund_id=str(row.id), amount=amount), source)
    work.audit(subject=f"payment:{payment.id}", refund=str(row.id))
    await work.tell(refund_made, work=work, refund=as_made(row, payment.kind, payment.customer_id))
    await work.flush()
    return payment


def _meant(payment: Any, refunds: Sequence[Any], fact: GatewayFact) -> Any | None:
    """The refund that a fact speaks of: by our id, or by an id that the provider gave it and not its payment."""
    named = next((one for one in refunds if str(one.id) == fact.refund_id), None)
    if named is not None:
        return named
    said = fact.ids.items() - (payment.provider_ids or {}).items()
    return next((one for one in refunds if said & set((one.provider_ids or {}).items())), None)


def _likely(payment: Any, refunds: Sequence[Any], fact: GatewayFact) -> Any | None:
    """The one refund of which nobody knows what became, where the money can be no other: no more is left."""
    open_ones = [one for one in refunds if one.state == "pending" and fact.amount in (None, one.amount)]
    amount = payment.refundable + 1 if fact.amount is None else fact.amount
    return open_ones[0] if len(open_ones) == 1 and amount > payment.refundable else None


async def _refunds(work: Work, attempt_id: uuid.UUID) -> Sequence[Any]:
    found = sa.select(_R).where(_R.c.business_id == work.business_id, _R.c.attempt_id == attempt_id)
    return (await work.execute(found.order_by(_R.c.id))).all()


async def _heard(work: Work, attempt_id: uuid.UUID) -> Sequence[Any]:
    found = sa.select(_E.c.kind, _E.c.source, _E.c.dedupe_key, _E.c.refund_id).where(
        _E.c.business_id == work.business_id, _E.c.attempt_id == attempt_id
    )
    return (await work.execute(found)).all()


async def _note_ids(work: Work, refund: Any, fact: GatewayFact) -> None:
    if fact.ids:
        ids: Mapping[str, str] = {**(refund.provider_ids or {}), **fact.ids}
        await work.execute(sa.update(Refund).where(*_this(work, refund)).values(provider_ids=dict(ids)))


async def _change(work: Work, refund: Any, state: RefundState, **values: Any) -> Any:
    """Move a refund on; returns its row."""
    changed = sa.update(Refund).where(*_this(work, refund)).values(state=state, **values).returning(_R)
    row = (await work.execute(changed)).one()
    work.changed(Refund, refund.id, {"state": refund.state}, {"state": state})
    work.audit(subject=f"payment:{refund.attempt_id}", location_id=refund.location_id, refund=str(refund.id))
    return row


async def _change_refundable(work: Work, payment: Any, amount: int) -> Any:
    """Give so much back to what is left of a payment, or take it; its row is held."""
    here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == payment.id)
    changed = sa.update(Attempt).where(here).values(refundable=_A.c.refundable + amount).returning(_A)
    row = (await work.execute(changed)).one()
    work.forget_read()
    return row


def _this(work: Work, refund: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return (_R.c.business_id == work.business_id, _R.c.id == refund.id)


def _note_only(work: Work, payment: Any, fact: GatewayFact, source: Source) -> None:
    """Keep a fact of money that cannot be booked: it changes nothing, and is heard once."""
    note_event(work, payment.id, structs.replace(fact, kind="unknown", refund_id=None), source)


async def _ask(
    work: Work, payment: Any, refund: Any, kind: Literal["refund_failed", "contradicted"], words: str
) -> None:
    await open_review(
        work, kind, refund.id, attempt_id=payment.id, amount=refund.amount, currency=refund.currency, words=words
    )
