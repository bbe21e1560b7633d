"""Lines of statements as they are answered, with what of ours each is."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.money import exponent, format_amount
from kernel.work import Work
from plugins.reconciliation.models import Line, Match
from plugins.reconciliation.schemas.statements import LineOut

_L = Line.__table__.c


def lines(work: Work) -> sa.Select[Any]:
    """Lines of the business with their matches."""
    same = sa.and_(Match.business_id == _L.business_id, Match.line_id == _L.id)
    return (
        sa.select(Line.__table__, Match.subject_kind, Match.subject_id, Match.matched_by, Match.difference)
        .select_from(Line.__table__.outerjoin(Match.__table__, same))
        .where(_L.business_id == work.business_id)
    )


def line_out(row: Any) -> LineOut:
    """A line as it is answered."""
    digits = exponent(row.currency)

    def shown(value: int | None) -> str | None:
        return None if value is None else format_amount(value, digits)

    def of(kind: str) -> uuid.UUID | None:
        return row.subject_id if row.subject_kind == kind else None

    return LineOut(
        row.id,
        row.source_id,
        row.kind,
        row.line_key,
        row.money_key,
        row.merchant_ref,
        row.payer,
        format_amount(row.gross, digits),
        shown(row.fee),
        shown(row.tax),
        format_amount(row.net, digits),
        row.currency,
        row.occurred_at,
        row.day,
        row.said_at,
        row.words,
        row.settlement_id,
        row.settlement_ref,
        row.outcome,
        of("payment"),
        of("refund"),
        of("deposit"),
        row.matched_by,
        shown(row.difference),
    )
