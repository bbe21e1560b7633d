"""A plugin that is thrown away in tests: its rows, and what stands in its tables, read without the code under test."""

from __future__ import annotations

import datetime as dt
import importlib
import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.uninstalling.shape import shape_of
from kernel.auth import look
from kernel.db import Phase, new_id
from kernel.db.owner import engine_for
from kernel.db.tables import Epoch, Release
from kernel.testing.box import Box
from kernel.work import Work

NAME, KEPT, GOING = "probe_shelf", ("probe_shelf_line", "probe_shelf_paper"), ("probe_shelf_note", "probe_shelf_shade")
NEIGHBOUR = "probe_shelf_extra_slip"
ODD = 'नमस्ते "Duka" \\ \u2028 😀 \t%'
Rows = dict[str, list[str]]


async def switch(box: Box, how: Callable[[Work, str], Awaitable[None]], shop: str = "mama-njeri") -> None:
    await box.act(lambda work: how(work, NAME), phase=Phase.SWITCH, shop=shop)


async def later(work: Work, words: str) -> None:
    work.later("probe_shelf.dust", {"words": words})


async def fill(work: Work) -> None:
    """Values that are easily lost on the way, a note whose key comes before that of the one above it."""
    tables = models()
    at = dt.datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=dt.UTC)
    papers = [new_id() for _ in range(3)]
    for number, paper in enumerate(papers):
        row = {"id": paper, "number": 2**62 + number, "words": ODD, "day": at.date(), "at": at if number else None}
        told = {"b": [1, 1.5, None, True], "a": {"z": ODD}} if number else None
        more = {"told": told, "stamp": bytes(range(256)), "rate": Decimal("12345678901234.000001"), "is_final": True}
        work.insert(tables.Paper, {**row, **more})
        work.insert(tables.Line, {"id": new_id(), "paper_id": paper, "words": f"line {number}"})
    await work.flush()
    below, above = sorted(uuid.UUID(int=1000 + n) for n in range(2))
    note = {"business_id": work.business_id, "weight": 7}
    notes = sa.insert(tables.Note)
    await work.execute(notes.values(id=above, words="above", paper_id=papers[0], **note))
    await work.execute(notes.values(id=below, words="below", above_id=above, **note))
    await work.execute(sa.insert(tables.Shade).values(code=str(work.business_id), words=ODD))
    await work.execute(
        sa.insert(sa.table(NEIGHBOUR, *map(sa.column, ("business_id", "id", "words")))).values(
            business_id=sa.literal(work.business_id, sa.Uuid()), id=sa.literal(new_id(), sa.Uuid()), words="a slip"
        )
    )


async def fill_one(work: Work) -> uuid.UUID:
    id_ = new_id()
    work.insert(models().Note, {"id": id_, "words": "new", "weight": 1})
    return id_


def models() -> Any:
    return importlib.import_module("kernel.tests.probes.shelf.models")


async def stored(box: Box, *, of: str = "probe_") -> Rows:
    """Every row of the plugins' tables as its database has it, read without the code under test."""
    engine, found = create_async_engine(box.deployment.settings.url), {}
    try:
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
            for name in names:
                if name.startswith(of) or name.startswith("kernel_business_plugin"):
                    rows = (await connection.execute(sa.text(f'SELECT * FROM "{name}"'))).all()
                    found[name] = sorted(repr(tuple(row)) for row in rows)
    finally:
        await engine.dispose()
    return found


async def shapes(box: Box) -> dict[str, list[str]]:
    engine = engine_for(box.deployment.settings.url)
    try:
        async with engine.begin() as connection:
            return await shape_of(connection, (*KEPT, *GOING, NEIGHBOUR))
    finally:
        await engine.dispose()


async def run_sql(box: Box, *statements: str) -> None:
    engine = create_async_engine(box.deployment.settings.url)
    try:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(sa.text(statement))
    finally:
        await engine.dispose()


async def release(box: Box) -> tuple[str, int]:
    """The state of the plugin's release, and the deployment's epoch."""

    async def read(work: Work) -> tuple[str, int]:
        state = await work.execute(sa.select(Release.state).where(Release.plugin == NAME))
        epoch = await work.execute(sa.select(Epoch.value).where(Epoch.scope == "deployment"))
        return state.scalar_one(), epoch.scalar_one()

    return await look(box.deployment, None, read)
