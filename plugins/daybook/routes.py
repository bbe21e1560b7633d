"""Days, entries and expenses."""

from __future__ import annotations

import datetime as dt
import uuid

from kernel.web import Scene, command, flow, query
from kernel.wire import Download, Page, Reply
from kernel.work import Work
from plugins.daybook import services
from plugins.daybook.errors import AlreadyReversed
from plugins.daybook.schemas import (
    DayOut,
    DayQuery,
    EntryExport,
    EntryOut,
    EntryQuery,
    ExpenseIn,
    ExpenseOut,
    ExpenseQuery,
    ReversalIn,
)

LONGEST_S = 120.0
"""How long an export may take, in seconds."""


@query("/days/{date}", permission="daybook.see")
async def get_day(work: Work, date: dt.date, query: DayQuery) -> DayOut:
    """A business day: sales, voids, expenses, and opening, movement and closing of each account.

    Opening is all that moved before the day; closing is the next day's opening.
    """
    return await services.read_day(work, date, query.location_id)


@query("/entries", permission="daybook.see")
async def list_entries(work: Work, query: EntryQuery) -> Page[EntryOut]:
    """The entries of the book, day by day, those of a day in the order they happened."""
    return await services.list_entries(work, query)


@flow("GET", "/entries/export", permission="daybook.see", longest_s=LONGEST_S)
async def export_entries(scene: Scene, query: EntryExport) -> Download:
    """The entries of a period as CSV or XLSX, day by day, those of a day in the order they happened.

    `sold` is of documents: a sale above zero, its void below; `in` and `out` are of money, by its `account`. Their
    sums are those of the days. Times are by the clock of the business.
    """
    return await services.export_entries(scene, query)


@command("POST", "/expenses", permission="daybook.expense", moves=True)
async def note_expense(work: Work, data: ExpenseIn) -> Reply[ExpenseOut]:
    """Note money paid out."""
    return Reply(await services.note_expense(work, data))


@query("/expenses", permission="daybook.see")
async def list_expenses(work: Work, query: ExpenseQuery) -> Page[ExpenseOut]:
    """Expenses and their reversals, newest first."""
    return await services.list_expenses(work, query)


@command("POST", "/expenses/{expense_id}/reverse", permission="daybook.expense", moves=True, errors=(AlreadyReversed,))
async def reverse_expense(work: Work, expense_id: uuid.UUID, data: ReversalIn) -> Reply[ExpenseOut]:
    """Take an expense back by its mirror image; the first entry stays."""
    return Reply(await services.reverse_expense(work, expense_id, data.reason))
