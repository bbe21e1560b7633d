"""Statements that find of which payment, refund, payout or deposit of ours a line tells: sets against sets, 1 to 1.

Each answers rows for `reconciliation_match`. What is matched already, on either side, is left alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from plugins.payments.api import provider_money, stated_payments, stated_refunds
from plugins.reconciliation.models import Deposit, Line, Match

COLUMNS: Final = (
    "business_id",
    "line_id",
    "subject_kind",
    "subject_id",
    "matched_by",
    "difference",
    "matched_at",
)
NEAR: Final = dt.timedelta(days=45)
"""A line tells of something of ours that is so near at most, where no provider's number proves it."""
SETTLED_BACK: Final = dt.timedelta(days=60)
"""So long ago a payout may have been stated that arrives at the bank."""
_L = Line.__table__.c


class Batch:
    """Lines of one source that are looked at together. lines: their ids, days, numbers and references; source: its row.

    What of ours they may be is looked for by these numbers, near these days: however long the past, as much is read.
    """

    def __init__(self, business_id: Any, source: Any, lines: Sequence[Any], now: dt.datetime) -> None:
        self.business_id, self.source, self.now = business_id, source, now
        self.ids = [line.id for line in lines]
        self.numbers = sorted({line.money_key for line in lines if line.money_key})
        self.references = sorted({line.merchant_ref for line in lines if line.merchant_ref})
        self.kinds = {line.kind for line in lines}
        days = [line.day for line in lines]
        self.first, self.last = min(days) - NEAR, max(days) + NEAR

    def lines(self, *kinds: str) -> sa.ColumnElement[bool]:
        """Those of some kinds that nothing was found for yet."""
        taken = sa.exists().where(Match.business_id == _L.business_id, Match.line_id == _L.id)
        mine = sa.and_(_L.business_id == self.business_id, _L.id.in_(self.ids))
        return sa.and_(mine, _L.kind.in_(kinds), sa.not_(taken))

    def row(self, kind: str, subject_id: Any, by: str, difference: Any) -> tuple[Any, ...]:
        """The columns of a match."""
        said = (sa.literal(kind), subject_id, sa.literal(by), difference, sa.literal(self.now, _L.seen_at.type))
        named = zip(COLUMNS, (_L.business_id, _L.id, *said), strict=True)
        return tuple(column.label(name) for name, column in named)


def statements(batch: Batch) -> Iterator[sa.Select[Any]]:
    """The statements in the order in which they count; each is to be carried out before the next is asked."""
    source = batch.source
    if source.account_id is not None:
        yield _by_money(batch)
        yield _by_reference(batch, "merchant_ref")
        if "refund" in batch.kinds:
            yield from _refunds(batch)
    elif source.methods:
        yield _by_number(batch)
        yield _by_reference(batch, "reference")
    if source.is_bank:
        yield _payouts(batch)
        yield _deposits(batch)


def free(subject_kind: str, table: Any) -> sa.ColumnElement[bool]:
    """Of rows of ours: those that no line tells of."""
    taken = sa.exists().where(
        Match.business_id == table.c.business_id,
        Match.subject_kind == subject_kind,
        Match.subject_id == table.c.id,
    )
    return sa.not_(taken)


def _payments_of(batch: Batch, column: str, keys: Sequence[str]) -> Any:
    """The payments that a source states and no line tells of, by what they are called; read once."""
    source, p = batch.source, stated_payments()
    mine = p.c.account_id == source.account_id if source.account_id else p.c.method.in_(source.methods)
    here = [p.c.location_id == source.location_id] if source.location_id else []
    near = p.c.business_date.between(batch.first, batch.last)
    found = sa.select(p).where(p.c.business_id == batch.business_id, mine, *here, near, p.c[column].in_(keys))
    return found.where(free("payment", p)).cte("ours").prefix_with("MATERIALIZED")


def _by_money(batch: Batch) -> sa.Select[Any]:
    """By the provider's number of the money, which counts for one payment."""
    m, p = provider_money(), stated_payments()
    money = sa.and_(
        m.c.business_id == _L.business_id, m.c.account_id == batch.source.account_id, m.c.money_key == _L.money_key
    )
    paid = sa.and_(p.c.business_id == m.c.business_id, p.c.id == m.c.payment_id, p.c.currency == _L.currency)
    return (
        sa.select(*batch.row("payment", p.c.id, "money_key", _L.gross - p.c.amount))
        .select_from(Line.__table__.join(m, money).join(p, paid))
        .where(batch.lines("payment"), free("payment", p))
        .order_by(_L.id)
    )


def _by_number(batch: Batch) -> sa.Select[Any]:
    """By the number that was typed at the till; of a number that was typed twice, the payment of the same amount."""
    p = _payments_of(batch, "reference", batch.numbers)
    is_same = sa.case((p.c.amount == _L.gross, 0), else_=1)
    nth = sa.func.row_number().over(partition_by=_L.id, order_by=(is_same, p.c.id))
    same = sa.and_(p.c.business_id == _L.business_id, p.c.reference == _L.money_key, p.c.currency == _L.currency)
    found = (
        sa.select(*batch.row("payment", p.c.id, "money_key", _L.gross - p.c.amount), nth.label("nth"))
        .select_from(Line.__table__.join(p, same))
        .where(batch.lines("payment"))
        .subquery()
    )
    return sa.select(*(found.c[name] for name in COLUMNS)).where(found.c.nth == 1).order_by(found.c.line_id)


