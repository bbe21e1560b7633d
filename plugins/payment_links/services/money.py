"""What becomes of a link when money comes for it, or its document is paid or given up."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.work import Work
from plugins.payment_links.models import Link, Turn
from plugins.payment_links.services.making import OWN
from plugins.payments.api import (
    AppliedMoney,
    CapturedPayment,
    Subject,
    captured_payments,
    give_up_waiting,
    rename_subject,
)

_L, _T = Link.__table__, Turn.__table__


async def still_wanted(work: Work, turn_id: uuid.UUID, amount: int) -> int:
    """What a turn still takes of some money, in minor units; held to the end of the deed. 0 where nothing is wanted."""
    link, turn = await _held(work, turn_id)
    if turn is None or link is None or link.state == "cancelled" or not work.actor.works_at(link.location_id):
        return 0
    due: int = turn.amount - turn.paid
    return min(amount, due)


async def money_came(work: Work, payment: CapturedPayment) -> None:
    """Count money for the turn or the document that it came for; whoever has nothing left to pay has paid."""
    applied = payment.amount - payment.surplus
    if applied <= 0:
        return
    if payment.subject.kind == OWN:
        await _credit_turn(work, payment.subject.id, applied)
    elif payment.awaited:
        await _credit_document(work, payment.subject, applied)


async def take_on(work: Work, money: AppliedMoney) -> None:
    """Count money that had come before, and was put onto a turn or its document."""
    if money.subject.kind == OWN:
        link, _ = await _held(work, money.subject.id)
        if link is not None:
            await rename_subject(work, Subject(OWN, money.subject.id, link.number))
        await _credit_turn(work, money.subject.id, money.amount)
    else:
        await _credit_document(work, money.subject, money.amount)


async def missed_money(work: Work) -> dict[uuid.UUID, int]:
    """What payments have put onto turns while nobody counted it: turn → minor units."""
    paid = captured_payments()
    put = sa.func.sum(paid.c.applied)
    missed = (
        sa.select(_T.c.id, (put - _T.c.paid).label("missed"))
        .join(paid, sa.and_(paid.c.business_id == _T.c.business_id, paid.c.subject_id == _T.c.id))
        .where(_T.c.business_id == work.business_id, paid.c.subject_kind == OWN)
        .group_by(_T.c.id, _T.c.paid)
        .having(put > _T.c.paid)
        .order_by(_T.c.id)
    )
    return {row.id: int(row.missed) for row in await work.execute(missed)}


async def count_missed(work: Work) -> None:
    """Count what was put onto turns while nobody did."""
    for turn_id, amount in (await missed_money(work)).items():
        await _credit_turn(work, turn_id, amount)


async def document_ended(work: Work, kind: str, id_: uuid.UUID, reason: str) -> None:
    """Cancel the open links of a document that is given up."""
    here = sa.and_(_of_document(work, kind, id_), _L.c.state == "open")
    ended = {"state": "cancelled", "ended_at": work.now, "end_reason": reason[:200]}
    await work.execute(sa.update(Link).where(here).values(ended | {"version": _L.c.version + 1}))


async def _credit_turn(work: Work, turn_id: uuid.UUID, amount: int) -> None:
    turn = await _add(work, turn_id, amount)
    link = await _add_to_link(work, turn.link_id, amount)
    if turn.paid >= turn.amount:
        await _turn_paid(work, turn.id)
        if not link.is_many:
            await _link_paid(work, link)


async def _credit_document(work: Work, subject: Subject, amount: int) -> None:
    """Count money for the open links of a document, whoever asked for it."""
    found = sa.select(_L.c.id).where(_of_document(work, subject.kind, subject.id), _L.c.state == "open")
    for link_id in (await work.execute(found.order_by(_L.c.id))).scalars().all():
        turn = await _add(work, link_id, amount)
        link = await _add_to_link(work, link_id, amount)
        if turn.paid >= turn.amount:
            await _turn_paid(work, turn.id)
            await _link_paid(work, link)
            await give_up_waiting(work, subject)  # what somebody would have said by hand, that the link was paid


async def _held(work: Work, turn_id: uuid.UUID) -> tuple[Any, Any]:
    """A turn and its link, held: the link first, as whoever begins to pay does."""
    here = sa.and_(_T.c.business_id == work.business_id, _T.c.id == turn_id)
    known = (await work.execute(sa.select(_T.c.link_id).where(here))).scalar_one_or_none()
    if known is None:
        return None, None
    of_link = sa.and_(_L.c.business_id == work.business_id, _L.c.id == known)
    link = (await work.execute(sa.select(_L).where(of_link).with_for_update())).one_or_none()
    turn = (await work.execute(sa.select(_T).where(here).with_for_update())).one_or_none()
    return link, turn


async def _add(work: Work, turn_id: uuid.UUID, amount: int) -> Any:
    here = sa.and_(_T.c.business_id == work.business_id, _T.c.id == turn_id)
    return (await work.execute(sa.update(Turn).where(here).values(paid=_T.c.paid + amount).returning(_T))).one()


async def _add_to_link(work: Work, link_id: uuid.UUID, amount: int) -> Any:
    here = sa.and_(_L.c.business_id == work.business_id, _L.c.id == link_id)
    more = {"paid": _L.c.paid + amount, "payments": _L.c.payments + 1, "version": _L.c.version + 1}
    return (await work.execute(sa.update(Link).where(here).values(more).returning(_L))).one()


async def _turn_paid(work: Work, turn_id: uuid.UUID) -> None:
    here = sa.and_(_T.c.business_id == work.business_id, _T.c.id == turn_id)
    await work.execute(sa.update(Turn).where(here).values(paid_at=work.now))


async def _link_paid(work: Work, link: Any) -> None:
    here = sa.and_(_L.c.business_id == work.business_id, _L.c.id == link.id)
    await work.execute(sa.update(Link).where(here).values(state="paid", ended_at=work.now))
    work.changed(Link, link.id, {"state": link.state}, {"state": "paid"})


def _of_document(work: Work, kind: str, id_: uuid.UUID) -> sa.ColumnElement[bool]:
    return sa.and_(_L.c.business_id == work.business_id, _L.c.subject_id == id_, _L.c.subject_kind == kind)
