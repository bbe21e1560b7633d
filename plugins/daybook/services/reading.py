"""A day of the book: opening, movement and closing of each account, computed from the entries and never stored."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from kernel.money import format_amount
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.daybook.models import Entry, Expense
from plugins.daybook.schemas import AccountDay, DayOut, EntryOut, EntryQuery, ExpenseOut, ExpenseQuery
from plugins.daybook.services.entering import expense_out

_E = Entry.__table__.c
_SIGNED = sa.case((_E.direction == "in", _E.amount), (_E.direction == "out", -_E.amount), else_=0)


async def read_day(work: Work, day: dt.date, location_id: uuid.UUID | None) -> DayOut:
    """A business day in two queries: its accounts, its documents."""
    exponent = work.shop.exponent
    here = [_E.business_id == work.shop.id, work.here(_E.location_id)]
    if location_id is not None:
        here.append(_E.location_id == location_id)
    accounts = await work.execute(
        sa.select(
            _E.account,
            _sum(_SIGNED, _E.business_date < day).label("opening"),
            _sum(_E.amount, sa.and_(_E.business_date == day, _E.direction == "in")).label("received"),
            _sum(_E.amount, sa.and_(_E.business_date == day, _E.direction == "out")).label("paid"),
        )
        .where(*here, _E.account.is_not(None), _E.business_date <= day)
        .group_by(_E.account)
        .order_by(_E.account)
    )
    documents = await work.execute(
        sa.select(_E.kind, sa.func.count(), sa.func.sum(_E.amount))
        .where(*here, _E.business_date == day)
        .group_by(_E.kind)
    )
    found = {row[0]: (row[1], int(row[2])) for row in map(tuple, documents.all())}
    sales, voids = found.get("sale", (0, 0)), found.get("void", (0, 0))
    spent = found.get("expense", (0, 0))[1] - found.get("expense_reversal", (0, 0))[1]
    return DayOut(
        business_date=day,
        location_id=location_id,
        currency=work.shop.currency,
        sales=sales[0],
        sales_total=format_amount(sales[1], exponent),
        voids=voids[0],
        voids_total=format_amount(voids[1], exponent),
        expenses_total=format_amount(spent, exponent),
        accounts=[_account(row, exponent) for row in accounts.all()],
    )


async def list_entries(work: Work, query: EntryQuery) -> Page[EntryOut]:
    """Entries day by day, those of a day in the order they happened."""
    statement = sa.select(Entry.__table__).where(_E.business_id == work.shop.id)
    for name in ("business_date", "location_id", "kind", "account"):
        wanted = getattr(query, name)
        if wanted is not None:
            statement = statement.where(_E[name] == wanted)
    exponent = work.shop.exponent
    order = [_E.business_date, _E.at, _E.id]
    return await page(work, statement, query, order=order, make=lambda row: _entry(row, exponent))


async def list_expenses(work: Work, query: ExpenseQuery) -> Page[ExpenseOut]:
    """Expenses, newest first."""
    table, mirror = Expense.__table__, Expense.__table__.alias()
    takes_back = sa.and_(mirror.c.business_id == table.c.business_id, mirror.c.reverses_id == table.c.id)
    reversed_by = sa.select(mirror.c.id).where(takes_back).correlate(table).scalar_subquery()
    statement = sa.select(table, reversed_by.label("reversed_by_id")).where(table.c.business_id == work.shop.id)
    for name in ("business_date", "location_id"):
        wanted = getattr(query, name)
        if wanted is not None:
            statement = statement.where(table.c[name] == wanted)
    exponent = work.shop.exponent
    return await page(
        work,
        statement,
        query,
        order=[table.c.id],
        make=lambda row: expense_out(row, row.number, exponent, row.reversed_by_id),
        descending=True,
    )


def _sum(amount: Any, where: Any) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(amount).filter(where), 0)


def _account(row: Any, exponent: int) -> AccountDay:
    opening, received, paid = int(row.opening), int(row.received), int(row.paid)
    return AccountDay(
        row.account,
        format_amount(opening, exponent),
        format_amount(received, exponent),
        format_amount(paid, exponent),
        format_amount(opening + received - paid, exponent),
    )


def _entry(row: Any, exponent: int) -> EntryOut:
    return EntryOut(
        row.id,
        row.business_date,
        row.at,
        row.location_id,
        row.register_id,
        row.kind,
        row.document_kind,
        row.document_id,
        row.document_number,
        row.account,
        row.direction,
        format_amount(row.amount, exponent),
        row.currency,
        row.words,
        row.by_name,
    )
