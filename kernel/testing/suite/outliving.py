"""Rules about a plugin's rows: they outlive every upgrade, and come back after it was uninstalled."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.app.uninstalling import restore, uninstall
from kernel.db import Base
from kernel.registry import Loaded
from kernel.testing.box import Box
from kernel.testing.probing.prober import MINE, THEIRS
from kernel.testing.probing.spots import lists_of
from kernel.testing.suite.living import changed, filled, fingerprint, switch
from kernel.testing.suite.schema import lineages_of, revisions, schema_of, upgrade, upgrade_to
from kernel.testing.suite.still import own_tables, routes_of

Rows = dict[str, list[dict[str, Any]]]

EMPTY: Final[Mapping[type[Any], Any]] = {
    int: 0,
    str: "",
    bool: False,
    bytes: b"",
    float: 0.0,
    uuid.UUID: uuid.UUID(int=0),
    dt.date: dt.date(2026, 1, 1),
    dt.datetime: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dict: {},
    list: [],
}
"""What stands in a column that an old revision wanted filled and the models have no more."""


async def upgrades(box: Box, plugin: Loaded, new_database: Callable[[], str]) -> list[str]:
    """Rows of a filled shop stand in the tables of each earlier revision; upgraded, every one is still there."""
    earlier = revisions(plugin)[:-1]
    if not earlier:
        return []
    await filled(box, plugin)
    registry = box.deployment.registry
    whole = await _rows(box.deployment.settings.url, _tables(plugin, box))
    found = []
    for stop in earlier:
        url = new_database()
        await upgrade_to(url, plugin, registry, stop)
        put = await _put(url, plugin, box, whole)
        await upgrade(url, plugin, registry, None)
        now = await _rows(url, own_tables(plugin))
        for table in own_tables(plugin):
            lost = put.get(table.name, set()) - _keys(table, now[table.name])
            if lost:
                said = f"{len(lost)} of {len(put[table.name])} rows of {table.name} that stood there at {stop} are gone"
                found.append(f"{said}; a revision keeps every row, or moves it")
    return found


async def uninstalling(box: Box, plugin: Loaded, file: Path) -> list[str]:
    """Used, off, uninstalled, restored, on: schema and rows are as they were. One that others stand on stays."""
    registry = box.deployment.registry
    if registry.standing_on(plugin.name, registry.plugins):
        return []
    for shop in (MINE, THEIRS):
        await filled(box, plugin, shop)
        await switch(box, plugin, on=False, shop=shop)
    before = await fingerprint(box, plugin)
    await uninstall(box.deployment, plugin.name, file)
    left = [one for one in await schema_of(box.deployment.settings.url, plugin.name) if one in _dropped(plugin)]
    back = await restore(box.deployment, file)
    found = [f"uninstalled, table {one} is still there" for one in left]
    found += [f"restored, table {name} differs: {'; '.join(said)}" for name, said in back.differing.items()]
    found += changed(before, await fingerprint(box, plugin), "uninstalling and restoring it")
    for shop in (MINE, THEIRS):
        await switch(box, plugin, on=True, shop=shop)
        for route in lists_of(routes_of(plugin)):
            answer = await box.client("owner", shop).get(route.path)
            if answer.status_code != 200:
                found.append(f"{route.method} {route.path}: restored and on again it answers {answer.status_code}")
    return found


def _dropped(plugin: Loaded) -> set[str]:
    """Its tables, but those that are kept by law and so step aside instead."""
    return {one.name for one in own_tables(plugin)} - set(plugin.manifest.fiscal)


def _tables(plugin: Loaded, box: Box) -> list[sa.Table]:
    """Every table of the kernel, of what the plugin stands on, and its own, each after those it refers to."""
    prefixes = tuple(f"{one.name}_" for one in lineages_of(plugin, box.deployment.registry))
    return [one for one in Base.metadata.sorted_tables if one.name.startswith(prefixes)]


async def _rows(url: str, tables: list[sa.Table]) -> Rows:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return {
                one.name: [dict(row) for row in (await connection.execute(sa.select(one))).mappings()] for one in tables
            }
    finally:
        await engine.dispose()


async def _put(url: str, plugin: Loaded, box: Box, whole: Rows) -> dict[str, set[Any]]:
    """Put rows of today into a database of an earlier revision, as far as it has columns for them.

    Returns the keys of the plugin's own rows, by table.
    """
    own = {one.name for one in own_tables(plugin)}
    put: dict[str, set[Any]] = {}
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            if url.startswith("postgresql"):
                await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table in _tables(plugin, box):
                stored = await connection.run_sync(_as_it_stands, table.name)
                if stored is None or not whole[table.name]:
                    continue
                await _insert(connection, table, stored, whole[table.name])
                if table.name in own:
                    put[table.name] = _keys(table, whole[table.name])
    finally:
        await engine.dispose()
    return put


async def _insert(connection: AsyncConnection, table: sa.Table, stored: sa.Table, rows: list[dict[str, Any]]) -> None:
    columns = [(name, table.c[name].type if name in table.c else column.type) for name, column in stored.c.items()]
    into = sa.table(table.name, *(sa.column(name, type_) for name, type_ in columns))
    wanted = [one.name for one in stored.c if one.name in table.c]
    lacking = {name: _empty(column) for name, column in stored.c.items() if name not in table.c and _must(column)}
    await connection.execute(sa.delete(into))  # what migrations themselves have put there
    await connection.execute(sa.insert(into), [{name: row[name] for name in wanted} | lacking for row in rows])


def _as_it_stands(connection: sa.Connection, name: str) -> sa.Table | None:
    if not sa.inspect(connection).has_table(name):
        return None
    return sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)


def _must(column: sa.Column[Any]) -> bool:
    return not column.nullable and column.server_default is None


def _empty(column: sa.Column[Any]) -> Any:
    try:
        return EMPTY.get(column.type.python_type, "")
    except NotImplementedError:  # SQLAlchemy names no Python type for some of its own
        return ""


def _keys(table: sa.Table, rows: list[dict[str, Any]]) -> set[Any]:
    return {tuple(row[column.name] for column in table.primary_key) for row in rows}


__all__ = ["uninstalling", "upgrades"]
