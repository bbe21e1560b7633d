"""What happened while the book was off, entered afterwards: day by day, in batches, each event once.

What is missing is found by what stands in the book, in the statement that reads the documents. So a batch that is run
again finds nothing left of itself, and what happens meanwhile is entered by the hooks as ever.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from kernel.work import Work
from plugins.daybook.models import Entry
from plugins.daybook.services.entering import enter
from plugins.daybook.services.events import Event, payment_event, refund_event, sale_event, void_event
from plugins.payments.api import captured_payments, made_refunds
from plugins.sales.api import sale_columns, take_part

JOB: Final = "daybook.catch_up"
BATCH: Final = 500
"""Documents entered in one deed."""
_E = Entry.__table__.c


class Missing(Struct, frozen=True):
    """How many of each the book has no entry of."""

    sales: int
    voids: int
    payments: int
    refunds: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.sales + self.voids + self.payments + self.refunds

    @property
    def words(self) -> str:
        """Such as `Sales (3) and payments (4) that the day book has no entry of`."""
        found = [f"{name} ({n})" for name in ("sales", "voids", "payments", "refunds") if (n := getattr(self, name))]
        listed = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
        return f"{listed.capitalize()} that the day book has no entry of; each is entered on its own day"


async def count_missing(work: Work) -> Missing:
    """Count what the book has no entry of."""
    sale, payment, refund = sale_columns(), captured_payments(), made_refunds()
    sales = sa.select(
        sa.func.count().filter(_lacks(sale, "sale", "sale")),
        sa.func.count().filter(_lacks_void(sale)),
    ).where(sale.c.business_id == work.business_id, sale.c.was_completed)
    counted = [int(n) for n in (await work.execute(sales)).one()]
    for table, kind in ((payment, "payment"), (refund, "refund")):
        here = sa.and_(table.c.business_id == work.business_id, _lacks(table, kind, kind))
        counted.append((await work.execute(sa.select(sa.func.count()).select_from(table).where(here))).scalar_one())
    return Missing(*counted)


async def begin_catching_up(work: Work) -> None:
    """Have what is missing entered after this deed; nothing for a business that has sold and taken nothing yet."""
    for table in (sale_columns(), captured_payments()):
        first = sa.select(table.c.id).where(table.c.business_id == work.business_id).limit(1)
        if (await work.execute(first)).one_or_none() is not None:
            work.later(JOB, {})
            return


async def catch_up(work: Work, payload: Mapping[str, Any]) -> None:
    """Enter the next batch, and have the one after it entered. payload: `from`, the business date to go on from.

    Sales go with their voids, and after the payments that were taken with them, so that the book is whole after each
    batch. A day that was gone through needs no second look: what has been dated there since was told.
    """
    start = dt.date.fromisoformat(payload.get("from", dt.date.min.isoformat()))
    found = [*await _payments(work, start), *await _sales(work, start), *await _refunds(work, start)]
    batch = sorted(found, key=lambda one: one.place)[:BATCH]
    events = [event for one in batch for event in one.events]
    if sold := [event.document_id for event in events if event.kind == "sale"]:
        await take_part(work, "daybook", sold)
    for event in events:
        enter(work, event)
    if len(batch) == BATCH:
        work.later(JOB, {"from": batch[-1].place[0].isoformat()})


class _Found(Struct, frozen=True):
    """A document and what of it is missing. place: business date, instant, payments before sales before refunds, id."""

    place: tuple[dt.date, dt.datetime, int, uuid.UUID]
    events: tuple[Event, ...]


async def _payments(work: Work, start: dt.date) -> list[_Found]:
    """Missing payments. One for a sale that waited bears the number of the order, as it was when the money came."""
    paid, sale = captured_payments(), sale_columns()
    same = sa.and_(
        paid.c.subject_kind == "sale", sale.c.business_id == paid.c.business_id, sale.c.id == paid.c.subject_id
    )
    number = sa.func.coalesce(sale.c.order_number, paid.c.subject_number).label("number")
    statement = sa.select(paid, number).select_from(paid.outerjoin(sale, same))
    rows = await _page(work, statement, paid, paid.c.at, _lacks(paid, "payment", "payment"), start)
    return [_Found((row.business_date, row.at, 0, row.id), (payment_event(row, row.number),)) for row in rows]


async def _sales(work: Work, start: dt.date) -> list[_Found]:
    """Missing sales, missing voids, or both. A void stands on its sale's day: it may be voided on no other."""
    sale = sale_columns()
    lacks_sale, lacks_void = _lacks(sale, "sale", "sale"), _lacks_void(sale)
    statement = sa.select(sale, lacks_sale.label("lacks_sale"), lacks_void.label("lacks_void"))
    wanted = sa.and_(sale.c.was_completed, sa.or_(lacks_sale, lacks_void))
    found = []
    for row in await _page(work, statement, sale, sale.c.sold_at, wanted, start):
        events = [sale_event(row, row.lines)] if row.lacks_sale else []
        if row.lacks_void:
            by_name, reason = row.voided_by or "", row.void_reason or ""
            events.append(void_event(row, row.business_date, row.voided_at, reason, by_name))
        found.append(_Found((row.business_date, row.sold_at, 1, row.id), tuple(events)))
    return found


async def _refunds(work: Work, start: dt.date) -> list[_Found]:
    made = made_refunds()
    rows = await _page(work, sa.select(made), made, made.c.at, _lacks(made, "refund", "refund"), start)
    return [_Found((row.business_date, row.at, 2, row.id), (refund_event(row, row.subject_number),)) for row in rows]


async def _page(
    work: Work,
    statement: sa.Select[Any],
    table: sa.Subquery,
    at: sa.ColumnElement[Any],
    wanted: sa.ColumnElement[bool],
    start: dt.date,
) -> Sequence[Any]:
    """The first so many from a day on, by day and instant: no more of one kind can be in the batch."""
    here = sa.and_(table.c.business_id == work.business_id, table.c.business_date >= start)
    in_turn = (table.c.business_date, at, table.c.id)
    return (await work.execute(statement.where(here, wanted).order_by(*in_turn).limit(BATCH))).all()


def _lacks(table: sa.Subquery, kind: str, document_kind: str) -> sa.ColumnElement[bool]:
    """Whether the book has no entry of a kind of the document."""
    same = sa.and_(_E.business_id == table.c.business_id, _E.document_id == table.c.id)
    return ~sa.exists().where(same, _E.document_kind == document_kind, _E.kind == kind)


def _lacks_void(sale: sa.Subquery) -> sa.ColumnElement[bool]:
    return sa.and_(sale.c.status == "voided", _lacks(sale, "void", "sale"))
