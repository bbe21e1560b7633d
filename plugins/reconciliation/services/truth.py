"""Do the till's takings of a business day equal what providers and banks say: by location, by way of paying."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from kernel.money import format_amount
from kernel.work import Work
from plugins.payments.api import MethodKind, stated_payments, stated_refunds
from plugins.reconciliation.hooks import money_spent
from plugins.reconciliation.models import Deposit, Difference, Line, Match, Source
from plugins.reconciliation.rules.truth import Takings
from plugins.reconciliation.schemas.reports import MethodTruth, Sum, TruthOut

CASH = "cash"
Key = tuple[uuid.UUID, str]
_D, _L, _S = Deposit.__table__.c, Line.__table__.c, Source.__table__.c


class _Sums:
    """Sums of each location and method, and what kind of method it is."""

    def __init__(self) -> None:
        self.found: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.kinds: dict[str, MethodKind] = {}

    def add(self, rows: Iterable[Any], *names: str) -> None:
        """Add columns of rows to the sums of their location and method."""
        for row in rows:
            for name in names:
                self.found[row.location_id, row.method][name] += int(getattr(row, name) or 0)


async def truth(work: Work, day: dt.date, location_id: uuid.UUID | None) -> TruthOut:
    """A business day of one location, or of all at which the actor works. Raises NotFound."""
    work.see_location(location_id)
    sums = _Sums()
    await _taken(work, day, sums)
    await _given_back(work, day, sums)
    await _cash(work, day, sums)
    digits = work.shop.exponent
    methods = [
        _method(place, method, structs.replace(Takings(), **said), sums.kinds.get(method, "other"), digits)
        for (place, method), said in sorted(sums.found.items(), key=str)
        if work.actor.works_at(place) and location_id in (None, place)
    ]
    unknown = await _unknown(work, day)
    agrees = all(one.agrees for one in methods) and (location_id is not None or not unknown.count)
    return TruthOut(day, location_id, work.shop.currency, methods, unknown, agrees)


async def _taken(work: Work, day: dt.date, sums: _Sums) -> None:
    """What was taken, and of each payment where it is: stated, overdue, on its way, or nobody's to state."""
    p = stated_payments()
    told = sa.and_(Match.business_id == p.c.business_id, Match.subject_kind == "payment", Match.subject_id == p.c.id)
    line = sa.and_(_L.business_id == Match.business_id, _L.id == Match.line_id)
    late = sa.exists().where(
        Difference.business_id == p.c.business_id,
        Difference.payment_id == p.c.id,
        Difference.kind == "missing_there",
        Difference.state != "cleared",
    )
    states = sa.or_(p.c.account_id.is_not(None), p.c.method.in_(await _stated_methods(work)))
    is_stated = Match.line_id.is_not(None)
    where = {
        "stated_of": is_stated,
        "missing": sa.and_(sa.not_(is_stated), late),
        "unverified": sa.and_(sa.not_(is_stated), sa.not_(late), p.c.is_unverified),
        "in_transit": sa.and_(sa.not_(is_stated), sa.not_(late), sa.not_(p.c.is_unverified), states),
        "by_hand": sa.and_(sa.not_(is_stated), sa.not_(late), sa.not_(p.c.is_unverified), sa.not_(states)),
    }
    parts = [sa.func.sum(p.c.amount).filter(which).label(name) for name, which in where.items()]
    found = (
        sa.select(
            p.c.location_id,
            p.c.method,
            sa.func.max(p.c.kind).label("kind"),
            sa.func.sum(p.c.amount).label("taken"),
            sa.func.sum(_L.gross).label("stated"),
            *parts,
        )
        .select_from(p.outerjoin(Match.__table__, told).outerjoin(Line.__table__, line))
        .where(p.c.business_id == work.business_id, p.c.business_date == day)
        .group_by(p.c.location_id, p.c.method)
    )
    rows = (await work.execute(found)).all()
    sums.kinds |= {row.method: row.kind for row in rows}
    sums.add(rows, "taken", "stated", *where)


async def _given_back(work: Work, day: dt.date, sums: _Sums) -> None:
    r = stated_refunds()
    told = sa.and_(Match.business_id == r.c.business_id, Match.subject_kind == "refund", Match.subject_id == r.c.id)
    line = sa.and_(_L.business_id == Match.business_id, _L.id == Match.line_id)
    found = (
        sa.select(
            r.c.location_id,
            r.c.method,
            sa.func.sum(r.c.amount).label("given_back"),
            sa.func.sum(_L.gross).label("stated_back"),
        )
        .select_from(r.outerjoin(Match.__table__, told).outerjoin(Line.__table__, line))
        .where(r.c.business_id == work.business_id, r.c.business_date == day)
        .group_by(r.c.location_id, r.c.method)
    )
    sums.add((await work.execute(found)).all(), "given_back", "stated_back")


async def _cash(work: Work, day: dt.date, sums: _Sums) -> None:
    """What of the cash was spent and banked."""
    for answer in await work.tell(money_spent, work=work, business_date=day):
        for one in answer.value:
            sums.found[one.location_id, one.method]["spent"] += one.amount
    told = sa.and_(Match.business_id == _D.business_id, Match.subject_kind == "deposit", Match.subject_id == _D.id)
    proved = sa.func.sum(_D.amount).filter(Match.line_id.is_not(None))
    found = (
        sa.select(
            _D.location_id,
            sa.literal(CASH).label("method"),
            sa.func.sum(_D.amount).label("banked"),
            proved.label("stated"),
        )
        .select_from(Deposit.__table__.outerjoin(Match.__table__, told))
        .where(_D.business_id == work.business_id, _D.business_date == day)
        .group_by(_D.location_id)
    )
    sums.kinds[CASH] = "cash"
    sums.add((await work.execute(found)).all(), "banked", "stated")


async def _stated_methods(work: Work) -> list[str]:
    """The ways of paying that files of banks and terminals state."""
    found = sa.select(_S.methods).where(_S.business_id == work.business_id, _S.is_on, _S.account_id.is_(None))
    return sorted({code for row in await work.execute(found) for code in row.methods})


async def _unknown(work: Work, day: dt.date) -> Sum:
    here = sa.and_(
        Difference.business_id == work.business_id,
        Difference.day == day,
        Difference.kind == "missing_here",
        Difference.state == "open",
    )
    amount = sa.func.coalesce(sa.func.sum(Difference.amount), 0)
    found = sa.select(sa.func.count().label("n"), amount.label("amount")).where(here)
    row = (await work.execute(found)).one()
    return Sum(row.n, format_amount(int(row.amount), work.shop.exponent))


def _method(place: uuid.UUID, method: str, found: Takings, kind: MethodKind, digits: int) -> MethodTruth:
    is_cash = kind == "cash"

    def shown(value: int) -> str:
        return format_amount(value, digits)

    return MethodTruth(
        place,
        method,
        kind,
        shown(found.taken),
        shown(found.given_back),
        shown(found.stated),
        shown(found.stated_back),
        shown(0 if is_cash else found.differing),
        shown(0 if is_cash else found.in_transit),
        shown(found.missing),
        shown(found.unverified),
        shown(found.by_hand),
        shown(found.spent),
        shown(found.banked),
        shown(found.difference(is_cash=is_cash)),
        found.agrees(is_cash=is_cash),
    )
