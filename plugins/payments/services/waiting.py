"""Money that was asked for and has still to come: it comes, or nobody waits for it any more."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.errors import NotAwaited
from plugins.payments.hooks import payment_captured
from plugins.payments.models import Attempt
from plugins.payments.rules import FINAL, GIVEN_UP
from plugins.payments.schemas.told import Subject
from plugins.payments.services.calling_back import try_to_call_back
from plugins.payments.services.events import note
from plugins.payments.services.rows import as_captured, today_at

_A = Attempt.__table__


async def confirm(work: Work, payment_id: uuid.UUID, reference: str | None) -> None:
    """Capture an awaited payment whole, on the running business day, and tell `payment_captured`.

    Of two confirmations at once one finds nothing to wait for. Raises NotFound, NotAwaited, and what a listener refuses
    with.
    """
    row = await work.get(Attempt, payment_id)
    today = await today_at(work, row.location_id)
    came = await work.execute(
        sa.update(Attempt)
        .where(
            _A.c.business_id == work.business_id, _A.c.id == payment_id, _A.c.state == "pending", _A.c.gateway.is_(None)
        )
        .values(
            state="captured",
            captured=_A.c.amount,
            refundable=_A.c.amount,
            applied=_A.c.amount,
            business_date=today,
            taken_at=work.now,
            taken_by=work.actor.id,
            taken_by_name=work.actor.name,
            reference=sa.func.coalesce(reference, _A.c.reference),
            version=_A.c.version + 1,
        )
        .returning(_A)
    )
    paid = came.one_or_none()
    if paid is None:
        raise NotAwaited(f"The payment is {row.state}")
    work.forget_read()
    note(work, payment_id, "captured", "hand", paid.amount, paid.currency)
    work.audit(subject=f"payment:{payment_id}", location_id=paid.location_id, register_id=paid.register_id)
    work.changed(Attempt, payment_id, {"state": "pending"}, {"state": "captured"})
    await work.tell(payment_captured, work=work, payment=as_captured(paid))


async def rename_subject(work: Work, subject: Subject) -> None:
    """Let the payments of a subject show the number that it has by now."""
    await work.execute(
        sa.update(Attempt)
        .where(
            _A.c.business_id == work.business_id,
            _A.c.subject_kind == subject.kind,
            _A.c.subject_id == subject.id,
        )
        .values(subject_number=subject.number)
    )


async def give_up_waiting(work: Work, subject: Subject, source: Literal["hand", "clock"] = "hand") -> None:
    """Wait no longer for the awaited payments of a subject.

    Those that a person would confirm are cancelled, or of unknown end if time ran out. How one by a gateway ends only
    its provider knows: it is marked as given up, called back where that can be done, and asked about as before; its
    money is surplus if it comes.
    """
    kind: Literal["cancelled", "unknown"] = "cancelled" if source == "hand" else "unknown"
    of_it = sa.and_(
        _A.c.business_id == work.business_id, _A.c.subject_kind == subject.kind, _A.c.subject_id == subject.id
    )
    ended = await work.execute(
        sa.update(Attempt)
        .where(of_it, _A.c.state == "pending", _A.c.gateway.is_(None))
        .values(state=kind, version=_A.c.version + 1)
        .returning(_A.c.id)
    )
    for row in ended.all():
        note(work, row.id, kind, source)
    under_way = sa.select(_A).where(of_it, _A.c.gateway.is_not(None), _A.c.captured == 0).order_by(_A.c.id)
    for row in (await work.execute(under_way.with_for_update())).all():
        if GIVEN_UP not in row.flags and row.state not in FINAL:
            await _give_up(work, row, source)


async def _give_up(work: Work, row: Any, source: Literal["hand", "clock"]) -> None:
    here = sa.and_(_A.c.business_id == work.business_id, _A.c.id == row.id)
    flags = sorted({*row.flags, GIVEN_UP})
    await work.execute(sa.update(Attempt).where(here).values(flags=flags, version=_A.c.version + 1))
    await try_to_call_back(work, row, source)
