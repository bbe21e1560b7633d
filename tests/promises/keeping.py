"""A box in which one of the plugins keeps something on the side of products."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest_asyncio
import sqlalchemy as sa

from kernel.db import Base
from kernel.db.owner import engine_for
from kernel.db.personal import impersonal
from kernel.db.sides import side_of
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box, open_box
from kernel.wire import Name, Request, needs
from kernel.work import sides

KEEPER, SUBJECT = "inventory", "catalog.product"


class Kept(Request, frozen=True):
    """What a plugin keeps with products."""

    shelf: Name
    counted_on: dt.date | None = None
    bought_from: Annotated[str | None, needs("catalog.see_cost")] = None


EXTENSIONS = {SUBJECT: Kept}
PART = {KEEPER: {"shelf": "A1", "counted_on": "2026-11-20", "bought_from": "supplier-4711"}}


@pytest_asyncio.fixture
async def kept(box: Box, box_settings: Settings) -> AsyncIterator[Box]:
    """A box in which one of the plugins has a side table for products."""
    constraints = side_of(SUBJECT, "catalog_product", sa.UniqueConstraint("business_id", "shelf"), plugin=KEEPER)
    table = sa.Table(
        "inventory_kept",
        Base.metadata,
        *(sa.Column(name, sa.Uuid(), primary_key=True) for name in ("business_id", "owner_id")),
        sa.Column("shelf", sa.Text(), nullable=False, info=impersonal("a place")),
        sa.Column("counted_on", sa.Date()),
        sa.Column("bought_from", sa.Text(), info=impersonal("the business's")),
        *constraints[:-1],
        info=constraints[-1]["info"],
    )
    await make_table(box_settings.url)
    plugins = box.deployment.registry.in_order()
    registry = Registry(
        [dataclasses.replace(one, extensions=EXTENSIONS) if one.name == KEEPER else one for one in plugins]
    )
    made = await open_box(box_settings, registry, clock=box.clock)
    yield made
    await made.close()
    Base.metadata.remove(table)
    sides._QUESTIONS.pop(table, None)


async def make_table(url: str) -> None:
    """Make its table in a database."""
    engine = engine_for(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.tables["inventory_kept"].create)
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql("GRANT ALL ON inventory_kept TO PUBLIC")
    await engine.dispose()


def body(sku: str, ext: Any) -> dict[str, Any]:
    """A product with what the plugin keeps of it."""
    return {"sku": sku, "name": f"Thing {sku}", "price": "1.00", "ext": ext}
