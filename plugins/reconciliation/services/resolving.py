"""Differences decided about: once each, by one statement, with a reason, booked and never edited."""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import exponent, format_amount, show_amount
from kernel.work import Work, in_micro, need_approval
from plugins.payments.api import payments_of, provider_money, put_onto
from plugins.reconciliation.errors import DifferenceClosed, NotReversible, ResolutionNotOffered
from plugins.reconciliation.models import Difference, Line, Posting, Source
from plugins.reconciliation.rules.deciding import Booking, Resolution, booking, offered
from plugins.reconciliation.schemas.differences import DifferenceOut, PostingOut, ResolveIn

WRITE_OFF: Final = "reconciliation.write_off_amount"
"""The limit on what of one difference is written off, or accepted as over or short."""
_LIMITED: Final = frozenset({"write_off", "accept"})
_X, _L, _S, _P = Difference.__table__, Line.__table__.c, Source.__table__.c, Posting.__table__


def _queue() -> sa.Select[Any]:
    """Differences, with what says whether their money stands in the tray."""
    m = provider_money()
    line = sa.and_(_L.business_id == _X.c.business_id, _L.id == _X.c.line_id)
    source = sa.and_(_S.business_id == _X.c.business_id, _S.id == _X.c.source_id)
    money = sa.and_(m.c.business_id == _X.c.business_id, m.c.account_id == _S.account_id, m.c.money_key == _L.money_key)
    waits = sa.and_(m.c.id.is_not(None), m.c.payment_id.is_(None), m.c.state == "unclaimed")
    in_tray = sa.func.coalesce(waits, sa.false()).label("in_tray")
    return sa.select(
        _X,
        _S.account_id,
        _L.money_key,
        _L.payer,
        _L.occurred_at,
        sa.func.coalesce(in_tray, sa.false()).label("in_tray"),
    ).select_from(_X.join(Source.__table__, source).outerjoin(Line.__table__, line).outerjoin(m, money))


QUEUE: Final = _queue()


async def resolve(work: Work, difference_id: uuid.UUID, data: ResolveIn) -> DifferenceOut:
    """Decide about a difference, once. Raises NotFound, DifferenceClosed, ResolutionNotOffered, Forbidden,
    ApprovalRequired, and what putting money onto a sale is refused with.
    """
    row = await row_of(work, difference_id)
    choices = _offered(row)
    if row.state == "open" and data.resolution not in choices:
        raise ResolutionNotOffered(f"Do one of {', '.join(choices)}")
    if data.subject_id is not None and not (await payments_of(work, "sale", [data.subject_id]))[data.subject_id]:
        raise NotFound.at("/subject_id", "There is no such sale")
    if (data.subject_id is not None) != (data.resolution == "claim"):
        raise Invalid.at("/subject_id", "Name the open sale that money is put onto, for a claim only")
    await _may(work, row, data)
    await work.write()
    held = await _close(work, row, data.resolution, data.note)
    if data.resolution == "claim":
        assert data.subject_id is not None  # noqa: S101 - looked at above
        await put_onto(work, row.account_id, row.money_key, data.subject_id)
        again = sa.update(Line).where(_L.business_id == work.business_id, _L.id == row.line_id)
        await work.execute(again.values(outcome="new"))
        work.later("reconciliation.match", {"source_id": str(row.source_id)})
    booked = booking(data.resolution, row.amount)
    if booked is not None:
        _post(work, row, data.resolution, booked, held.times, data.note, is_reversal=False)
    work.changed(Difference, difference_id, {"state": "open"}, {"state": "resolved"})
    work.audit(
        subject=f"difference:{difference_id}",
        reason=data.note,
        location_id=row.location_id,
        resolution=data.resolution,
        kind=row.kind,
        amount=format_amount(row.amount, exponent(row.currency)),
    )
    await work.flush()
    return difference_out(await row_of(work, difference_id))


