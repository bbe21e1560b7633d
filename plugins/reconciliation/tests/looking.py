"""What tests of reconciliation look at: lines, matches and differences as they stand."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa

from kernel.work import Work
from plugins.payments.testing.toy_box import ToyBox, a_toy_payment
from plugins.reconciliation.models import Difference, Line

HERE = "/api/v1/reconciliation"


async def fetched(toy: ToyBox, shop: str = "mama-njeri") -> None:
    """Have the statement fetched and held against the books a minute later, as the schedule does."""
    toy.box.clock.pass_by(minutes=1)

    async def later(work: Work) -> None:
        work.later("reconciliation.fetch_all", {})

    await toy.box.act(later, shop=shop)
    await toy.box.run_jobs()


async def rows(toy: ToyBox, model: Any, shop: str = "mama-njeri") -> list[Any]:
    """All rows of a table of a shop, oldest first."""
    table = model.__table__
    order = table.c.id if "id" in table.c else next(iter(table.primary_key))

    async def read(work: Work) -> list[Any]:
        found = sa.select(table).where(table.c.business_id == work.business_id)
        return list((await work.execute(found.order_by(order))).all())

    return await toy.box.look(read, shop=shop)


async def table(toy: ToyBox, found: sa.Subquery, shop: str = "mama-njeri") -> list[Any]:
    """All rows of a shop of what payments offers as a table."""

    async def read(work: Work) -> list[Any]:
        here = sa.select(found).where(found.c.business_id == work.business_id).order_by(found.c.id)
        return list((await work.execute(here)).all())

    return await toy.box.look(read, shop=shop)


async def outcomes(toy: ToyBox) -> list[tuple[str, str, int]]:
    """Kind, outcome and gross of every line."""
    return sorted((row.kind, row.outcome, row.gross) for row in await rows(toy, Line))


async def differences(toy: ToyBox) -> list[tuple[str, str, int]]:
    """Kind, state and amount of every difference."""
    return sorted((row.kind, row.state, row.amount) for row in await rows(toy, Difference))


def days_later(toy: ToyBox, days: int) -> None:
    """Let days go by."""
    toy.box.clock.now += dt.timedelta(days=days)


def source_of(toy: ToyBox, shop: str = "mama-njeri") -> uuid.UUID:
    """The source of the toy account."""
    return toy.accounts[shop]


async def paid(toy: ToyBox, amount: int = 25_000) -> uuid.UUID:
    """A payment that the toy provider took for a document of its own, and that was heard of; returns its id."""
    toy.provider.next("ask", "capture")
    payment_id = await a_toy_payment(toy.box, amount)
    await toy.box.run_jobs()
    return payment_id
