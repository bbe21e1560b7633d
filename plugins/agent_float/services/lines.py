"""Lines: opened with what stands on them, changed, listed."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from kernel.auth import Location
from kernel.db import new_id
from kernel.errors import AlreadyExists, Fault, Invalid, NotFound
from kernel.money import format_amount
from kernel.web import page
from kernel.wire import Page
from kernel.work import Work
from plugins.agent_float.models import AgentLine, Balance
from plugins.agent_float.schemas import LineIn, LineOut, LinePatch, LineQuery
from plugins.agent_float.services.booking import Booked, Held, amount_at, book, today_at

_L, _B = AgentLine.__table__.c, Balance.__table__.c
_WHOLE: sa.Select[Any] = sa.select(*_L, _B.amount, _B.locked_through).join(
    Balance, sa.and_(_B.business_id == _L.business_id, _B.line_id == _L.id)
)


async def add_line(work: Work, data: LineIn) -> uuid.UUID:
    """Open a line. Raises NotFound for the location, AlreadyExists for the code, Invalid."""
    if await work.session.get(Location, (work.business_id, data.location_id)) is None:
        raise NotFound.at("/location_id", "There is no such location")
    same = sa.select(_L.id).where(_L.business_id == work.business_id, _L.code == data.code)
    if (await work.execute(same)).first() is not None:
        raise AlreadyExists(f"There is a line {data.code}", faults=[Fault("/code", AlreadyExists.code, "It is taken")])
    line = AgentLine(
        id=new_id(),
        location_id=data.location_id,
        code=data.code,
        name=data.name,
        kind=data.kind,
        provider=data.provider,
        account=data.account,
        is_active=True,
        version=1,
    )
    work.session.add(line)
    work.session.add(Balance(business_id=work.business_id, line_id=line.id, amount=0))
    await work.session.flush()
    if data.opening is not None and (amount := amount_at(work, data.opening, "/opening", may_be_nothing=True)):
        held = Held(line, 0, None, await today_at(work, line.location_id))
        book(work, "capital", [(held, amount)], Booked(amount, note="opening"))
    work.audit(subject=f"agent_float.line:{line.id}", location_id=line.location_id)
    return line.id


async def change_line(work: Work, line_id: uuid.UUID, data: LinePatch) -> AgentLine:
    """Change a line. Raises NotFound; Invalid for one that is to be closed with money on it."""
    line = await work.get(AgentLine, line_id, to_change=True)
    work.check_version(line.version)
    if data.is_active is False:
        here = sa.select(_B.amount).where(_B.business_id == work.business_id, _B.line_id == line.id)
        left = (await work.execute(here.with_for_update())).scalar_one()
        if left:
            raise Invalid.at("/is_active", f"{format_amount(left, work.shop.exponent)} stands on it; move that first")
    for name in ("name", "provider", "account", "is_active"):
        value = getattr(data, name)
        if value is not None:
            setattr(line, name, value)
    line.version += 1
    return line


async def find_line(work: Work, line_id: uuid.UUID) -> tuple[LineOut, int]:
    """A line, and its version. Raises NotFound."""
    line = await work.get(AgentLine, line_id)
    row = (await work.execute(_WHOLE.where(_L.business_id == work.business_id, _L.id == line.id))).one()
    return line_out(work, row), row.version


async def list_lines(work: Work, query: LineQuery) -> Page[LineOut]:
    """Lines, in the order they were opened."""
    statement = _WHOLE.where(_L.business_id == work.business_id)
    if query.location_id is not None:
        statement = statement.where(_L.location_id == query.location_id)
    return await page(work, statement, query, order=[_L.id], make=lambda row: line_out(work, row))


def line_out(work: Work, row: Any) -> LineOut:
    """A line's row, with its balance, as it is answered."""
    return LineOut(
        row.id,
        row.location_id,
        row.code,
        row.name,
        row.kind,
        row.provider,
        row.account,
        row.is_active,
        format_amount(row.amount, work.shop.exponent),
        work.shop.currency,
        row.locked_through,
    )
