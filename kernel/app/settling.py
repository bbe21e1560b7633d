"""Which plugins this process may run on its database: those whose migrations have run, whichever process ran them.

One process prepares a database; every other learns from it. A plugin whose lineage is behind its code is set aside,
with the reason noted where its migration failed, and the rest is served. A database that cannot be asked sets nothing
aside: readiness says `migrations: failing` then, until the process is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from kernel import __file__ as migrations_beside
from kernel.app.health import Heads, versions
from kernel.db import Database, Transaction
from kernel.db.tables import Release
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.work import NO_BUSINESS, Deployment
from kernel.work.heeding import REMOVED, without

log = logging.getLogger("duka.plugins")
PATIENCE_S = 20.0
LOOK_S = 60.0
_KERNEL, _MIGRATIONS = "kernel", Path(migrations_beside).parent / "migrations"
NOT_RUN = "its migrations have not run; duka init runs them"


async def settled(settings: Settings, registry: Registry) -> Registry:
    """The registry less the plugins whose migrations have not run, and those that stand on them."""
    async with _looking(settings) as transaction:
        if await _is_all_there(transaction, registry):
            return registry
        heads = await asyncio.to_thread(Heads.read, registry)
        reasons = await _reasons(transaction, heads)
    for name, reason in reasons.items():
        if name in registry.plugins:
            log.error("plugin %s is set aside: %s", name, reason)
            registry = without(registry, name, reason)
    return registry


def settled_apart(settings: Settings, registry: Registry) -> Registry:
    """The same where a loop may be running, in a thread. A database that cannot be asked sets nothing aside."""
    found = [registry]

    def look() -> None:
        try:
            found[:] = [asyncio.run(asyncio.wait_for(settled(settings, registry), PATIENCE_S))]
        except Exception as fault:  # a server starts while its database is away
            log.warning("the database does not say which plugins are ready: %r", fault)

    thread = threading.Thread(target=look, name="duka-settling")
    thread.start()
    thread.join()
    return found[0]


async def await_migrations(settings: Settings, registry: Registry, stop: asyncio.Event) -> Registry:
    """For a process that prepares nothing: wait until no migration is pending but those that failed, then settle."""
    heads = await asyncio.to_thread(Heads.read, registry)
    told = ""
    while not stop.is_set():
        try:
            async with asyncio.timeout(PATIENCE_S), _looking(settings) as transaction:
                pending = [name for name, reason in (await _reasons(transaction, heads)).items() if reason == NOT_RUN]
                pending += await _behind(transaction, heads, [_KERNEL])
            if not pending:
                break
            said = f"migrations have not run: {', '.join(pending)}; duka init or a server that starts runs them"
        except Exception as fault:  # the database may be away for a while
            said = f"the database is not there: {fault!r}"
        if said != told:
            log.warning("waiting, since %s", said)
            told = said
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), 1.0)
    return registry if stop.is_set() else await settled(settings, registry)


async def watch_set_aside(deployment: Deployment, whole: Registry, stop: asyncio.Event) -> None:
    """End once a plugin that was set aside can run: whoever watches over this process starts it anew, with it."""
    aside = whole.plugins.keys() - deployment.found.plugins.keys()
    heads = await asyncio.to_thread(Heads.read, whole)
    while not stop.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
        if not aside or stop.is_set():
            continue
        try:
            async with deployment.database.reading(NO_BUSINESS) as transaction:
                if not aside & set(await _reasons(transaction, heads)):
                    log.warning("the migrations of %s have run: starting anew with it", ", ".join(sorted(aside)))
                    return
        except Exception:  # as above
            log.exception("the database does not say which plugins are ready")


@contextlib.asynccontextmanager
async def _looking(settings: Settings) -> AsyncIterator[Transaction]:
    """A look into the database on connections of its own: those of a deployment belong to the loop that serves."""
    role = settings.database_role if settings.url.startswith("postgresql") else ""
    database = Database(settings.url, role=role, pool_size=1)
    try:
        async with database.reading(NO_BUSINESS) as transaction:
            yield transaction
    finally:
        await database.dispose()


async def _is_all_there(transaction: Transaction, registry: Registry) -> bool:
    """Whether no lineage has a revision that follows the one its tables stand at; told without Alembic, at once."""
    folders = {_KERNEL: _MIGRATIONS, **{one.name: one.migrations for one in registry.in_order()}}
    folders = {name: folder for name, folder in folders.items() if folder.is_dir()}
    if not folders.keys() <= await _known(transaction):
        return False
    stands = await versions(transaction, list(folders))
    return all(name in stands and not _is_followed(folder, stands[name]) for name, folder in folders.items())


def _is_followed(folder: Path, revision: str) -> bool:
    lines = (line for file in folder.glob("*.py") for line in file.read_text().splitlines())
    return any(revision in line for line in lines if line.startswith("down_revision"))


async def _known(transaction: Transaction) -> set[str]:
    """The lineages that have a table of versions."""
    there = await transaction.connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    return {name.removesuffix("_schema") for name in there if name.endswith("_schema")}


async def _reasons(transaction: Transaction, heads: Heads) -> Mapping[str, str]:
    """Plugin → why it cannot run. Empty where the kernel's own tables are not there yet: nothing runs then.

    Those that were uninstalled are not among them: they are set aside and taken back as it goes, see `heed`.
    """
    if await _behind(transaction, heads, [_KERNEL]):
        return {}
    found = await transaction.execute(
        sa.select(Release.plugin, Release.reason).where(Release.state == "quarantined", Release.reason.is_not(None))
    )
    failed: dict[str, str] = {row.plugin: row.reason for row in found.all()}
    behind = await _behind(transaction, heads, [name for name in heads.newest if name != _KERNEL])
    removed = set((await transaction.execute(sa.select(Release.plugin).where(Release.state == REMOVED))).scalars())
    return {name: failed.get(name, NOT_RUN) for name in behind if name not in removed}


async def _behind(transaction: Transaction, heads: Heads, names: list[str]) -> list[str]:
    """Those of some lineages that the database has not been brought up to, tables that are not there included."""
    there = await _known(transaction)
    known = [name for name in names if name in there]
    return [name for name in names if name not in known] + (await heads.behind(transaction, known) if known else [])
