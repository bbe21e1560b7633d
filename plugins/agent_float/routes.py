"""An agent's lines, what moves on them, and their days."""

from __future__ import annotations

import datetime as dt
import uuid

from kernel.errors import AlreadyExists
from kernel.web import command, query
from kernel.wire import Download, Page, Reply
from kernel.work import ApprovalNotValid, ApprovalRequired, Work
from plugins.agent_float import services
from plugins.agent_float.errors import AlreadyTakenBack, DayClosed, LineShort, ReferenceKnown
from plugins.agent_float.schemas import (
    CapitalIn,
    CloseIn,
    ClosingOut,
    ClosingQuery,
    CommissionIn,
    DayOut,
    DayQuery,
    EntryOut,
    EntryQuery,
    LineDay,
    LineIn,
    LineOut,
    LinePatch,
    LineQuery,
    ReverseIn,
    ServedIn,
    SpanQuery,
    TransactionOut,
    TransactionQuery,
    TransferIn,
)

_PATH = "/api/v1/agent_float"
_NOTED = (DayClosed, LineShort, ReferenceKnown)


@command("POST", "/lines", permission="agent_float.manage", moves=True, errors=(AlreadyExists,))
async def add_line(work: Work, data: LineIn) -> Reply[LineOut]:
    """Open a line: a provider's float on a SIM or till, a cash drawer, or a bank account."""
    id_ = await services.add_line(work, data)
    await work.flush()
    line, version = await services.find_line(work, id_)
    return Reply(line, location=f"{_PATH}/lines/{id_}", version=version, living=True)


@query("/lines", permission="agent_float.see")
async def list_lines(work: Work, query: LineQuery) -> Page[LineOut]:
    """Lines, with what stands on each now, in the order they were opened."""
    return await services.list_lines(work, query)


@query("/lines/{line_id}", permission="agent_float.see")
async def get_line(work: Work, line_id: uuid.UUID) -> Reply[LineOut]:
    """One line."""
    line, version = await services.find_line(work, line_id)
    return Reply(line, version=version, living=True)


@command("PATCH", "/lines/{line_id}", permission="agent_float.manage")
async def change_line(work: Work, line_id: uuid.UUID, data: LinePatch) -> Reply[LineOut]:
    """Change a line. One on which money stands cannot be taken out of use."""
    await services.change_line(work, line_id, data)
    await work.flush()
    line, version = await services.find_line(work, line_id)
    return Reply(line, version=version, living=True)


@command("POST", "/deposits", permission="agent_float.serve", moves=True, errors=_NOTED)
async def take_deposit(work: Work, data: ServedIn) -> Reply[TransactionOut]:
    """A customer gives cash and gets float: cash goes up, the float goes down."""
    made = await services.serve(work, "deposit", data)
    return Reply(made, location=f"{_PATH}/transactions/{made.id}")


@command("POST", "/withdrawals", permission="agent_float.serve", moves=True, errors=_NOTED)
async def pay_withdrawal(work: Work, data: ServedIn) -> Reply[TransactionOut]:
    """A customer gives float and gets cash: the float goes up, cash goes down."""
    made = await services.serve(work, "withdrawal", data)
    return Reply(made, location=f"{_PATH}/transactions/{made.id}")


@command("POST", "/transfers", permission="agent_float.move", moves=True, errors=_NOTED)
async def make_transfer(work: Work, data: TransferIn) -> Reply[TransactionOut]:
    """Move money between two lines: cash to the bank, the bank to a float, one float to another.

    `fee` is what it costs on top; it goes off the line that the money comes from.
    """
    made = await services.transfer(work, data)
    return Reply(made, location=f"{_PATH}/transactions/{made.id}")


@command("POST", "/commissions", permission="agent_float.move", moves=True, errors=_NOTED)
async def note_commission(work: Work, data: CommissionIn) -> Reply[TransactionOut]:
    """Note commission that a provider has paid out onto a line."""
    made = await services.commission(work, data)
    return Reply(made, location=f"{_PATH}/transactions/{made.id}")


@command("POST", "/capital", permission="agent_float.manage", moves=True, errors=(DayClosed, LineShort))
async def move_capital(work: Work, data: CapitalIn) -> Reply[TransactionOut]:
    """Put the owner's money onto a line, or take it off."""
    made = await services.capital(work, data)
    return Reply(made, location=f"{_PATH}/transactions/{made.id}")


@query("/transactions", permission="agent_float.see")
async def list_transactions(work: Work, query: TransactionQuery) -> Page[TransactionOut]:
    """All that was noted, the newest first."""
    return await services.list_transactions(work, query)


@query("/transactions/{transaction_id}", permission="agent_float.see")
async def get_transaction(work: Work, transaction_id: uuid.UUID) -> TransactionOut:
    """One transaction."""
    return await services.find_transaction(work, transaction_id)


@command(
    "POST",
    "/transactions/{transaction_id}/reverse",
    permission="agent_float.reverse",
    moves=True,
    errors=(AlreadyTakenBack, DayClosed, LineShort),
)
async def reverse_transaction(work: Work, transaction_id: uuid.UUID, data: ReverseIn) -> Reply[TransactionOut]:
    """Take back what was noted wrongly, by its mirror image today; the first stays.

    Its `reference` may be noted again afterwards. Differences at closing and reversals are not taken back.
    """
    made = await services.reverse(work, transaction_id, data.reason)
    return Reply(made, location=f"{_PATH}/transactions/{made.id}")


@query("/lines/{line_id}/entries", permission="agent_float.see")
async def list_entries(work: Work, line_id: uuid.UUID, query: EntryQuery) -> Page[EntryOut]:
    """What moved on a line, the newest first."""
    return await services.list_entries(work, line_id, query)


@query("/lines/{line_id}/days", permission="agent_float.see")
async def list_days(work: Work, line_id: uuid.UUID, query: SpanQuery) -> list[LineDay]:
    """The days of a line on which something moved or that were closed, oldest first."""
    return await services.read_days(work, line_id, query)


@query("/lines/{line_id}/export", permission="agent_float.see")
async def export_entries(work: Work, line_id: uuid.UUID, query: SpanQuery) -> Download:
    """What moved on a line as CSV, oldest first, each with what stood on the line after it."""
    return await services.export_entries(work, line_id, query)


@query("/days/{date}", permission="agent_float.see")
async def get_day(work: Work, date: dt.date, query: DayQuery) -> DayOut:
    """A business day: opening, movement and closing of every line, and how many customers were served."""
    return await services.read_day(work, date, query.location_id)


@command(
    "POST",
    "/closings",
    permission="agent_float.close",
    moves=True,
    errors=(ApprovalNotValid, ApprovalRequired, DayClosed),
)
async def close_day(work: Work, data: CloseIn) -> list[ClosingOut]:
    """Close the running business day of lines with what was counted on them.

    What differs from what was expected needs a reason, and beyond what the role may close with somebody else's
    approval; it is booked on this day, so that the next opens with what is there. Nothing moves on those lines on a
    closed day any more.
    """
    return await services.close_day(work, data)


@query("/closings", permission="agent_float.see")
async def list_closings(work: Work, query: ClosingQuery) -> Page[ClosingOut]:
    """How lines' days ended, the newest first."""
    return await services.list_closings(work, query)
