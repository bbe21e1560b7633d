"""What an agent notes: customers served, money moved between lines, commission, capital; and taking back."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from kernel.errors import Invalid
from kernel.work import Work
from plugins.agent_float.errors import AlreadyTakenBack, ReferenceKnown
from plugins.agent_float.models import Entry, Transaction
from plugins.agent_float.rules import REVERSIBLE, Served, moves_of_serving, moves_of_transfer
from plugins.agent_float.schemas import CapitalIn, CommissionIn, ServedIn, TransactionOut, TransferIn
from plugins.agent_float.services.booking import Booked, amount_at, book, hold


async def serve(work: Work, kind: Served, data: ServedIn) -> TransactionOut:
    """Take a customer's cash for float (deposit), or float for cash (withdrawal).

    Raises NotFound, Invalid, DayClosed, ReferenceKnown; LineShort at the flush.
    """
    held = await hold(work, {"cash_line_id": data.cash_line_id, "float_line_id": data.float_line_id})
    cash, emoney = held["cash_line_id"], held["float_line_id"]
    if cash.line.kind != "cash":
        raise Invalid.at("/cash_line_id", f"{cash.line.name} holds no cash")
    if emoney.line.kind != "float":
        raise Invalid.at("/float_line_id", f"{emoney.line.name} holds no float")
    if cash.line.location_id != emoney.line.location_id:
        raise Invalid.at("/cash_line_id", "Cash and float are at different locations")
    await _check_reference(work, kind, data.reference)
    amount = amount_at(work, data.amount, "/amount")
    commission = amount_at(work, data.commission, "/commission", may_be_nothing=True)
    on_cash, on_float = moves_of_serving(kind, amount)
    booked = Booked(amount, commission, 0, data.phone, data.reference, data.note)
    return book(work, kind, [(emoney, on_float), (cash, on_cash)], booked)


async def transfer(work: Work, data: TransferIn) -> TransactionOut:
    """Move money between two lines, at one location or two. Raises as `serve`."""
    if data.from_line_id == data.to_line_id:
        raise Invalid.at("/to_line_id", "Another line than the money comes from")
    held = await hold(work, {"from_line_id": data.from_line_id, "to_line_id": data.to_line_id})
    await _check_reference(work, "transfer", data.reference)
    amount = amount_at(work, data.amount, "/amount")
    fee = amount_at(work, data.fee, "/fee", may_be_nothing=True)
    off, onto = moves_of_transfer(amount, fee)
    booked = Booked(amount, 0, fee, "", data.reference, data.note)
    return book(work, "transfer", [(held["from_line_id"], off), (held["to_line_id"], onto)], booked)


async def commission(work: Work, data: CommissionIn) -> TransactionOut:
    """Note commission that was paid out onto a line. Raises as `serve`."""
    held = await hold(work, {"line_id": data.line_id})
    await _check_reference(work, "commission", data.reference)
    amount = amount_at(work, data.amount, "/amount")
    booked = Booked(amount, reference=data.reference, note=data.note)
    return book(work, "commission", [(held["line_id"], amount)], booked)


async def capital(work: Work, data: CapitalIn) -> TransactionOut:
    """Put the owner's money onto a line, or take it off. Raises as `serve`."""
    held = await hold(work, {"line_id": data.line_id})
    amount = amount_at(work, data.amount, "/amount")
    signed = amount if data.direction == "in" else -amount
    return book(work, "capital", [(held["line_id"], signed)], Booked(amount, note=data.note))


async def reverse(work: Work, transaction_id: uuid.UUID, reason: str) -> TransactionOut:
    """Take a transaction back today, by its mirror image; the first stays.

    Of two at once one finds it taken back. Raises NotFound, AlreadyTakenBack, DayClosed; LineShort at the flush.
    """
    found = await work.get(Transaction, transaction_id)
    if found.kind not in REVERSIBLE:
        raise AlreadyTakenBack(f"This cannot be taken back: {found.kind}")
    here = sa.and_(Entry.business_id == work.business_id, Entry.transaction_id == found.id)
    entries = (await work.execute(sa.select(Entry.__table__).where(here).order_by(Entry.id))).all()
    held = await hold(work, {str(place): entry.line_id for place, entry in enumerate(entries)})
    before = sa.select(Transaction.number).where(
        Transaction.business_id == work.business_id, Transaction.reverses_id == found.id
    )
    number = (await work.execute(before)).scalar_one_or_none()
    if number is not None:
        raise AlreadyTakenBack(f"{found.number} was taken back by {number}")
    moves = [(held[str(place)], -entry.amount) for place, entry in enumerate(entries)]
    work.audit(reason=reason)
    return book(
        work,
        "reversal",
        moves,
        Booked(found.amount, found.commission, found.fee, "", found.reference, reason, found.id),
    )


async def _check_reference(work: Work, kind: str, reference: str) -> None:
    """Refuse what was noted already under the provider's number, unless that was taken back."""
    if not reference:
        return
    other = aliased(Transaction)
    taken_back = sa.exists().where(other.business_id == Transaction.business_id, other.reverses_id == Transaction.id)
    same = sa.select(Transaction.number).where(
        Transaction.business_id == work.business_id,
        Transaction.reference == reference,
        Transaction.kind == kind,
        ~taken_back,
    )
    number = (await work.execute(same.limit(1))).scalar_one_or_none()
    if number is not None:
        raise ReferenceKnown.of(number)
