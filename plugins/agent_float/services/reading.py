"""Transactions, entries and closings, listed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from kernel.money import exponent, format_amount
from kernel.web import page
from kernel.wire import ListQuery, Page
from kernel.work import Work
from plugins.agent_float.models import AgentLine, Closing, Entry, Transaction
from plugins.agent_float.schemas import (
    ClosingOut,
    ClosingQuery,
    EntryOut,
    EntryQuery,
    TransactionOut,
    TransactionQuery,
)
from plugins.agent_float.services.booking import transaction_out
from plugins.agent_float.services.closing import closing_out

_T, _E, _C = Transaction.__table__.c, Entry.__table__.c, Closing.__table__.c


async def list_transactions(work: Work, query: TransactionQuery) -> Page[TransactionOut]:
    """Transactions, the newest first; what they moved is read once for all of them."""
    statement = _filtered(sa.select(Transaction.__table__).where(_T.business_id == work.business_id), _T, query)
    rows = await page(work, statement, query, order=[_T.id], make=lambda row: row, descending=True)
    return structs.replace(rows, items=await _with_lines(work, rows.items))


async def find_transaction(work: Work, transaction_id: uuid.UUID) -> TransactionOut:
    """One transaction. Raises NotFound."""
    return (await _with_lines(work, [await work.get(Transaction, transaction_id)]))[0]


async def list_entries(work: Work, line_id: uuid.UUID, query: EntryQuery) -> Page[EntryOut]:
    """What moved on a line, the newest first. Raises NotFound."""
    line = await work.get(AgentLine, line_id)
    statement = sa.select(Entry.__table__).where(_E.business_id == work.business_id, _E.line_id == line.id)
    digits = work.shop.exponent
    statement = _filtered(statement, _E, query)
    return await page(work, statement, query, order=[_E.id], make=lambda row: _entry_out(row, digits), descending=True)


async def list_closings(work: Work, query: ClosingQuery) -> Page[ClosingOut]:
    """Closings, the newest first."""
    statement = _filtered(sa.select(Closing.__table__).where(_C.business_id == work.business_id), _C, query)
    digits = work.shop.exponent
    return await page(work, statement, query, order=[_C.id], make=lambda row: closing_out(row, digits), descending=True)


def _filtered(statement: sa.Select[Any], columns: Any, query: ListQuery) -> sa.Select[Any]:
    for name in query.__struct_fields__:
        value = getattr(query, name)
        if name in columns and value is not None:
            statement = statement.where(columns[name] == value)
    return statement


async def _with_lines(work: Work, rows: Sequence[Any]) -> list[TransactionOut]:
    moved: dict[uuid.UUID, list[tuple[uuid.UUID, int]]] = {row.id: [] for row in rows}
    here = sa.and_(_E.business_id == work.business_id, _E.transaction_id.in_(list(moved)))
    for row in await work.execute(sa.select(_E.transaction_id, _E.line_id, _E.amount).where(here).order_by(_E.id)):
        moved[row.transaction_id].append((row.line_id, row.amount))
    return [transaction_out(row, moved[row.id], exponent(row.currency)) for row in rows]


def _entry_out(row: Any, digits: int) -> EntryOut:
    return EntryOut(row.id, row.transaction_id, row.kind, format_amount(row.amount, digits), row.business_date, row.at)
