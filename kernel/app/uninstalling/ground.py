"""The ground these deeds stand on: the login that owns the tables, the locks, the release, the trail.

What writes for a business shares the lock of the whole deployment (`kernel.db.engine.WHOLE`). Who has it alone knows
that no deed is under way, and that the next one will see a risen epoch.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.portable.loading import enter
from kernel.app.prepare import lineages
from kernel.app.uninstalling.faults import Busy, NotInstalled
from kernel.db import new_id, trouble_of
from kernel.db.engine import LOCK_SPACE, WHOLE
from kernel.db.owner import engine_for
from kernel.db.tables import Audit, Epoch, Release
from kernel.migrate import Lineage, Migrator
from kernel.registry import Loaded
from kernel.work import NO_BUSINESS, Actor, Deployment, Origin, heed_now
from kernel.work.heeding import REMOVED

PATIENCE_S = 60.0
WAITS_MS = 800
"""Deeds queue behind who waits for the whole lock: so it is waited for a moment at a time. Less than deeds wait."""
LAST_MS = 2000
"""Who has the whole lock waits so long for anything else, since all others wait meanwhile."""
_PAUSE_S = 0.2


def url_of(deployment: Deployment) -> str:
    """The URL of the login that owns the tables."""
    return deployment.settings.migrations_database_url or deployment.settings.url


@contextlib.asynccontextmanager
async def owning(deployment: Deployment) -> AsyncIterator[AsyncConnection]:
    """One transaction of the login that owns the tables, beside no migration; commits when the block ends well."""
    engine = engine_for(url_of(deployment))
    try:
        async with engine.begin() as connection:
            if is_postgres(connection):
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_SPACE + 1}, 0)")
            yield connection
    finally:
        await engine.dispose()
    await heed_now(deployment)


async def be_alone(connection: AsyncConnection) -> None:
    """Wait until no deed is under way, and keep new ones waiting to the end of the transaction. Raises Busy."""
    if not is_postgres(connection):
        return  # a transaction that writes is alone anyway
    end = time.monotonic() + PATIENCE_S
    while not await _alone_within(connection, WAITS_MS):
        if time.monotonic() > end:
            raise Busy(f"For {PATIENCE_S:g} s there was no moment without a deed under way; try again")
        await asyncio.sleep(_PAUSE_S)


async def _alone_within(connection: AsyncConnection, wait_ms: int) -> bool:
    try:
        async with connection.begin_nested():
            await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_SPACE}, {WHOLE})")
            await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LAST_MS}")
    except DBAPIError as error:
        trouble = trouble_of(error)
        if trouble is None or trouble.kind != "locked":
            raise
        return False
    return True


def is_postgres(connection: AsyncConnection) -> bool:
    """Which of the two databases it is."""
    return connection.dialect.name == "postgresql"


def code_of(deployment: Deployment, name: str) -> Loaded:
    """A plugin whose code is here, installed or not. Raises NotInstalled."""
    found = deployment.found
    if name in found.plugins:
        return found.plugins[name]
    aside = found.set_aside.get(name)
    raise NotInstalled(
        f"{name} was set aside: {aside.reason}" if aside else f"There is no code of a plugin {name} here"
    )


async def states(connection: AsyncConnection) -> dict[str, str]:
    """Plugin → the state of its release."""
    rows = await connection.execute(sa.select(Release.plugin, Release.state))
    return {row.plugin: row.state for row in rows.all()}


async def refuse_unless_installed(connection: AsyncConnection, name: str) -> None:
    """Raise NotInstalled for a plugin that is not."""
    state = (await states(connection)).get(name)
    if state != "installed":
        said = {None: "it never was", REMOVED: "it was uninstalled"}.get(state, f"it is {state}")
        raise NotInstalled(f"{name} is not installed: {said}")


def refuse_unmet(deployment: Deployment, name: str) -> None:
    """Raise NotInstalled where something that a plugin stands on is not installed."""
    needed = [one for one in deployment.found.needed_by(name) if one != name]
    if missing := [one for one in needed if one not in deployment.registry.plugins]:
        raise NotInstalled(
            f"{name} stands on {', '.join(missing)}: install {'it' if len(missing) == 1 else 'them'} first"
        )


async def note(
    connection: AsyncConnection, deployment: Deployment, loaded: Loaded, state: str, reason: str | None
) -> None:
    """Note the state of a release, and raise the deployment's epoch: every process heeds it at its next deed."""
    row = {"version": loaded.manifest.version, "state": state, "reason": reason, "changed_at": deployment.clock()}
    changed = await connection.execute(sa.update(Release).where(Release.plugin == loaded.name).values(row))
    if not changed.rowcount:
        await connection.execute(sa.insert(Release).values(plugin=loaded.name, **row))
    raised = await connection.execute(sa.update(Epoch).where(Epoch.scope == "deployment").values(value=Epoch.value + 1))
    if not raised.rowcount:
        await connection.execute(sa.insert(Epoch).values(scope="deployment", value=1))


async def leave_trail(
    connection: AsyncConnection,
    deployment: Deployment,
    actor: Actor,
    deed: str,
    name: str,
    facts: dict[str, Any],
    origin: Origin | None = None,
) -> None:
    """Add a row to the deployment's own trail, in the transaction that does what it tells of."""
    if is_postgres(connection):
        await enter(connection, NO_BUSINESS)
    row = {"business_id": NO_BUSINESS, "id": new_id(), "at": deployment.clock(), "epoch": 0}
    where = {"request_id": origin.request_id, "address": origin.address} if origin else {}
    who = {**where, "actor_id": actor.id, "actor_name": actor.name, "supporting": actor.supporting}
    await connection.execute(sa.insert(Audit).values(**row, **who, deed=deed, subject=f"plugin:{name}", facts=facts))
    deployment.to_seal.add(NO_BUSINESS)


def migrator_of(deployment: Deployment, name: str) -> Migrator:
    """Migrates a plugin that was uninstalled."""
    return Migrator(url_of(deployment), lineages(deployment.found), deployment.database.role, bringing_back=name)


def revisions_of(loaded: Loaded) -> list[str]:
    """The revisions of a plugin as this code has them, the newest first; none where it has no tables."""
    if not loaded.migrations.is_dir():
        return []
    return [one.revision for one in Lineage(loaded.name, loaded.migrations).script().walk_revisions()]
