"""What a source states of a day and what came of it; settlements; and both as a table."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import IO, Any, Final

import sqlalchemy as sa

from kernel.auth import look
from kernel.cells import figure
from kernel.errors import Invalid
from kernel.money import format_amount
from kernel.web import Scene, csv_line, gathered
from kernel.wire import Download
from kernel.work import Work
from plugins.payments.api import stated_payments
from plugins.reconciliation.models import Difference, Line, Match, Source, StatedDay
from plugins.reconciliation.rules.days import bounds_of, day_of, days_between, is_sane
from plugins.reconciliation.schemas.reports import (
    DayReport,
    ExportQuery,
    SettlementOut,
    SettlementQuery,
    SettlementsOut,
    SourceDay,
    Sum,
)

MOST_DAYS: Final = 366
MOST_SETTLEMENTS: Final = 200
COLUMNS: Final = (
    *("day", "source", "is_stated", "is_closed", "lines", "lines_amount", "matched", "matched_amount"),
    *("missing", "missing_amount", "extra", "extra_amount", "differing", "differing_amount"),
    *("duplicate", "duplicate_amount", "refunds", "refunds_amount", "fees", "net", "open", "open_amount"),
)
_D, _L, _S, _X = StatedDay.__table__.c, Line.__table__.c, Source.__table__, Difference.__table__.c


async def day_report(work: Work, day: dt.date, source_id: uuid.UUID | None) -> DayReport:
    """A day of one source, or of all that are on. Raises NotFound, Invalid."""
    check_days(day)
    if source_id is not None:
        sources: Sequence[Any] = [await work.get(Source, source_id)]
    else:
        on = sa.select(_S).where(_S.c.business_id == work.business_id, _S.c.is_on).order_by(_S.c.id)
        sources = (await work.execute(on)).all()
    return DayReport(day, [await _source_day(work, source, day) for source in sources])


def check_days(*days: dt.date | None) -> None:
    """Raise Invalid for days that no shop has."""
    if any(day is not None and not is_sane(day) for day in days):
        raise Invalid("A day is one from 1970 to 2199")


async def export(scene: Scene, asked: ExportQuery) -> Download:
    """The daily reports of a span of days as CSV. Raises NotFound, Invalid for more than 366 days."""
    check_days(asked.first_day, asked.last_day)
    last = asked.last_day or day_of(scene.deployment.clock(), "UTC") - dt.timedelta(days=1)
    first = asked.first_day or last - dt.timedelta(days=6)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid.at("?last_day", f"At most {MOST_DAYS} days, the first before the last")

    async def note(work: Work) -> str:
        work.audit(subject="reconciliation", first=str(first), last=str(last))
        return f"reconciliation-{work.shop.slug}-{first}-{last}.csv"

    name = await scene.deed(note)
    file = await look(
        scene.deployment,
        scene.standing.business_id,
        lambda work: _table(work, first, last, asked.source_id),
        actor=scene.standing.actor,
    )
    return Download(file, "text/csv", name)


async def settlements(work: Work, query: SettlementQuery) -> SettlementsOut:
    """What payouts come to by their lines, what they say, and what arrived at the bank; the latest first."""
    kept = sa.func.coalesce(_L.fee, 0) + sa.func.coalesce(_L.tax, 0)
    is_part = _L.kind != "payout"
    found = (
        sa.select(
            _L.source_id,
            _L.settlement_id,
            sa.func.max(_L.settlement_ref).label("bank_number"),
            sa.func.min(_L.day).label("first_day"),
            sa.func.max(_L.day).label("last_day"),
            _L.currency,
            sa.func.count().filter(is_part).label("lines"),
            _sum(_L.gross, is_part).label("gross"),
            _sum(kept, is_part).label("kept"),
            _sum(_L.net, is_part).label("net"),
            sa.func.sum(-_L.net).filter(_L.kind == "payout").label("paid_out"),
        )
        .where(_L.business_id == work.business_id, _L.settlement_id.is_not(None))
        .group_by(_L.source_id, _L.settlement_id, _L.currency)
        .order_by(sa.func.max(_L.day).desc(), _L.settlement_id)
        .limit(MOST_SETTLEMENTS)
    )
    if query.source_id is not None:
        found = found.where(_L.source_id == query.source_id)
    if query.since is not None:
        found = found.where(_L.day >= query.since)
    rows = (await work.execute(found)).all()
    arrived = await _arrived(work, [row.bank_number for row in rows if row.bank_number])
    return SettlementsOut([_settlement(work, row, arrived.get(row.bank_number)) for row in rows])


async def _source_day(work: Work, source: Any, day: dt.date) -> SourceDay:
    here = sa.and_(_L.business_id == work.business_id, _L.source_id == source.id, _L.day == day)
    is_money = _L.kind == "payment"
    kept = sa.func.coalesce(_L.fee, 0) + sa.func.coalesce(_L.tax, 0)
    which = {
        "lines": sa.true(),
        "matched": sa.and_(is_money, _L.outcome.in_(("matched", "amount_diff", "fee_diff"))),
        "extra": sa.and_(is_money, _L.outcome == "missing_here"),
        "differing": sa.and_(is_money, _L.outcome.in_(("amount_diff", "fee_diff"))),
        "duplicate": _L.outcome == "duplicate",
        "refunds": _L.kind == "refund",
    }
    counted = [sa.func.count().filter(where).label(f"{name}_count") for name, where in which.items()]
    summed = [_sum(_L.gross, where).label(f"{name}_amount") for name, where in which.items()]
    totals = [_sum(kept, sa.true()).label("fees"), _sum(_L.net, sa.true()).label("net")]
    row = (await work.execute(sa.select(*counted, *summed, *totals).where(here))).one()
    said = sa.select(_D.checked_at).where(_D.business_id == work.business_id, _D.source_id == source.id, _D.day == day)
    stated = (await work.execute(said)).one_or_none()
    digits = work.shop.exponent
    sums = {name: _as_sum(getattr(row, f"{name}_count"), getattr(row, f"{name}_amount"), digits) for name in which}
    return SourceDay(
        source_id=source.id,
        source=source.name,
        day=day,
        currency=work.shop.currency,
        is_stated=stated is not None,
        is_closed=stated is not None and stated.checked_at is not None,
        missing=await _missing(work, source, day),
        fees=format_amount(int(row.fees), digits),
        net=format_amount(int(row.net), digits),
        open=await _open(work, source, day),
        **sums,
    )


async def _missing(work: Work, source: Any, day: dt.date) -> Sum:
    """Our payments of the day that no line tells of, overdue or not."""
    if source.account_id is None and not source.methods:
        return Sum(0, "0")
    p, bounds = stated_payments(), bounds_of(day, source.zone)
    mine = p.c.account_id == source.account_id if source.account_id else p.c.method.in_(source.methods)
    told = sa.exists().where(
        Match.business_id == p.c.business_id, Match.subject_kind == "payment", Match.subject_id == p.c.id
    )
    place = [p.c.location_id == source.location_id] if source.location_id else []
    found = sa.select(sa.func.count().label("n"), _sum(p.c.amount, sa.true()).label("amount")).where(
        p.c.business_id == work.business_id, mine, *place, sa.not_(told), p.c.at >= bounds.since, p.c.at < bounds.until
    )
    row = (await work.execute(found)).one()
    return _as_sum(row.n, row.amount, work.shop.exponent)


async def _open(work: Work, source: Any, day: dt.date) -> Sum:
    here = sa.and_(_X.business_id == work.business_id, _X.source_id == source.id, _X.day == day, _X.state == "open")
    row = (
        await work.execute(
            sa.select(sa.func.count().label("n"), _sum(_X.amount, sa.true()).label("amount")).where(here)
        )
    ).one()
    return _as_sum(row.n, row.amount, work.shop.exponent)


async def _arrived(work: Work, numbers: Sequence[str]) -> dict[str, int]:
    """What the bank says came of payouts, by the bank's numbers."""
    named = sa.or_(_L.money_key.in_(numbers), _L.merchant_ref.in_(numbers), Match.subject_kind == "settlement")
    found = (
        sa.select(_L.money_key, _L.merchant_ref, _L.words, _L.gross)
        .select_from(
            Line.__table__.join(Match.__table__, sa.and_(Match.business_id == _L.business_id, Match.line_id == _L.id))
        )
        .where(_L.business_id == work.business_id, Match.subject_kind == "settlement", named)
    )
    arrived: dict[str, int] = {}
    for row in (await work.execute(found.order_by(_L.id.desc()).limit(2_000))).all():
        for number in numbers:
            if number in (row.money_key, row.merchant_ref) or number in row.words:
                arrived[number] = arrived.get(number, 0) + row.gross
    return arrived


