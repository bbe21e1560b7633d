"""The statements that pair lines with payments find what a person would who goes through both lists one by one."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.api import StatementLine, stated_payments
from plugins.payments.testing import a_payment
from plugins.reconciliation.models import Line, Match
from plugins.reconciliation.schemas.sources import SourceIn
from plugins.reconciliation.services.keeping import keep_lines
from plugins.reconciliation.services.matching import match_source
from plugins.reconciliation.services.sources import add_source

AT = dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC)
NUMBERS, AMOUNTS = ("A1", "A2", "A3", "A4"), (100, 200)


def by_one_and_one(lines: list[Any], payments: list[Any]) -> dict[uuid.UUID, uuid.UUID]:
    """Line → payment: by the number, of several the same amount first; then nth to nth by reference and amount."""
    found: dict[uuid.UUID, uuid.UUID] = {}
    for line in lines:
        same = [one for one in payments if one.reference == line.money_key]
        best = min(same, key=lambda one: (one.amount != line.gross, one.id), default=None)
        if best is not None and best.id not in found.values():
            found[line.id] = best.id
    for key in itertools.product(NUMBERS, AMOUNTS):
        left = [one for one in lines if one.id not in found and (one.merchant_ref, one.gross) == key]
        ours = [one for one in payments if one.id not in found.values() and (one.reference, one.amount) == key]
        found |= {line.id: payment.id for line, payment in zip(left, ours, strict=False)}
    return found


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_sets_pair_as_one_by_one_would(box: Box) -> None:
    chance = random.Random(7)
    for _ in range(14):
        await a_payment(box, chance.choice(AMOUNTS), "bank_transfer", reference=chance.choice(NUMBERS))
    stated = [
        StatementLine(
            line_key=str(n),
            kind="payment",
            gross=chance.choice(AMOUNTS),
            currency="KES",
            occurred_at=AT,
            money_key=chance.choice((*NUMBERS, "B9", None, None)),
            merchant_ref=chance.choice((*NUMBERS, None)),
        )
        for n in range(30)
    ]

    async def run(work: Work) -> dict[str, Any]:
        source = await add_source(work, SourceIn(name="Bank", methods=["bank_transfer"]))
        await keep_lines(work, source.id, source.zone, stated)
        more = await match_source(work, source.id)
        p, m = stated_payments(), Match.__table__
        lines = sa.select(Line.__table__).where(Line.business_id == work.business_id).order_by(Line.id)
        payments = sa.select(p).where(p.c.business_id == work.business_id).order_by(p.c.id)
        matched = sa.select(m).where(m.c.business_id == work.business_id)
        return {
            "more": more,
            "lines": (await work.execute(lines)).all(),
            "payments": (await work.execute(payments)).all(),
            "matched": {row.line_id: row.subject_id for row in await work.execute(matched)},
        }

    seen = await box.act(run)
    wanted = by_one_and_one(seen["lines"], seen["payments"])
    assert seen["matched"] == wanted
    assert len(wanted) > 4
    assert not seen["more"]
