"""Lines held against the books, batch by batch: money heard, pairs found, outcomes written, differences opened.

Everything of a batch is one deed that holds its source; what decides is a statement and the unique keys of matches, so
that of two at once nothing is matched or opened twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import upsert
from kernel.errors import NotFound
from kernel.work import Work
from plugins.payments.api import GatewayFact, hear_statement, provider_money, stated_payments
from plugins.reconciliation.models import Line, Match, Source
from plugins.reconciliation.services.opening import open_differences
from plugins.reconciliation.services.pairing import COLUMNS, Batch, statements

MATCH: Final = "reconciliation.match"
"""The job that holds the new lines of a source against the books. Payload: `source_id`."""
AT_ONCE: Final = 1_000
HEARD_AT_ONCE: Final = 200
"""Lines of which news is heard in one deed; what nobody knows is put into the tray in one statement."""
NOTED: Final = ("fee", "payout", "dispute", "adjustment")
"""Kinds of lines that nothing of ours is held against."""
_L, _S = Line.__table__.c, Source.__table__


async def match_source(work: Work, source_id: uuid.UUID) -> bool:
    """Hold the next batch of new lines of a source against the books; whether there may be more."""
    source = await hold_source(work, source_id)
    new = sa.select(_L.id).where(_L.business_id == work.business_id, _L.source_id == source.id, _L.outcome == "new")
    ids: Sequence[uuid.UUID] = [row.id for row in await work.execute(new.order_by(_L.id).limit(AT_ONCE))]
    if not ids:
        return False
    asked = len(ids)
    if source.account_id is not None:
        ids = await _hear(work, source, ids)
    named = sa.select(_L.id, _L.day, _L.kind, _L.money_key, _L.merchant_ref).where(_L.business_id == work.business_id)
    batch = Batch(work.business_id, source, (await work.execute(named.where(_L.id.in_(ids)))).all(), work.now)
    for found in statements(batch):
        fresh = upsert(work.deployment.database, Match).from_select(list(COLUMNS), found)
        await work.execute(fresh.on_conflict_do_nothing())
    await _write_outcomes(work, source, ids)
    await open_differences(work, source, ids)
    return asked == AT_ONCE or len(ids) < asked


async def hold_source(work: Work, source_id: uuid.UUID) -> Any:
    """The row of a source, held to the end of the deed. Raises NotFound."""
    await work.write()
    here = sa.select(_S).where(_S.c.business_id == work.business_id, _S.c.id == source_id).with_for_update()
    row = (await work.execute(here)).one_or_none()
    if row is None:
        raise NotFound
    return row


async def _hear(work: Work, source: Any, ids: Sequence[uuid.UUID]) -> Sequence[uuid.UUID]:
    """Hear the money of lines that payments does not know of, or knows by somebody's word alone.

    Returns the lines to go on with: as far as one deed may hear. Refunds are heard of all, since one that was made
    elsewhere looks like any other.
    """
    m, p = provider_money(), stated_payments()
    of_money = sa.and_(
        m.c.business_id == _L.business_id, m.c.account_id == source.account_id, m.c.money_key == _L.money_key
    )
    of_payment = sa.and_(p.c.business_id == m.c.business_id, p.c.id == m.c.payment_id)
    by_word = sa.or_(m.c.id.is_(None), m.c.known_by == "hand", p.c.is_unverified)
    unknown = sa.and_(_L.money_key.is_not(None), by_word)
    is_back = sa.and_(_L.kind == "refund", _L.gross < 0)
    found = (
        sa.select(Line.__table__)
        .select_from(Line.__table__.outerjoin(m, of_money).outerjoin(p, of_payment))
        .where(_L.business_id == work.business_id, _L.id.in_(ids))
        .where(sa.or_(is_back, sa.and_(_L.kind == "payment", _L.gross > 0, unknown)))
    )
    rows = (await work.execute(found.order_by(_L.id).limit(HEARD_AT_ONCE))).all()
    await hear_statement(work, source.account_id, [_fact(row) for row in rows if row.kind == "payment"])
    await hear_statement(work, source.account_id, [_fact(row) for row in rows if row.kind == "refund"])
    return ids if len(rows) < HEARD_AT_ONCE else [one for one in ids if one <= rows[-1].id]


def _fact(row: Any) -> GatewayFact:
    return GatewayFact(
        kind="captured" if row.kind == "payment" else "refund_done",
        key=f"statement:{row.line_key}",
        money_key=row.money_key,
        amount=abs(row.gross),
        currency=row.currency,
        fee=row.fee,
        reference=row.merchant_ref,
        ids=row.ids or {},
        payer=row.payer,
        refund_id=None if row.refund_id is None else str(row.refund_id),
        at=row.occurred_at,
        words=row.words,
    )


async def _write_outcomes(work: Work, source: Any, ids: Sequence[uuid.UUID]) -> None:
    mine = sa.and_(_L.business_id == work.business_id, _L.id.in_(ids))
    difference = (
        sa.select(Match.difference)
        .where(Match.business_id == _L.business_id, Match.line_id == _L.id)
        .correlate(Line.__table__)
        .scalar_subquery()
    )
    stated_before = Line.__table__.alias()
    twice = sa.exists().where(
        stated_before.c.business_id == _L.business_id,
        stated_before.c.source_id == _L.source_id,
        stated_before.c.money_key == _L.money_key,
        stated_before.c.kind == "payment",
        stated_before.c.id != _L.id,
        sa.or_(stated_before.c.outcome.in_(("matched", "amount_diff", "fee_diff")), stated_before.c.id < _L.id),
    )
    is_matched = sa.exists().where(Match.business_id == _L.business_id, Match.line_id == _L.id)
    outcome = sa.case(
        (sa.and_(is_matched, difference != 0), "amount_diff"),
        (sa.and_(is_matched, sa.or_(sa.not_(_L.is_sound), _fee_differs(source))), "fee_diff"),
        (is_matched, "matched"),
        (_L.kind.in_(NOTED), sa.case((_L.is_sound, "noted"), else_="fee_diff")),
        (sa.and_(_L.kind == "payment", twice), "duplicate"),
        (sa.and_(_L.kind == "payment", _L.gross < 0), "noted"),
        else_="missing_here",
    )
    await work.execute(sa.update(Line).where(mine).values(outcome=outcome))


def _fee_differs(source: Any) -> Any:
    """Whether the provider told of another fee when the money came."""
    if source.account_id is None:
        return sa.false()
    m = provider_money()
    return sa.exists().where(
        m.c.business_id == _L.business_id,
        m.c.account_id == source.account_id,
        m.c.money_key == _L.money_key,
        _L.kind == "payment",
        m.c.fee.is_not(None),
        _L.fee.is_not(None),
        m.c.fee != _L.fee + sa.func.coalesce(_L.tax, 0),
        m.c.fee != _L.fee,
    )
