"""Entries into the book, and expenses."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import Invalid, NotFound
from kernel.money import BadDecimal, format_amount, parse_amount
from kernel.work import Work, business_date
from plugins.daybook.errors import AlreadyReversed
from plugins.daybook.models import Entry, Expense
from plugins.daybook.schemas import Direction, ExpenseIn, ExpenseOut, Kind
from plugins.daybook.services.events import Event
from plugins.payments.api import methods


def enter(work: Work, event: Event) -> None:
    """Declare one entry."""
    work.insert(
        Entry,
        {
            "id": new_id(),
            "business_date": event.business_date,
            "at": event.at,
            "location_id": event.location_id,
            "register_id": event.register_id,
            "kind": event.kind,
            "document_kind": event.document_kind,
            "document_id": event.document_id,
            "document_number": event.document_number,
            "account": event.account,
            "direction": event.direction,
            "amount": event.amount,
            "currency": work.shop.currency,
            "words": event.words,
            "by_name": event.by_name,
        },
    )


async def note_expense(work: Work, data: ExpenseIn) -> ExpenseOut:
    """Note money paid out. Raises NotFound for an unknown location, Invalid for the method or the amount."""
    place = await work.session.get(Location, (work.business_id, data.location_id))
    if place is None:
        raise NotFound.at("/location_id", "There is no such location")
    if data.method not in methods(work):
        raise Invalid.at("/method", f"Pay with one of {', '.join(methods(work))}", code="unknown-method")
    day = business_date(work.now, ZoneInfo(place.zone), place.day_cutoff)
    expense = Expense(
        id=new_id(),
        business_date=day,
        at=work.now,
        location_id=place.id,
        method=data.method,
        amount=_amount(data.amount, work.shop.exponent),
        category=data.category,
        payee=data.payee,
        note=data.note,
        by_name=work.actor.name,
        reverses_id=None,
    )
    return _declare(work, expense, "expense", "out", f"{data.category}{f' to {data.payee}' if data.payee else ''}")


async def reverse_expense(work: Work, expense_id: uuid.UUID, reason: str) -> ExpenseOut:
    """Take an expense back, today, by its mirror image. Raises NotFound, AlreadyReversed."""
    found = await work.get(Expense, expense_id)
    if found.reverses_id is not None:
        raise AlreadyReversed(f"{found.number} is a reversal itself")
    before = sa.select(Expense.id).where(Expense.business_id == work.business_id, Expense.reverses_id == found.id)
    if (await work.execute(before)).scalar_one_or_none() is not None:
        raise AlreadyReversed(f"{found.number} was reversed before")
    place = await work.get(Location, found.location_id)
    mirror = Expense(
        id=new_id(),
        business_date=business_date(work.now, ZoneInfo(place.zone), place.day_cutoff),
        at=work.now,
        location_id=found.location_id,
        method=found.method,
        amount=found.amount,
        category=found.category,
        payee=found.payee,
        note=reason,
        by_name=work.actor.name,
        reverses_id=found.id,
    )
    work.audit(reason=reason)
    return _declare(work, mirror, "expense_reversal", "in", f"{found.number} taken back: {reason}")


def expense_out(row: Expense, number: str, exponent: int, reversed_by_id: uuid.UUID | None = None) -> ExpenseOut:
    """An expense as it is answered."""
    return ExpenseOut(
        row.id,
        number,
        row.business_date,
        row.at,
        row.location_id,
        row.method,
        format_amount(row.amount, exponent),
        row.category,
        row.payee,
        row.note,
        row.by_name,
        row.reverses_id,
        reversed_by_id,
    )


def _declare(work: Work, expense: Expense, kind: Kind, direction: Direction, words: str) -> ExpenseOut:
    prefix = f"EX-{expense.business_date.year}-"
    number = work.number(f"expense:{prefix}", prefix)
    kept = ("id", "business_date", "at", "location_id", "method", "amount", "category", "payee", "note", "by_name")
    columns = (*kept, "reverses_id")
    work.insert(Expense, {name: getattr(expense, name) for name in columns} | {"number": number})
    enter(
        work,
        Event(
            kind,
            "expense",
            expense.id,
            number,
            expense.business_date,
            expense.at,
            expense.location_id,
            None,
            expense.method,
            direction,
            expense.amount,
            words,
            expense.by_name,
        ),
    )
    work.audit(subject=f"expense:{expense.id}", location_id=expense.location_id)
    return expense_out(expense, number, work.shop.exponent)


def _amount(text: str, exponent: int) -> int:
    try:
        amount = parse_amount(text, exponent)
    except BadDecimal as fault:
        raise Invalid.at("/amount", f"The currency has {exponent} decimals") from fault
    if not amount:
        raise Invalid.at("/amount", "Must be above zero")
    return amount