def _by_reference(batch: Batch, column: str) -> sa.Select[Any]:
    """By our reference and the amount; of several the first line is the first payment."""
    p = _payments_of(batch, column, batch.references)
    lines = _numbered(_L.id, _L.merchant_ref, _L.gross, batch.lines("payment"))
    ours = _numbered(p.c.id, p.c[column], p.c.amount)
    return _one_to_one(batch, lines, ours, "payment", "reference")


def _refunds(batch: Batch) -> Iterator[sa.Select[Any]]:
    """By our id of the refund, by what the provider calls it, then by its payment and the amount."""
    r, m = _refunds_of(batch), provider_money()
    named = sa.or_(r.c.id == _L.refund_id, r.c.called.like(sa.literal('%"').concat(_L.own_id).concat('"%')))
    yield (
        sa.select(*batch.row("refund", r.c.id, "money_key", _L.gross + r.c.amount))
        .select_from(Line.__table__.join(r, sa.and_(r.c.business_id == _L.business_id, named)))
        .where(batch.lines("refund"))
        .order_by(_L.id, r.c.id)
    )
    r = _refunds_of(batch)
    of_payment = sa.and_(
        m.c.business_id == r.c.business_id, m.c.account_id == r.c.account_id, m.c.payment_id == r.c.payment_id
    )
    lines = _numbered(_L.id, _L.money_key, -_L.gross, batch.lines("refund"))
    ours = _numbered(r.c.id, m.c.money_key, r.c.amount, of=r.join(m, of_payment))
    yield _one_to_one(batch, lines, ours, "refund", "payment")
    r = _refunds_of(batch)
    lines = _numbered(_L.id, _L.merchant_ref, -_L.gross, batch.lines("refund"))
    yield _one_to_one(batch, lines, _numbered(r.c.id, r.c.merchant_ref, r.c.amount), "refund", "reference")


def _refunds_of(batch: Batch) -> Any:
    """The refunds of a source's account that no line tells of; read once."""
    r = stated_refunds()
    mine = sa.and_(r.c.business_id == batch.business_id, r.c.account_id == batch.source.account_id)
    near = r.c.business_date.between(batch.first, batch.last)
    return sa.select(r).where(mine, near, free("refund", r)).cte("back").prefix_with("MATERIALIZED")


def _payouts(batch: Batch) -> sa.Select[Any]:
    """What arrived at the bank by the bank's number of a payout; held against the sum of the payout's lines."""
    other = Line.__table__.alias()
    young = other.c.occurred_at >= batch.now - SETTLED_BACK
    due = (
        sa.select(other.c.settlement_ref, sa.func.sum(other.c.net).label("due"))
        .where(other.c.business_id == batch.business_id, other.c.source_id != batch.source.id, young)
        .where(other.c.settlement_ref.is_not(None), other.c.kind != "payout")
        .group_by(other.c.settlement_ref)
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    named = sa.or_(
        due.c.settlement_ref == _L.money_key,
        due.c.settlement_ref == _L.merchant_ref,
        _L.words.like(sa.literal("%").concat(due.c.settlement_ref).concat("%")),
    )
    difference = sa.cast(_L.gross - due.c.due, sa.BigInteger())
    return (
        sa.select(*batch.row("settlement", _L.id, "settlement", difference))
        .select_from(Line.__table__.join(due, named))
        .where(batch.lines("payment"), _L.gross > 0)
        .order_by(_L.id)
    )


def _deposits(batch: Batch) -> sa.Select[Any]:
    """Cash that was taken to the bank, by the number of the slip and the amount."""
    d = Deposit.__table__.alias()
    back = Deposit.__table__.alias()
    reversed_ = sa.exists().where(back.c.business_id == d.c.business_id, back.c.reverses_id == d.c.id)
    named = sa.or_(
        d.c.reference == _L.money_key,
        d.c.reference == _L.merchant_ref,
        _L.words.like(sa.literal("%").concat(d.c.reference).concat("%")),
    )
    mine = sa.and_(d.c.business_id == _L.business_id, d.c.source_id == batch.source.id, d.c.currency == _L.currency)
    return (
        sa.select(*batch.row("deposit", d.c.id, "reference", sa.literal(0)))
        .select_from(Line.__table__.join(d, sa.and_(mine, named, d.c.amount == _L.gross)))
        .where(batch.lines("payment"), d.c.amount > 0, d.c.reference != "", sa.not_(reversed_), free("deposit", d))
        .order_by(_L.id, d.c.id)
    )


def _numbered(id_: Any, key: Any, amount: Any, where: Any = None, of: Any = None) -> Any:
    """Rows counted among those of the same key and amount; read once."""
    nth = sa.func.row_number().over(partition_by=(key, amount), order_by=id_)
    chosen = sa.select(id_.label("id"), key.label("key"), amount.label("amount"), nth.label("nth"))
    if of is not None:
        chosen = chosen.select_from(of)
    if where is not None:
        chosen = chosen.where(where)
    name = "stated" if where is not None else "known"
    return chosen.where(key.is_not(None)).cte(name).prefix_with("MATERIALIZED")


def _one_to_one(batch: Batch, lines: Any, ours: Any, kind: str, by: str) -> sa.Select[Any]:
    """The nth line of a key and amount is the nth of ours."""
    same = sa.and_(lines.c.key == ours.c.key, lines.c.amount == ours.c.amount, lines.c.nth == ours.c.nth)
    return (
        sa.select(*batch.row(kind, ours.c.id, by, sa.literal(0)))
        .select_from(Line.__table__.join(lines, lines.c.id == _L.id).join(ours, same))
        .where(_L.business_id == batch.business_id)
        .order_by(_L.id)
    )
