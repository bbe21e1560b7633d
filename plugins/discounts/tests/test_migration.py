"""Promotions that were drawn up before there were terms say the same afterwards, on both databases."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.prepare import lineages
from kernel.db import Json
from kernel.migrate import KERNEL, Migrator
from kernel.registry import discover
from kernel.testing.servers import Postgres
from plugins.discounts.schemas.terms import AmountOff, Goods, NewPrice, PercentOff, Terms, read_terms

_numbers = itertools.count()
RICE, FOOD = uuid.UUID(int=1), uuid.UUID(int=2)
BEFORE: dict[str, tuple[str, int, str, uuid.UUID | None, uuid.UUID | None, Terms]] = {
    "Rice week": ("percent", 10_000_000, "product", RICE, None, Terms(PercentOff(10_000_000), Goods((RICE,)))),
    "Food": ("amount_off", 1555, "category", None, FOOD, Terms(AmountOff(1555), Goods((), (FOOD,)))),
    "Now 350": ("set_price", 350_000_000, "product", RICE, None, Terms(NewPrice(350_000_000), Goods((RICE,)))),
    "Closing sale": ("amount_off", 5000, "document", None, None, Terms(AmountOff(5000))),
}
"""Name → kind, value, target, product, category; and the terms that say the same."""


@pytest_asyncio.fixture
async def url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """An empty database."""
    if database == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'old.sqlite3'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"promotions_{next(_numbers)}"
    yield await server.create_database(name)
    await server.drop_database(name)


async def test_promotions_of_before_get_the_terms_that_say_the_same(url: str) -> None:
    migrator = Migrator(url, lineages(discover()), "")
    kernel = next(iter(KERNEL.script().walk_revisions())).revision
    await migrator.upgrade({"kernel": kernel, "discounts": "discounts_0001"})
    engine = create_async_engine(url)
    ids = [sa.column(name, sa.Uuid()) for name in ("business_id", "id", "product_id", "category_id")]
    texts: list[Any] = [
        sa.column(name) for name in ("name", "kind", "value", "target", "priority", "exclusive", "state")
    ]
    times = [sa.column(name, sa.DateTime(timezone=True)) for name in ("starts_at", "created_at")]
    promotion = sa.table("discounts_promotion", *ids, *texts, *times, sa.column("terms", Json))
    old: list[dict[str, Any]] = [
        {
            **{"business_id": uuid.UUID(int=business), "id": uuid.uuid4(), "name": name, "kind": kind, "value": value},
            **{"target": target, "product_id": product, "category_id": category, "priority": 0, "exclusive": False},
            **{"state": "active", "starts_at": dt.datetime.now(dt.UTC), "created_at": dt.datetime.now(dt.UTC)},
        }
        for business in (1, 2)
        for name, (kind, value, target, product, category, _) in BEFORE.items()
    ]
    async with engine.begin() as connection:
        await connection.execute(sa.insert(promotion), old)
    assert await migrator.upgrade({"discounts": "discounts_0002"}) == ["discounts_0002"]
    async with engine.connect() as connection:
        rows = (await connection.execute(sa.select(promotion.c.name, promotion.c.terms))).all()
    await engine.dispose()
    assert len(rows) == 2 * len(BEFORE)
    for row in rows:
        assert read_terms(row.terms) == BEFORE[row.name][5]
        assert row.terms == msgspec.json.decode(msgspec.json.encode(BEFORE[row.name][5]))
