"""Closing a day: lines are counted, what differs is booked, and nothing moves on them on that day any more."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.db import new_id
from kernel.errors import Invalid
from kernel.money import format_amount, show_amount
from kernel.work import Work, in_micro, need_approval
from plugins.agent_float.models import Balance, Closing
from plugins.agent_float.rules import COUNTED, variance_of
from plugins.agent_float.schemas import CloseIn, ClosingOut, CountIn
from plugins.agent_float.services.booking import Booked, Held, amount_at, book, hold

VARIANCE = "agent_float.variance_amount"
_B, _C = Balance.__table__.c, Closing.__table__.c


async def close_day(work: Work, data: CloseIn) -> list[ClosingOut]:
    """Close the running business day of lines.

    Raises NotFound; Invalid for a line that is counted twice or not at all, or a difference without a reason;
    DayClosed, ApprovalRequired.
    """
    if len({one.line_id for one in data.counts}) != len(data.counts):
        raise Invalid.at("/counts", "A line is counted once")
    held = await hold(work, {f"counts/{place}/line_id": one.line_id for place, one in enumerate(data.counts)})
    made = [await _close(work, place, one, held[f"counts/{place}/line_id"]) for place, one in enumerate(data.counts)]
    first = made[0]
    work.audit(subject=f"agent_float.line:{first.line_id}", location_id=first.location_id, closed=len(made))
    return made


def closing_out(row: Any, digits: int) -> ClosingOut:
    """A closing's row as it is answered."""
    return ClosingOut(
        row.id,
        row.line_id,
        row.location_id,
        row.business_date,
        format_amount(row.opening, digits),
        format_amount(row.expected, digits),
        format_amount(row.counted, digits),
        format_amount(row.variance, digits),
        row.reason,
        row.at,
        row.by_name,
    )


async def _close(work: Work, place: int, said: CountIn, held: Held) -> ClosingOut:
    digits, pointer = work.shop.exponent, f"/counts/{place}"
    if held.line.kind not in COUNTED:
        raise Invalid.at(f"{pointer}/line_id", f"{held.line.name} is not counted")
    counted = amount_at(work, said.counted, f"{pointer}/counted", may_be_nothing=True)
    variance = variance_of(held.balance, counted)
    if variance:
        if not said.reason.strip():
            raise Invalid.at(f"{pointer}/reason", "Say why it differs", code="required")
        shown = show_amount(variance, work.shop.currency, work.shop.region)
        words = f"Close {held.line.name} with {shown} of difference: {said.reason}"
        location_id = held.line.location_id
        await need_approval(work, VARIANCE, in_micro(work, abs(variance)), words=words, location_id=location_id)
        book(work, "variance", [(held, variance)], Booked(abs(variance), note=said.reason))
    values = {
        "id": new_id(),
        "line_id": held.line.id,
        "location_id": held.line.location_id,
        "business_date": held.day,
        "opening": await _opening(work, held.line.id),
        "expected": held.balance,
        "counted": counted,
        "variance": variance,
        "reason": said.reason,
        "at": work.now,
        "by": work.actor.id,
        "by_name": work.actor.name,
    }
    work.insert(Closing, values)
    here = sa.and_(_B.business_id == work.business_id, _B.line_id == held.line.id)
    await work.execute(sa.update(Balance).where(here).values(locked_through=held.day))
    return closing_out(Closing(**values), digits)


async def _opening(work: Work, line_id: uuid.UUID) -> int:
    """What was counted when the line was closed last."""
    last = sa.select(_C.counted).where(_C.business_id == work.business_id, _C.line_id == line_id)
    counted: int | None = (await work.execute(last.order_by(_C.business_date.desc()).limit(1))).scalar_one_or_none()
    return counted or 0
