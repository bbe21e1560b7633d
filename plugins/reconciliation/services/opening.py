"""Differences opened where books and statements do not agree, once each, and cleared by what is stated later."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import new_id, upsert
from kernel.work import Work
from plugins.payments.api import stated_payments, stated_refunds
from plugins.reconciliation.models import Deposit, Difference, Line, Match
from plugins.reconciliation.rules.days import bounds_of

AT_ONCE: Final = 1_000
WORDS: Final[Mapping[str, str]] = {
    "missing_here": "Money is stated that nobody here knows",
    "missing_there": "No statement tells of this payment",
    "amount_diff": "Another amount is stated than we took",
    "fee_diff": "More or less was kept than is stated",
    "duplicate": "The same money is stated twice",
    "refund_here": "A refund is stated that nobody here made",
    "settlement_diff": "The payout is not the sum of its lines",
    "restated": "The line was stated again in another amount",
}
_L, _X = Line.__table__.c, Difference.__table__.c


async def open_differences(work: Work, source: Any, ids: Sequence[uuid.UUID]) -> None:
    """Open what lines differ in, once each, and clear what they no longer do."""
    place = _location()
    found = sa.select(Line.__table__, _difference().label("difference"), place.label("location_id")).where(
        _L.business_id == work.business_id,
        _L.id.in_(ids),
        sa.or_(_L.outcome.in_(("missing_here", "amount_diff", "fee_diff", "duplicate")), _L.is_restated),
    )
    rows = []
    for line in (await work.execute(found.order_by(_L.id))).all():
        rows += [_of_line(work, source, line, kind, amount) for kind, amount in _kinds(line, is_bank=source.is_bank)]
    await insert_differences(work, rows)
    await _clear_found(work, ids)


async def open_missing_there(work: Work, source: Any, day: dt.date) -> int:
    """Open what a source does not state of a day that it stated whole; returns how many payments it lacks."""
    bounds = bounds_of(day, source.zone)
    p = stated_payments()
    mine = p.c.account_id == source.account_id if source.account_id else p.c.method.in_(source.methods)
    stated = sa.exists().where(
        Match.business_id == p.c.business_id, Match.subject_kind == "payment", Match.subject_id == p.c.id
    )
    here = [p.c.location_id == source.location_id] if source.location_id else []
    found = sa.select(p).where(p.c.business_id == work.business_id, mine, *here, sa.not_(stated))
    rows = (await work.execute(found.where(p.c.at >= bounds.since, p.c.at < bounds.until).order_by(p.c.id))).all()
    await insert_differences(
        work,
        [
            {
                **row_of(work, source, "missing_there", row.id, day, -row.amount, row.currency),
                "payment_id": row.id,
                "location_id": row.location_id,
            }
            for row in rows
        ],
    )
    return len(rows)


async def insert_differences(work: Work, rows: Sequence[dict[str, Any]]) -> None:
    """Insert differences; of one kind about one thing the first stays."""
    for start in range(0, len(rows), AT_ONCE):
        some = list(rows[start : start + AT_ONCE])
        await work.execute(upsert(work.deployment.database, Difference).values(some).on_conflict_do_nothing())


async def clear_stated(work: Work, source_id: uuid.UUID) -> None:
    """Clear payments that a statement tells of by now."""
    stated = sa.exists().where(
        Match.business_id == _X.business_id, Match.subject_kind == "payment", Match.subject_id == _X.payment_id
    )
    await _clear(work, _X.source_id == source_id, _X.kind == "missing_there", stated)


async def _clear_found(work: Work, ids: Sequence[uuid.UUID]) -> None:
    """Clear what lines were not known for, now that they are."""
    known = sa.exists().where(Match.business_id == _X.business_id, Match.line_id == _X.line_id)
    await _clear(work, _X.about.in_(ids), _X.kind.in_(("missing_here", "refund_here", "duplicate")), known)


async def _clear(work: Work, *where: Any) -> None:
    gone = sa.update(Difference).where(_X.business_id == work.business_id, _X.state == "open", *where)
    by = {"resolved_at": work.now, "resolved_by": None, "resolved_by_name": work.actor.name}
    await work.execute(gone.values(state="cleared", resolution=None, version=_X.version + 1, **by))


def _kinds(line: Any, *, is_bank: bool) -> list[tuple[str, int]]:
    """What a line differs in, and by how much."""
    owed = line.gross - (line.fee or 0) - (line.tax or 0)
    found: list[tuple[str, int]] = [("restated", 0)] if line.is_restated else []
    match line.outcome:
        case "missing_here":
            found.append(("refund_here" if line.kind == "refund" else "missing_here", line.gross))
        case "duplicate":
            found.append(("duplicate", line.gross))
        case "amount_diff":
            found.append(("settlement_diff" if is_bank and line.kind == "payment" else "amount_diff", line.difference))
        case "fee_diff":
            found.append(("fee_diff", line.net - owed))
    return found


def _of_line(work: Work, source: Any, line: Any, kind: str, amount: int) -> dict[str, Any]:
    place = line.location_id or source.location_id
    own = row_of(work, source, kind, line.id, line.day, amount, line.currency)
    return {**own, "line_id": line.id, "payment_id": None, "location_id": place}


def row_of(
    work: Work, source: Any, kind: str, about: uuid.UUID, day: dt.date, amount: int, currency: str
) -> dict[str, Any]:
    """A difference that is open; amount: what the statement says less what we say."""
    return {
        "business_id": work.business_id,
        "id": new_id(),
        "source_id": source.id,
        "kind": kind,
        "about": about,
        "line_id": None,
        "day": day,
        "amount": amount,
        "currency": currency,
        "words": WORDS[kind],
        "state": "open",
        "times": 0,
        "opened_at": work.now,
        "version": 1,
    }


def _difference() -> Any:
    said = sa.select(Match.difference).where(Match.business_id == _L.business_id, Match.line_id == _L.id)
    return sa.func.coalesce(said.correlate(Line.__table__).scalar_subquery(), 0)


def _location() -> Any:
    """Where the payment, refund or deposit of a line was made."""
    p, r, d = stated_payments(), stated_refunds(), Deposit.__table__
    found = []
    for kind, table in (("payment", p), ("refund", r), ("deposit", d)):
        same = sa.and_(
            Match.business_id == _L.business_id,
            Match.line_id == _L.id,
            Match.subject_kind == kind,
            table.c.business_id == Match.business_id,
            table.c.id == Match.subject_id,
        )
        found.append(sa.select(table.c.location_id).where(same).correlate(Line.__table__).scalar_subquery())
    return sa.func.coalesce(*found)
