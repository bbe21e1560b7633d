"""Lines of statements kept once each, however often and by whichever way they are stated."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from kernel.db import new_id, upsert
from kernel.work import Work
from plugins.payments.api import StatementLine, clean_line
from plugins.reconciliation.models import Line, StatedDay
from plugins.reconciliation.rules.days import day_of

AT_ONCE: Final = 500
_L = Line.__table__.c
_LATER: Final = ("fee", "tax", "settlement_id", "settlement_ref", "money_key", "merchant_ref", "payer", "refund_id")
"""Columns that a line may be given when it is stated again."""


class Kept(Struct, frozen=True):
    """How many lines were new, told more than was known of them, or said nothing new."""

    fresh: int = 0
    changed: int = 0
    known: int = 0

    def plus(self, other: Kept) -> Kept:
        """Both together."""
        return Kept(self.fresh + other.fresh, self.changed + other.changed, self.known + other.known)


async def keep_lines(work: Work, source_id: uuid.UUID, zone: str, lines: Iterable[StatementLine]) -> Kept:
    """Keep lines of a source, each once by its key. What cannot be stored as money is left out.

    One statement for 500 lines: of two that state the same line at once one keeps it, and the other finds it. A line
    that is stated again adds what was not known of it and is looked at anew; another amount is noted, never taken over.
    """
    await work.write()
    sound = {one.line_key: one for line in reversed(list(lines)) if (one := clean_line(line)) is not None}
    rows = [_row(work, source_id, zone, line) for line in reversed(sound.values())]
    kept = Kept()
    for start in range(0, len(rows), AT_ONCE):
        kept = kept.plus(await _upsert(work, rows[start : start + AT_ONCE]))
    return kept


async def mark_stated(work: Work, source_id: uuid.UUID, days: Sequence[dt.date]) -> None:
    """Note that a source has stated days whole; those that were stated before are looked at anew."""
    if not days:
        return
    rows = [
        {"business_id": work.business_id, "source_id": source_id, "day": day, "stated_at": work.now, "checked_at": None}
        for day in days
    ]
    fresh = upsert(work.deployment.database, StatedDay).values(rows)
    again = {"stated_at": fresh.excluded.stated_at, "checked_at": None}
    await work.execute(fresh.on_conflict_do_update(index_elements=["business_id", "source_id", "day"], set_=again))


async def _upsert(work: Work, rows: Sequence[dict[str, Any]]) -> Kept:
    fresh = upsert(work.deployment.database, Line).values(list(rows))
    said = fresh.excluded
    tells_fee = sa.and_(_L.fee.is_(None), said.fee.is_not(None))
    differs = sa.or_(_L.gross != said.gross, _L.currency != said.currency)
    tells_more = sa.or_(*(sa.and_(_L[name].is_(None), said[name].is_not(None)) for name in _LATER))
    changes: dict[str, Any] = {name: sa.func.coalesce(_L[name], said[name]) for name in _LATER}
    changes["net"] = sa.case((sa.and_(tells_fee, sa.not_(differs)), said.net), else_=_L.net)
    changes["is_sound"] = sa.case((sa.and_(tells_fee, sa.not_(differs)), said.is_sound), else_=_L.is_sound)
    changes["is_restated"] = sa.or_(_L.is_restated, differs)
    changes["outcome"] = "new"
    changed = fresh.on_conflict_do_update(
        index_elements=["business_id", "source_id", "line_key"],
        set_=changes,
        where=sa.or_(tells_more, sa.and_(differs, sa.not_(_L.is_restated))),
    )
    told = {row.id for row in await work.execute(changed.returning(_L.id))}
    new = sum(1 for row in rows if row["id"] in told)
    return Kept(new, len(told) - new, len(rows) - len(told))


def _row(work: Work, source_id: uuid.UUID, zone: str, line: StatementLine) -> dict[str, Any]:
    return {
        "business_id": work.business_id,
        "id": new_id(),
        "source_id": source_id,
        "line_key": line.line_key,
        "kind": line.kind,
        "gross": line.gross,
        "fee": line.fee,
        "tax": line.tax,
        "net": line.net_of,
        "is_sound": line.is_sound,
        "currency": line.currency,
        "occurred_at": line.occurred_at,
        "day": day_of(line.occurred_at, zone),
        "money_key": line.money_key,
        "merchant_ref": line.merchant_ref,
        "payer": line.payer,
        "refund_id": uuid.UUID(line.refund_id) if line.refund_id else None,
        "ids": dict(line.ids) or None,
        "own_id": next(iter(line.ids.values()), None),
        "settlement_id": line.settlement_id,
        "settlement_ref": line.settlement_ref,
        "said_at": line.said_at,
        "words": line.words,
        "seen_at": work.now,
        "is_restated": False,
        "outcome": "new",
    }
