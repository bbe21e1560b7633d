"""Cash taken to the bank: noted by whoever takes it, proved by the bank's line, never changed."""

from __future__ import annotations

import uuid
from typing import Any, Final

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import exponent, format_amount, parse_amount
from kernel.work import Work
from plugins.reconciliation.errors import NotReversible
from plugins.reconciliation.models import Deposit, Line, Match, Source
from plugins.reconciliation.schemas.reports import DepositIn, DepositOut

_D, _L = Deposit.__table__, Line.__table__.c


def deposits(work: Work) -> sa.Select[Any]:
    """Deposits of the business, with the bank's line that tells of each."""
    proved = sa.and_(
        Match.business_id == _D.c.business_id, Match.subject_kind == "deposit", Match.subject_id == _D.c.id
    )
    return (
        sa.select(_D, Match.line_id)
        .select_from(_D.outerjoin(Match.__table__, proved))
        .where(_D.c.business_id == work.business_id)
    )


async def note_deposit(work: Work, data: DepositIn) -> DepositOut:
    """Note cash that is taken to a bank. Raises NotFound, Invalid."""
    await _check(work, data)
    amount = parse_amount(data.amount, work.shop.exponent)
    if not amount:
        raise Invalid.at("/amount", "A deposit is above zero")
    id_ = new_id()
    said = {"reference": data.reference, "note": data.note, "business_date": data.business_date}
    await _insert(work, id_, data.source_id, data.location_id, amount, **said)
    again = _L.kind == "payment", _L.outcome == "missing_here", _L.gross == amount
    mine = sa.and_(_L.business_id == work.business_id, _L.source_id == data.source_id, *again)
    await work.execute(sa.update(Line).where(mine).values(outcome="new"))
    work.later("reconciliation.match", {"source_id": str(data.source_id)})
    work.audit(subject=f"deposit:{id_}", location_id=data.location_id, amount=data.amount, number=data.reference)
    return await find_deposit(work, id_)


async def take_back(work: Work, deposit_id: uuid.UUID, note: str) -> DepositOut:
    """Take a deposit back by its mirror image. Raises NotFound; NotReversible for one that the bank has stated."""
    row = await _row(work, deposit_id)
    if row.reverses_id is not None or row.line_id is not None:
        raise NotReversible
    reversed_ = sa.select(_D.c.id).where(_D.c.business_id == work.business_id, _D.c.reverses_id == deposit_id)
    if (await work.execute(reversed_)).first() is not None:
        raise NotReversible
    await work.write()
    id_ = new_id()
    said = {"reference": row.reference, "note": note, "business_date": row.business_date, "reverses_id": deposit_id}
    await _insert(work, id_, row.source_id, row.location_id, -row.amount, **said)
    work.audit(subject=f"deposit:{deposit_id}", reason=note, location_id=row.location_id)
    return await find_deposit(work, id_)


async def find_deposit(work: Work, deposit_id: uuid.UUID) -> DepositOut:
    """One deposit. Raises NotFound."""
    return deposit_out(await _row(work, deposit_id))


def deposit_out(row: Any) -> DepositOut:
    """A deposit as it is answered."""
    return DepositOut(
        row.id,
        row.source_id,
        row.location_id,
        row.business_date,
        format_amount(row.amount, exponent(row.currency)),
        row.currency,
        row.reference,
        row.note,
        row.at,
        row.by_name,
        row.reverses_id,
        row.line_id,
    )


async def _row(work: Work, deposit_id: uuid.UUID) -> Any:
    row = (await work.execute(deposits(work).where(_D.c.id == deposit_id))).one_or_none()
    if row is None:
        raise NotFound
    work.see_location(row.location_id)
    return row


async def _check(work: Work, data: DepositIn) -> None:
    try:
        await work.get(Location, data.location_id)
    except NotFound as fault:
        raise NotFound.at("/location_id", "There is no such location") from fault
    try:
        source = await work.get(Source, data.source_id)
    except NotFound as fault:
        raise NotFound.at("/source_id", "There is no such source") from fault
    if not source.is_bank:
        raise Invalid.at("/source_id", "Cash is taken to a bank account; mark the source as one")


async def _insert(
    work: Work, id_: uuid.UUID, source_id: uuid.UUID, location_id: uuid.UUID, amount: int, **said: Any
) -> None:
    fresh = {
        "business_id": work.business_id,
        "id": id_,
        "source_id": source_id,
        "location_id": location_id,
        "amount": amount,
        "currency": work.shop.currency,
        "at": work.now,
        "by_id": work.actor.id,
        "by_name": work.actor.name,
    }
    await work.write()
    await work.execute(sa.insert(Deposit).values(fresh | said))


COLUMNS: Final = _D.c
