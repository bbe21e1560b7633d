"""Sources, lines and differences over the API; reports and files stand beside."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from kernel.errors import AlreadyExists, RateLimited
from kernel.web import Scene, Takes, command, flow, page, query
from kernel.wire import Download, Page, Reply, Upload
from kernel.work import ApprovalNotValid, ApprovalRequired, Work
from plugins.payments.api import AlreadyClaimed, NotAwaited
from plugins.reconciliation.errors import (
    DifferenceClosed,
    NotFetched,
    NotReversible,
    ResolutionNotOffered,
    StatementNotReady,
    StatementRefused,
)
from plugins.reconciliation.models import Deposit, Difference, Import, Line, Posting, Source
from plugins.reconciliation.schemas.differences import (
    DifferenceOut,
    DifferenceQuery,
    DifferenceWhole,
    PostingOut,
    PostingQuery,
    ResolveIn,
    ReverseIn,
)
from plugins.reconciliation.schemas.reports import (
    DayQuery,
    DayReport,
    DepositBack,
    DepositIn,
    DepositOut,
    DepositQuery,
    ExportQuery,
    SettlementQuery,
    SettlementsOut,
    TruthOut,
    TruthQuery,
)
from plugins.reconciliation.schemas.sources import SourceIn, SourceOut, SourcePatch, SourceQuery
from plugins.reconciliation.schemas.statements import ImportOut, ImportQuery, LineOut, LineQuery, UploadQuery
from plugins.reconciliation.services import depositing, fetching, importing, reporting, resolving, sources, truth
from plugins.reconciliation.services.lines import line_out, lines
from plugins.reconciliation.services.suggesting import candidates

SEE, MANAGE, RESOLVE, BANK = (f"reconciliation.{one}" for one in ("see", "manage", "resolve", "bank"))
FILES: Final = Takes(tuple(importing.KINDS), 20 * 1024 * 1024, longest_s=importing.LONGEST_S)
_D, _I, _L, _P, _S, _X = (one.__table__.c for one in (Deposit, Import, Line, Posting, Source, Difference))
_HERE: Final = "/api/v1/reconciliation"


@query("/sources", permission=SEE)
async def list_sources(work: Work, query: SourceQuery) -> Page[SourceOut]:
    """Who states money: accounts at gateways by themselves, banks and terminals as they were added."""
    statement: sa.Select[Any] = sa.select(Source.__table__).where(_S.business_id == work.business_id)
    statement = statement.where(*_filters(query, {"is_on": _S.is_on}))
    return await page(work, statement, query, order=[_S.id], make=sources.source_out)


@query("/sources/{source_id}", permission=SEE)
async def get_source(work: Work, source_id: uuid.UUID) -> Reply[SourceOut]:
    """One source."""
    row = await work.get(Source, source_id)
    return Reply(sources.source_out(row), version=row.version)


@command("POST", "/sources", permission=MANAGE, errors=(AlreadyExists,))
async def add_source(work: Work, data: SourceIn) -> Reply[SourceOut]:
    """Add a bank account or a terminal whose statements come as files."""
    row = await sources.add_source(work, data)
    return Reply(sources.source_out(row), version=row.version, location=f"{_HERE}/sources/{row.id}")


@command("PATCH", "/sources/{source_id}", permission=MANAGE, errors=(AlreadyExists,))
async def change_source(work: Work, source_id: uuid.UUID, data: SourcePatch) -> Reply[SourceOut]:
    """Change a source, how its files are read, or switch it off."""
    row = await sources.change_source(work, source_id, data)
    return Reply(sources.source_out(row), version=row.version)


@command("POST", "/sources/{source_id}/fetch", permission=MANAGE, status=202, errors=(NotFetched, RateLimited))
async def fetch_statement(work: Work, source_id: uuid.UUID) -> SourceOut:
    """Have the statement of an account at a gateway fetched now; it is twice a day without being asked for."""
    return await fetching.fetch_now(work, source_id)


@flow(
    "POST",
    "/sources/{source_id}/imports",
    permission=MANAGE,
    status=201,
    takes=FILES,
    errors=(StatementRefused,),
)
async def check_statement(scene: Scene, source_id: uuid.UUID, query: UploadQuery, upload: Upload) -> ImportOut:
    """Read a statement that comes as CSV or XLSX, at most 20 MiB and 100,000 rows; nothing is taken in yet.

    How it is laid out is what the source says, or is found: the row of headings, what stands between cells, in which
    order days are written, debit and credit or one signed amount. The answer says so, and what is wrong with which
    rows. Its days, from the first line to the last, count as stated whole, unless `first_day` and `last_day` say else.
    """
    return await importing.check_statement(scene, source_id, upload, query)


@query("/imports", permission=SEE)
async def list_statement_imports(work: Work, query: ImportQuery) -> Page[ImportOut]:
    """Files of statements, the newest first; kept for a week."""
    statement: sa.Select[Any] = sa.select(Import.__table__).where(_I.business_id == work.business_id)
    statement = statement.where(*_filters(query, {"source_id": _I.source_id}))
    digits = work.shop.exponent
    return await page(
        work,
        statement,
        query,
        order=[_I.id],
        make=lambda row: importing.import_out(row, digits),
        descending=True,
    )


@query("/imports/{statement_id}", permission=SEE)
async def get_statement_import(work: Work, statement_id: uuid.UUID) -> ImportOut:
    """How far a file is, and what is wrong with which rows."""
    return importing.import_out(await work.get(Import, statement_id), work.shop.exponent)


@command("POST", "/imports/{statement_id}/apply", permission=MANAGE, status=202, errors=(StatementNotReady,))
async def apply_statement(work: Work, statement_id: uuid.UUID) -> ImportOut:
    """Take a checked file in, part by part. Lines that are known add nothing; its layout is kept for the next file."""
    return await importing.apply_import(work, statement_id)


@query("/lines", permission=SEE)
async def list_lines(work: Work, query: LineQuery) -> Page[LineOut]:
    """Lines of statements in the order they became known, with what of ours each is."""
    columns = {name: _L[name] for name in ("source_id", "outcome", "kind", "day", "money_key")}
    statement = lines(work).where(*_filters(query, columns))
    return await page(work, statement, query, order=[_L.id], make=line_out)


@query("/differences", permission=SEE)
async def list_differences(work: Work, query: DifferenceQuery) -> Page[DifferenceOut]:
    """On what books and statements do not agree, the newest first. Each says what may be decided."""
    columns = {name: _X[name] for name in ("source_id", "kind", "state", "day")}
    statement = resolving.QUEUE.where(_X.business_id == work.business_id, *_filters(query, columns))
    return await page(work, statement, query, order=[_X.id], make=resolving.difference_out, descending=True)


@query("/differences/{difference_id}", permission=SEE)
async def get_difference(work: Work, difference_id: uuid.UUID) -> DifferenceWhole:
    """One difference, the payments it may be about, and what was booked of it."""
    row = await resolving.row_of(work, difference_id)
    booked = sa.select(Posting.__table__).where(_P.business_id == work.business_id, _P.difference_id == difference_id)
    postings = [resolving.posting_out(one) for one in await work.execute(booked.order_by(_P.id))]
    return DifferenceWhole(resolving.difference_out(row), await candidates(work, row), postings)


@command(
    "POST",
    "/differences/{difference_id}/resolve",
    permission=RESOLVE,
    status=200,
    moves=True,
    errors=(
        AlreadyClaimed,
        ApprovalNotValid,
        ApprovalRequired,
        DifferenceClosed,
        NotAwaited,
        ResolutionNotOffered,
    ),
)
async def resolve_difference(work: Work, difference_id: uuid.UUID, data: ResolveIn) -> DifferenceOut:
    """Decide about a difference, once, with a reason.

    `claim` puts the money onto an open sale. `record_fee`: the provider kept it. `accept` books it as over or short and
    `write_off` as lost, as far as the permission to write off reaches. `unidentified` keeps it as money of somebody not
    known yet. `not_ours` and `dismiss` book nothing. Of two people at once one decides.
    """
    return await resolving.resolve(work, difference_id, data)


@command(
    "POST",
    "/differences/{difference_id}/reverse",
    permission=RESOLVE,
    status=200,
    moves=True,
    errors=(NotReversible,),
)
async def reverse_decision(work: Work, difference_id: uuid.UUID, data: ReverseIn) -> DifferenceOut:
    """Take a decision back: its mirror image is booked, and the difference is open again."""
    return await resolving.reverse(work, difference_id, data.note)


@query("/postings", permission=SEE)
async def list_postings(work: Work, query: PostingQuery) -> Page[PostingOut]:
    """What decisions came to in the books, the newest first."""
    statement: sa.Select[Any] = sa.select(Posting.__table__).where(_P.business_id == work.business_id)
    statement = statement.where(*_filters(query, {"difference_id": _P.difference_id, "day": _P.day}))
    return await page(work, statement, query, order=[_P.id], make=resolving.posting_out, descending=True)


@query("/days/{date}", permission=SEE)
async def get_statement_day(work: Work, date: dt.date, query: DayQuery) -> DayReport:
    """A day of each source by its own clock: lines, matched, missing, extra, differing, refunds, fees."""
    return await reporting.day_report(work, date, query.source_id)


@flow("GET", "/export", permission=SEE, longest_s=importing.LONGEST_S)
async def export_statement_days(scene: Scene, query: ExportQuery) -> Download:
    """The daily reports of a span of days as CSV."""
    return await reporting.export(scene, query)


@query("/settlements", permission=SEE)
async def list_settlements(work: Work, query: SettlementQuery) -> SettlementsOut:
    """Payouts to the bank: what their lines come to, what the provider says it paid, what the bank says arrived."""
    return await reporting.settlements(work, query)


@query("/truth/{date}", permission=SEE)
async def get_truth(work: Work, date: dt.date, query: TruthQuery) -> TruthOut:
    """Whether the till's takings of a business day are what providers and banks say, by location and way of paying."""
    return await truth.truth(work, date, query.location_id)


@query("/deposits", permission=SEE)
async def list_deposits(work: Work, query: DepositQuery) -> Page[DepositOut]:
    """Cash that was taken to the bank, the newest first."""
    columns = {"location_id": _D.location_id, "business_date": _D.business_date}
    statement = depositing.deposits(work).where(*_filters(query, columns))
    return await page(work, statement, query, order=[_D.id], make=depositing.deposit_out, descending=True)


@command("POST", "/deposits", permission=BANK, moves=True)
async def note_deposit(work: Work, data: DepositIn) -> Reply[DepositOut]:
    """Note cash that is taken to the bank. The bank's statement proves it, by the number of the slip."""
    return Reply(await depositing.note_deposit(work, data))


@command("POST", "/deposits/{deposit_id}/reverse", permission=BANK, moves=True, errors=(NotReversible,))
async def reverse_deposit(work: Work, deposit_id: uuid.UUID, data: DepositBack) -> Reply[DepositOut]:
    """Take a deposit back by its mirror image, as long as no bank has stated it."""
    return Reply(await depositing.take_back(work, deposit_id, data.note))


def _filters(query: Struct, columns: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    asked = ((column, getattr(query, name)) for name, column in columns.items())
    return [column == value for column, value in asked if value is not None]
