"""What products are found by is filled in for those that were there before it was kept."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from kernel.app.prepare import lineages
from kernel.db import new_id
from kernel.db.owner import engine_for
from kernel.migrate import Migrator
from kernel.registry import Registry
from kernel.testing.servers import Postgres
from plugins.catalog.rules.goods import search_keys, search_label, search_terms

_numbers = itertools.count(1)
_PRODUCT = {"description": "", "kind": "goods", "unit": "piece", "price": 1, "track_stock": False, "search": "old"}
_FLAGS = {"allow_negative_stock": False, "is_active": True, "ext": "{}"}


@pytest_asyncio.fixture
async def url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """An empty database; on PostgreSQL its owner is a login that row-level security binds."""
    if database == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'old.sqlite3'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"old_catalog_{next(_numbers)}"
    made = await server.create_database(name)
    await server._execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
    await server._execute(f"ALTER DATABASE {name} OWNER TO {name}")
    yield made.replace("://postgres@", f"://{name}@")
    await server.drop_database(name)


async def test_products_that_were_there_are_found_afterwards_and_the_fence_stands_again(
    url: str, registry: Registry, database: str
) -> None:
    migrator = Migrator(url, lineages(registry), "duka_app" if database == "postgresql" else "")
    heads = {one.name: one.script().get_current_head() or "" for one in migrator.lineages.values()}
    await migrator.upgrade({"kernel": heads["kernel"], "taxes": heads["taxes"], "catalog": "catalog_0001"})
    shops, goods = (new_id(), new_id()), [("MC-1", "Milk Chocolate 200g"), ("NG-1", "Ng’ombe Milk")]
    engine = engine_for(url)
    async with engine.begin() as connection:
        ids = {}
        for shop in shops:
            if database == "postgresql":
                await connection.execute(sa.select(sa.func.set_config("app.business", str(shop), True)))
            for sku, name in goods:
                ids[shop, sku] = new_id()
                await connection.execute(
                    _into("catalog_product", ids[shop, sku], shop, sku=sku, name=name, **_PRODUCT, **_FLAGS)
                )
            await connection.execute(
                _into("catalog_barcode", new_id(), shop, code="6161100000018", product_id=ids[shop, "MC-1"])
            )
    await migrator.upgrade()
    wanted = {
        (shop.hex, ids[shop, sku].hex, key, search_label(name))
        for shop in shops
        for sku, name in goods
        for key in search_keys(name, sku, ["6161100000018"] if sku == "MC-1" else [])
    }
    words = {(shop.hex, word) for shop in shops for _, name in goods for word in search_terms(name)}
    assert await _read(url, "catalog_search_key", "business_id, product_id, key, label", shops) == wanted
    assert await _read(url, "catalog_search_word", "business_id, word", shops) == words
    coded = {(shop.hex, sku, "yes" if sku == "MC-1" else "no") for shop in shops for sku, _ in goods}
    said = "business_id, sku, CASE WHEN has_barcode THEN 'yes' ELSE 'no' END"
    assert await _read(url, "catalog_product", said, shops) == coded
    if database == "postgresql":
        async with engine.connect() as connection:
            names = sa.text(
                "SELECT relname FROM pg_class WHERE relname LIKE 'catalog\\_%' AND relkind = 'r'"
                " AND relname <> 'catalog_schema' AND NOT (relrowsecurity AND relforcerowsecurity)"
            )
            assert (await connection.execute(names)).scalars().all() == []
    await engine.dispose()


def _into(table: str, id_: Any, shop: Any, **values: Any) -> sa.Insert:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    named = {"id": id_, "business_id": shop, **values}
    if table == "catalog_product":
        named |= {"created_at": moment, "updated_at": moment}
    types: dict[str, Any] = {"id": sa.Uuid(), "business_id": sa.Uuid(), "product_id": sa.Uuid(), "ext": sa.JSON()}
    types |= {"created_at": sa.DateTime(timezone=True), "updated_at": sa.DateTime(timezone=True)}
    columns: list[Any] = [sa.column(name, types.get(name)) for name in named]
    return sa.insert(sa.table(table, *columns)).values(named)


async def _read(url: str, table: str, columns: str, shops: tuple[Any, ...]) -> set[tuple[str, ...]]:
    """The rows of both businesses, ids as hexadecimal."""
    engine, found = engine_for(url), set()
    async with engine.begin() as connection:
        for shop in shops:
            if engine.dialect.name == "postgresql":
                await connection.execute(sa.select(sa.func.set_config("app.business", str(shop), True)))
            rows = await connection.execute(sa.text(f"SELECT {columns} FROM {table}"))
            found |= {
                tuple(str(value).replace("-", "") if len(str(value)) == 36 else str(value) for value in row)
                for row in rows
            }
    await engine.dispose()
    return found
