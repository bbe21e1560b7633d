"""Rules about migrations: the schema they lead to is that of the models, wherever they begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.prepare import lineages
from kernel.migrate import Lineage, Migrator
from kernel.registry import Loaded, Registry
from kernel.testing.suite.still import own_tables

ROLE = "duka_app"

Schema = dict[str, Any]
"""Table → its columns, keys, indexes and checks, as the database tells them."""


def revisions(plugin: Loaded) -> list[str]:
    """The revisions of a plugin, oldest first."""
    if not plugin.migrations.is_dir():
        return []
    script = Lineage(plugin.name, plugin.migrations).script()
    return [one.revision for one in reversed(list(script.walk_revisions()))]


def named(plugin: Loaded) -> Iterator[str]:
    """Revisions are called after their plugin, and tables have some."""
    known = revisions(plugin)
    for one in known:
        if not one.startswith(f"{plugin.name}_"):
            yield f"revision {one}: call it {plugin.name}_{one}, as `duka migration new {plugin.name}` does"
    if own_tables(plugin) and not known:
        yield f"there are tables and no revision; run: duka migration new {plugin.name} 'First tables'"


def lineages_of(plugin: Loaded, registry: Registry) -> list[Lineage]:
    """The kernel's lineage, those of what the plugin needs, and its own."""
    wanted = {"kernel", *registry.needed_by(plugin.name)}
    return [one for one in lineages(registry) if one.name in wanted]


async def upgrade(url: str, plugin: Loaded, registry: Registry, stop_at: str | None) -> Schema:
    """Upgrade an empty database, with a stop at a revision of the plugin; the schema of the plugin's tables."""
    if stop_at is not None:
        await upgrade_to(url, plugin, registry, stop_at)
    await Migrator(url, lineages_of(plugin, registry), ROLE).upgrade()
    return await schema_of(url, plugin.name)


async def upgrade_to(url: str, plugin: Loaded, registry: Registry, revision: str) -> None:
    """Upgrade an empty database to a revision of the plugin, and all that it stands on to the newest."""
    migrator = Migrator(url, lineages_of(plugin, registry), ROLE)
    others = {one.name: one.script().get_current_head() or "" for one in migrator.lineages.values()}
    await migrator.upgrade({name: head for name, head in others.items() if head} | {plugin.name: revision})


async def faults(url: str, plugin: Loaded, registry: Registry) -> list[str]:
    """What is wrong with an upgraded database."""
    migrator = Migrator(url, lineages_of(plugin, registry), ROLE, neighbours=registry.plugins)
    own = f"{plugin.name}_"
    found = [
        f"models and migrations differ: {one}; run: duka migration new {plugin.name} 'Words'"
        for one in await migrator.differences()
        if own in one
    ]
    if again := await migrator.upgrade():
        found.append(f"{', '.join(again)} ran a second time; a revision never changes its id")
    return found + (await _unprotected(url, plugin) if url.startswith("postgresql") else [])


async def schema_of(url: str, name: str) -> Schema:
    """The tables of a plugin as the database tells them."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_told, f"{name}_")
    finally:
        await engine.dispose()


def _told(connection: sa.Connection, prefix: str) -> Schema:
    inspector = sa.inspect(connection)
    told = {}
    for table in inspector.get_table_names():
        if table.startswith(prefix):
            kinds: list[Callable[[str], Sequence[Any]]] = [
                inspector.get_columns,
                inspector.get_indexes,
                inspector.get_foreign_keys,
            ]
            told[table] = [sorted(_plain(one) for one in kind(table)) for kind in kinds]
    return told


def _plain(said: Any) -> str:
    """A text that says the same of the same; types and clauses are told apart by what they compile to."""
    if isinstance(said, dict):
        return str(sorted((str(name), _plain(value)) for name, value in said.items()))
    return str([_plain(one) for one in said]) if isinstance(said, list | tuple) else str(said)


async def _unprotected(url: str, plugin: Loaded) -> list[str]:
    own = [table.name for table in own_tables(plugin) if not table.info.get("global")]
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            rows = await connection.execute(
                sa.text("SELECT relname FROM pg_class WHERE relname = ANY(:own) AND NOT relforcerowsecurity"),
                {"own": own},
            )
            return [
                f"table {one}: other businesses' rows are not fenced off; call tenant_table({one!r}) in its revision"
                for one in rows.scalars()
            ]
    finally:
        await engine.dispose()