async def reverse(work: Work, difference_id: uuid.UUID, note: str) -> DifferenceOut:
    """Take a decision back: its mirror image is booked, and the difference is open again.

    Raises NotFound, and NotReversible for one that nobody decided, or whose money was put onto a sale.
    """
    row = await row_of(work, difference_id)
    if row.state != "resolved" or row.resolution == "claim":
        raise NotReversible
    await work.write()
    gone = {"resolution": None, "note": None, "resolved_at": None, "resolved_by": None, "resolved_by_name": None}
    mine = sa.and_(_X.c.business_id == work.business_id, _X.c.id == difference_id)
    same = sa.and_(_X.c.state == "resolved", _X.c.times == row.times)
    opened = sa.update(Difference).where(mine, same).values(state="open", version=_X.c.version + 1, **gone)
    if not (await work.execute(opened)).rowcount:
        raise NotReversible
    booked = booking(row.resolution, row.amount)
    if booked is not None:
        _post(work, row, row.resolution, booked.reversed, row.times, note, is_reversal=True)
    work.changed(Difference, difference_id, {"state": "resolved"}, {"state": "open"})
    work.audit(subject=f"difference:{difference_id}", reason=note, location_id=row.location_id)
    await work.flush()
    return difference_out(await row_of(work, difference_id))


async def row_of(work: Work, difference_id: uuid.UUID) -> Any:
    """One difference. Raises NotFound, for one of a place where the actor does not work too."""
    found = QUEUE.where(_X.c.business_id == work.business_id, _X.c.id == difference_id)
    row = (await work.execute(found)).one_or_none()
    if row is None:
        raise NotFound
    work.see_location(row.location_id)
    return row


def difference_out(row: Any) -> DifferenceOut:
    """A row of the queue as it is answered."""
    return DifferenceOut(
        row.id,
        row.source_id,
        row.kind,
        row.words,
        row.day,
        row.location_id,
        row.line_id,
        row.payment_id,
        format_amount(row.amount, exponent(row.currency)),
        row.currency,
        row.state,
        row.opened_at,
        list(_offered(row)) if row.state == "open" else [],
        row.resolution,
        row.note,
        row.resolved_at,
        row.resolved_by_name,
    )


def posting_out(row: Any) -> PostingOut:
    """A posting as it is answered."""
    return PostingOut(
        row.id,
        row.difference_id,
        row.resolution,
        row.is_reversal,
        row.debit,
        row.credit,
        format_amount(row.amount, exponent(row.currency)),
        row.currency,
        row.day,
        row.at,
        row.note,
        row.by_name,
    )


def _offered(row: Any) -> tuple[Resolution, ...]:
    return offered(row.kind, row.amount, has_tray=bool(row.in_tray))


async def _may(work: Work, row: Any, data: ResolveIn) -> None:
    """What is booked as lost, over or short needs a permission of its own, as far as it reaches."""
    if data.resolution not in _LIMITED or not row.amount:
        return
    work.require("reconciliation.write_off")
    shown = show_amount(abs(row.amount), row.currency, work.shop.region)
    await need_approval(
        work,
        WRITE_OFF,
        in_micro(work, abs(row.amount)),
        words=f"Write off {shown} of {row.day}: {data.note}",
        location_id=row.location_id,
    )


async def _close(work: Work, row: Any, resolution: str, note: str) -> Any:
    """Close a difference, held to the end of the deed: of two people one decides. Raises DifferenceClosed."""
    mine = sa.and_(_X.c.business_id == work.business_id, _X.c.id == row.id, _X.c.state == "open")
    closed = await work.execute(
        sa.update(Difference)
        .where(mine)
        .values(
            state="resolved",
            resolution=resolution,
            note=note,
            times=_X.c.times + 1,
            resolved_at=work.now,
            resolved_by=work.actor.id,
            resolved_by_name=work.actor.name,
            version=_X.c.version + 1,
        )
        .returning(_X.c.times)
    )
    held = closed.one_or_none()
    if held is None:
        raise DifferenceClosed
    return held


def _post(work: Work, row: Any, resolution: str, booked: Booking, nth: int, note: str, *, is_reversal: bool) -> None:
    work.insert(
        Posting,
        {
            "id": new_id(),
            "difference_id": row.id,
            "nth": nth,
            "is_reversal": is_reversal,
            "resolution": resolution,
            "debit": booked.debit,
            "credit": booked.credit,
            "amount": booked.amount,
            "currency": row.currency,
            "day": row.day,
            "at": work.now,
            "note": note,
            "by_id": work.actor.id,
            "by_name": work.actor.name,
        },
    )
