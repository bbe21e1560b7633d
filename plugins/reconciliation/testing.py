"""Builders for other plugins' tests: one or two of everything that reconciliation keeps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from kernel.db import new_id
from kernel.testing.box import Box
from kernel.work import Work
from plugins.payments.api import StatementLine, stated_payments
from plugins.reconciliation.models import Deposit, Difference, Import, ImportPart, Line, Match, Posting
from plugins.reconciliation.rules.layouts import Layout
from plugins.reconciliation.schemas.sources import SourceIn
from plugins.reconciliation.services.keeping import keep_lines, mark_stated
from plugins.reconciliation.services.sources import add_source

Text = Callable[[str], str]
LAYOUT = Layout(columns={"date": "Date", "amount": "Amount"})
DAY = dt.date(2026, 11, 20)


EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "reconciliation.resolve_difference": {"resolution": "dismiss"},
    "reconciliation.add_source": {"zone": "Africa/Nairobi", "methods": ["card"], "layout": None},
    "reconciliation.change_source": {"zone": "Africa/Nairobi", "methods": ["card"], "layout": None},
}
FILES = {"reconciliation.check_statement": b"Date,Details,Amount\n21/11/2026,rent,1.00\n"}


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two of each thing."""
    await fill_statements(box, shop, own)


async def fill_statements(box: Box, shop: str, own: dict[str, str], text: Text = str) -> None:
    """Two banks with lines, a match, differences, postings, files and deposits.

    text: makes a shop's own words of words. `own` is given `source_id`, `statement_id`, `difference_id`, `deposit_id`.
    """
    place = await box.location(shop=shop)
    for n in "12":
        own |= await box.act(lambda work, n=n: _leave(work, n, place, text), shop=shop)  # type: ignore[misc]


async def _leave(work: Work, n: str, place: uuid.UUID, text: Text) -> dict[str, str]:
    source = await add_source(work, SourceIn(name=text(f"bank {n}"), is_bank=True, layout=LAYOUT))
    await keep_lines(work, source.id, source.zone, [_line(work, n, kind, text) for kind in ("known", "unknown")])
    await mark_stated(work, source.id, [DAY])
    lines = await _lines(work, source.id)
    here = {"business_id": work.business_id, "source_id": source.id}
    payment = await _payment(work, int(n) - 1)
    matched = {"subject_kind": "payment", "subject_id": payment.id, "matched_by": "money_key", "matched_at": work.now}
    known = {"line_id": lines[0].id, "difference": lines[0].gross - payment.amount}
    await work.execute(sa.insert(Match).values(business_id=work.business_id, **matched, **known))
    await work.execute(
        sa.update(Line)
        .where(Line.business_id == work.business_id, Line.id == lines[0].id)
        .values(outcome="amount_diff")
    )
    await work.execute(
        sa.update(Line)
        .where(Line.business_id == work.business_id, Line.id == lines[1].id)
        .values(outcome="missing_here")
    )
    ids = [await _difference(work, here, kind, line.id, text) for kind, line in zip(_KINDS, lines, strict=True)]
    booked = {"nth": 1, "is_reversal": False, "resolution": "accept", "debit": "over_short", "credit": "clearing"}
    await _book(work, ids[0], booked, text)
    statement = {"id": new_id(), **here, "state": "checked", "digest": n * 64, "layout": {"columns": {"date": "Date"}}}
    counts = {"rows": 1, "parts": 1, "next_part": 0, "preview": {}, "result": {}, "created_at": work.now}
    faults = {"errors": {"faults": [{"row": 2, "column": text("Date"), "said": "This is no date"}]}}
    await work.execute(sa.insert(Import).values(**statement, **counts, **faults))
    part = {"business_id": work.business_id, "import_id": statement["id"], "number": 0, "rows": {"lines": []}}
    await work.execute(sa.insert(ImportPart).values(**part))
    deposit = {"id": new_id(), **here, "location_id": place, "business_date": DAY, "amount": 100, "at": work.now}
    words = {"currency": work.shop.currency, "reference": text(f"slip {n}"), "note": text("note"), "by_name": "Duka"}
    await work.execute(sa.insert(Deposit).values(**deposit, **words))
    made = {"source_id": source.id, "statement_id": statement["id"], "difference_id": ids[1]}
    return {name: str(id_) for name, id_ in (made | {"deposit_id": deposit["id"]}).items()}


_KINDS = ("amount_diff", "missing_here")


def _line(work: Work, n: str, kind: str, text: Text) -> StatementLine:
    return StatementLine(
        line_key=text(f"{kind} {n}"),
        kind="payment",
        gross=5_000,
        currency=work.shop.currency,
        occurred_at=work.now - dt.timedelta(days=1),
        money_key=text(f"{kind} {n}"),
        merchant_ref=text("rent"),
        payer="2547*****001",
        words=text("transfer"),
    )


async def _lines(work: Work, source_id: uuid.UUID) -> list[Any]:
    found = sa.select(Line.__table__).where(Line.business_id == work.business_id, Line.source_id == source_id)
    return list((await work.execute(found.order_by(Line.line_key))).all())


async def _payment(work: Work, nth: int) -> Any:
    p = stated_payments()
    found = sa.select(p).where(p.c.business_id == work.business_id).order_by(p.c.id).offset(nth).limit(1)
    return (await work.execute(found)).one()


async def _difference(work: Work, here: dict[str, Any], kind: str, line_id: uuid.UUID, text: Text) -> uuid.UUID:
    id_ = new_id()
    is_done = kind == "amount_diff"
    said = {"kind": kind, "about": line_id, "line_id": line_id, "day": DAY, "currency": work.shop.currency}
    done = {"resolution": "accept", "note": text("kept"), "resolved_at": work.now, "resolved_by_name": "Duka"}
    state = {"state": "resolved", "times": 1, **done} if is_done else {"state": "open", "times": 0}
    words = {"amount": -100 if is_done else 5_000, "words": text("stated"), "opened_at": work.now, "version": 1}
    await work.execute(sa.insert(Difference).values(id=id_, **here, **said, **state, **words))
    return id_


async def _book(work: Work, difference_id: uuid.UUID, booked: dict[str, Any], text: Text) -> None:
    said = {"amount": 100, "currency": work.shop.currency, "day": DAY, "at": work.now, "note": text("kept")}
    own = {"business_id": work.business_id, "id": new_id(), "difference_id": difference_id, "by_name": "Duka"}
    await work.execute(sa.insert(Posting).values(**own, **booked, **said))
