"""Everything that moved on a line between two days, as CSV."""

from __future__ import annotations

import io
import uuid
from typing import Any

import sqlalchemy as sa

from kernel.cells import figure
from kernel.money import format_amount
from kernel.web import csv_line
from kernel.wire import Download
from kernel.work import Work
from plugins.agent_float.models import AgentLine, Entry, Transaction
from plugins.agent_float.schemas import SpanQuery
from plugins.agent_float.services.reporting import span_of

_E, _T = Entry.__table__.c, Transaction.__table__.c
HEAD = ("business_date", "at", "number", "kind", "in", "out", "balance", "commission", "fee", "reference", "note", "by")


async def export_entries(work: Work, line_id: uuid.UUID, query: SpanQuery) -> Download:
    """The entries of a line, oldest first, each with what stood on the line after it. Raises NotFound, Invalid."""
    line = await work.get(AgentLine, line_id)
    since, until = await span_of(work, line, query)
    of_line = sa.and_(_E.business_id == work.business_id, _E.line_id == line.id)
    before = sa.select(sa.func.coalesce(sa.func.sum(_E.amount), 0)).where(of_line, _E.business_date < since)
    balance = int((await work.execute(before)).scalar_one())
    rows = await work.execute(
        sa.select(
            _E.business_date,
            _E.at,
            _T.number,
            _E.kind,
            _E.amount,
            _T.commission,
            _T.fee,
            _T.reference,
            _T.note,
            _T.by_name,
        )
        .join(Transaction, sa.and_(_T.business_id == _E.business_id, _T.id == _E.transaction_id))
        .where(of_line, _E.business_date.between(since, until))
        .order_by(_E.business_date, _E.id)
    )
    digits, file = work.shop.exponent, io.BytesIO()
    file.write(csv_line(HEAD))
    for row in rows:
        balance += row.amount
        file.write(
            csv_line(
                (
                    row.business_date,
                    row.at.isoformat(),
                    row.number,
                    row.kind,
                    *(figure(format_amount(one, digits)) for one in _figures(row, balance)),
                    row.reference,
                    row.note,
                    row.by_name,
                )
            )
        )
    file.seek(0)
    return Download(file, "text/csv; charset=utf-8", f"{line.code}-{since}-{until}.csv")


def _figures(row: Any, balance: int) -> tuple[int, ...]:
    """In, out, what stands after it, commission and fee."""
    return max(row.amount, 0), max(-row.amount, 0), balance, row.commission, row.fee