async def _table(work: Work, first: dt.date, last: dt.date, source_id: uuid.UUID | None) -> IO[bytes]:
    async def lines() -> Any:
        yield csv_line(COLUMNS)
        for day in days_between(first, last):
            for one in (await day_report(work, day, source_id)).sources:
                yield csv_line([_cell(one, name) for name in COLUMNS])

    return await gathered(lines())


def _cell(day: SourceDay, name: str) -> Any:
    value = getattr(day, name.removesuffix("_amount"))
    if isinstance(value, Sum):
        return figure(value.amount) if name.endswith("_amount") else value.count
    return figure(value) if name in ("fees", "net") else value


def _settlement(work: Work, row: Any, arrived: int | None) -> SettlementOut:
    digits = work.shop.exponent
    paid_out = None if row.paid_out is None else int(row.paid_out)
    known = [int(row.net), *(one for one in (paid_out, arrived) if one is not None)]
    return SettlementOut(
        row.source_id,
        row.settlement_id,
        row.bank_number,
        row.first_day,
        row.last_day,
        row.lines,
        format_amount(int(row.gross), digits),
        format_amount(int(row.kept), digits),
        format_amount(int(row.net), digits),
        None if paid_out is None else format_amount(paid_out, digits),
        None if arrived is None else format_amount(arrived, digits),
        len(set(known)) == 1 if len(known) > 1 else None,
        row.currency,
    )


def _sum(amount: Any, where: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(amount).filter(where), 0)


def _as_sum(count: int, amount: Any, digits: int) -> Sum:
    return Sum(count, format_amount(int(amount), digits))
