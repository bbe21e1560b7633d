"""The probe's routes."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import structs

from kernel.db import new_id
from kernel.tests.probes.stock import hooks
from kernel.tests.probes.stock.errors import OutOfStock
from kernel.tests.probes.stock.models import LEVELS, Paper
from kernel.tests.probes.stock.schemas import Measured, PaperOut, PaperQuery, Take
from kernel.web import command, page, query, sorting
from kernel.wire import Page, Reply
from kernel.work import Work


@command("POST", "/take", permission="probe_stock.take", moves=True, errors=(OutOfStock,))
async def take(work: Work, data: Take) -> Reply[PaperOut]:
    """Take stock on paper."""
    await work.tell(hooks.taken, work=work, product=data.product, amount=data.amount)
    paper = PaperOut(new_id(), work.number("papers", "P-"), data.words)
    work.insert(Paper, structs.asdict(paper))
    work.decrement(LEVELS, (data.product, "shop"), data.amount, lambda left: OutOfStock(f"{left} left"))
    work.later("probe_till.ring", {"number": paper.number})
    return Reply(paper, version=1, location=f"/api/v1/probe_stock/papers/{paper.id}")


@command("POST", "/measure", permission="probe_stock.take", status=200)
async def measure(work: Work, data: Measured) -> dict[str, str]:
    """Take note of nothing, for bodies of every kind."""
    work.insert(Paper, {"id": new_id(), "number": str(new_id()), "words": "measured"})
    return {"read": type(data).__name__}


@query("/papers", permission="probe_stock.see")
async def list_papers(work: Work, query: PaperQuery) -> Page[PaperOut]:
    """The papers."""
    statement = sa.select(Paper.id, Paper.number, Paper.words).where(Paper.business_id == work.business_id)
    if query.words is not None:
        statement = statement.where(Paper.words == query.words)
    column, descending = sorting(query.sort, {"number": Paper.number, "at": Paper.id})
    return await page(
        work,
        statement,
        query,
        order=[column, Paper.id],
        make=lambda row: PaperOut(row.id, row.number, row.words),
        descending=descending,
    )
