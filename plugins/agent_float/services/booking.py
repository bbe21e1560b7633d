"""Booking a transaction: its lines are held, so that none moves on a day that is being closed; balances by effects."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import BadDecimal, format_amount, parse_amount
from kernel.work import Work, business_date
from plugins.agent_float.errors import DayClosed, LineShort
from plugins.agent_float.models import BALANCE, AgentLine, Balance, Entry, Transaction
from plugins.agent_float.rules import COUNTED
from plugins.agent_float.schemas import Kind, MovedOut, TransactionOut

_B = Balance.__table__.c


class Held(NamedTuple):
    """A line with what stands on it, held to the end of the deed. day: the running business day at its location."""

    line: AgentLine
    balance: int
    locked_through: dt.date | None
    day: dt.date


class Booked(NamedTuple):
    """What is noted with a transaction, beside what it moves."""

    amount: int
    commission: int = 0
    fee: int = 0
    phone: str = ""
    reference: str = ""
    note: str = ""
    reverses_id: uuid.UUID | None = None


async def hold(work: Work, ids: Mapping[str, uuid.UUID], *, closed_too: bool = False) -> dict[str, Held]:
    """Lines by the name they go by in the request, held in one order.

    closed_too: those of a closed day as well. Raises NotFound at their pointers, Invalid for one that is not in use,
    DayClosed.
    """
    lines = {name: await _line(work, id_, f"/{name}") for name, id_ in ids.items()}
    held_ids = [one.id for one in lines.values()]
    here = sa.and_(_B.business_id == work.business_id, _B.line_id.in_(held_ids))
    rows = await work.execute(sa.select(Balance.__table__).where(here).order_by(_B.line_id).with_for_update())
    by_line = {row.line_id: row for row in rows}
    days = {one.location_id: await today_at(work, one.location_id) for one in lines.values()}
    found = {
        name: Held(one, by_line[one.id].amount, by_line[one.id].locked_through, days[one.location_id])
        for name, one in lines.items()
    }
    for one in found.values():
        if not closed_too and one.locked_through is not None and one.locked_through >= one.day:
            raise DayClosed(f"{one.line.name}: {one.locked_through} is closed")
    return found


async def today_at(work: Work, location_id: uuid.UUID) -> dt.date:
    """The running business day at a location."""
    place = await work.get(Location, location_id)
    return business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)


def book(work: Work, kind: Kind, moves: Sequence[tuple[Held, int]], booked: Booked) -> TransactionOut:
    """Declare a transaction, its entries, and what they change of balances. moves: of the line it belongs to first.

    At the flush LineShort undoes the deed where a line that is counted would stand below nothing.
    """
    first, id_ = moves[0][0], new_id()
    number = work.number(f"agent_float:{work.now.year}", f"AF-{work.now.year}-")
    values = {
        "id": id_,
        "number": number,
        "kind": kind,
        "location_id": first.line.location_id,
        "business_date": first.day,
        "at": work.now,
        "currency": work.shop.currency,
        "by": work.actor.id,
        "by_name": work.actor.name,
        **booked._asdict(),
    }
    work.insert(Transaction, values)
    for held, amount in moves:
        entry = {"id": new_id(), "transaction_id": id_, "line_id": held.line.id, "kind": kind, "amount": amount}
        work.insert(Entry, entry | {"business_date": held.day, "at": work.now})
        _change(work, held.line, amount)
    work.audit(subject=f"agent_float.transaction:{id_}", location_id=first.line.location_id)
    return transaction_out(
        Transaction(**values), [(held.line.id, amount) for held, amount in moves], work.shop.exponent
    )


def amount_at(work: Work, text: str, pointer: str, *, may_be_nothing: bool = False) -> int:
    """An amount of the wire in minor units. Raises Invalid."""
    try:
        amount = parse_amount(text, work.shop.exponent)
    except BadDecimal as fault:
        raise Invalid.at(pointer, f"The currency has {work.shop.exponent} decimals") from fault
    if not amount and not may_be_nothing:
        raise Invalid.at(pointer, "Must be above zero")
    return amount


def transaction_out(row: Any, moved: Iterable[tuple[uuid.UUID, int]], digits: int) -> TransactionOut:
    """A transaction's row, with what it moved by line, as it is answered."""
    return TransactionOut(
        row.id,
        row.number,
        row.kind,
        row.location_id,
        row.business_date,
        row.at,
        format_amount(row.amount, digits),
        format_amount(row.commission, digits),
        format_amount(row.fee, digits),
        row.currency,
        row.phone,
        row.reference,
        row.note,
        row.by_name,
        row.reverses_id,
        [MovedOut(line_id, format_amount(amount, digits)) for line_id, amount in moved],
    )


async def _line(work: Work, id_: uuid.UUID, pointer: str) -> AgentLine:
    found = await work.session.get(AgentLine, (work.business_id, id_))
    if found is None or not work.actor.works_at(found.location_id):
        raise NotFound.at(pointer, "There is no such line")
    if not found.is_active:
        raise Invalid.at(pointer, f"{found.name} is not in use")
    return found


def _change(work: Work, line: AgentLine, amount: int) -> None:
    if amount > 0:
        work.increment(BALANCE, (line.id,), amount)
        return
    digits, name = work.shop.exponent, line.name
    short = (lambda left: LineShort.of(name, format_amount(left, digits))) if line.kind in COUNTED else None
    work.decrement(BALANCE, (line.id,), -amount, short)
