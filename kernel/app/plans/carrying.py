"""Carry out a plan of operators: made again while nobody else may, and done only if it is still what was seen."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Required, TypedDict, TypeVar, Unpack

import msgspec
import sqlalchemy as sa

from kernel.app.plans.applying import PlanStale, hindering
from kernel.app.plans.deploying import ARCHIVES, plan_deployment, whole
from kernel.app.plans.values import Deploying, Plan
from kernel.app.uninstalling import Busy, Installed, Restored, Uninstalled, install, restore, uninstall, upgrade_plugin
from kernel.app.uninstalling.archiving import Progress
from kernel.app.uninstalling.ground import is_postgres, url_of
from kernel.db import Database
from kernel.db.engine import COMMAND, LOCK_SPACE, SERVING
from kernel.db.owner import engine_for
from kernel.errors import Conflict, PluginFault
from kernel.migrate import MigrationFailed
from kernel.work import SYSTEM, Actor, Deployment, Origin

T = TypeVar("T")
_LOCK = LOCK_SPACE + 2
_SERVERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
)


class RevisionFailed(Conflict):
    """A migration of the plugin failed; nothing of it is left."""

    code, title = "migration-failed", "A migration failed"


class Carried(msgspec.Struct, frozen=True):
    """A plan that was carried out, and what was done; none of it where it was so already."""

    plan: Plan
    installed: Installed | None = None
    restored: Restored | None = None
    uninstalled: Uninstalled | None = None

    @property
    def migrated(self) -> list[str]:
        """The revisions that ran, but for those that made the tables of an archive."""
        done = self.installed or self.restored
        return done.migrated if done else []


class How(TypedDict, total=False):
    """How a plan is carried out, and by whom.

    hash_: that of the plan that was seen; None carries out whatever it is now. archive: the one kept below home to
    install from. into: the file that an uninstalled plugin's data goes into, by default a new one below home.
    """

    hash_: Required[str | None]
    serving: Required[bool]
    archive: str | None
    into: Path | None
    actor: Actor
    origin: Origin | None
    progress: Progress | None


async def carry_out_plan(deployment: Deployment, name: str, action: Deploying, **how: Unpack[How]) -> Carried:
    """Install, upgrade or uninstall for the whole deployment.

    Raises NotFound, Busy while somebody else does as much, PlanStale, PluginFault for what hinders it, RevisionFailed,
    and what `kernel.app.uninstalling` raises.
    """
    async with only_one(deployment):
        return await carry_out_alone(deployment, name, action, **how)


async def carry_out_alone(
    deployment: Deployment, name: str, action: Deploying, *, was_begun: bool = False, **how: Unpack[How]
) -> Carried:
    """The same, by who has `only_one`. was_begun: under this hash already, so that it may be done."""
    plan = await plan_deployment(deployment, name, action, archive=how.get("archive"), serving=how["serving"])
    if was_begun and plan.is_done:
        return Carried(plan)
    if how["hash_"] is not None and how["hash_"] != plan.hash:
        raise PlanStale(f"It was {how['hash_'][:12]}…, and is {plan.hash[:12]}… now")
    if plan.hindrances:
        raise PluginFault(hindering(plan))
    if plan.is_done:
        return Carried(plan)
    by = {"actor": how.get("actor", SYSTEM), "origin": how.get("origin")}
    try:
        return await _carry_out(deployment, plan, how.get("into"), by, how.get("progress"))
    except MigrationFailed as fault:
        raise RevisionFailed(str(fault)) from fault


async def apart(deployment: Deployment, run: Callable[[Deployment], Coroutine[Any, Any, T]]) -> T:
    """Run what takes its time in a thread, with a loop and connections of its own: the process goes on serving."""
    return await asyncio.to_thread(lambda: asyncio.run(_with_its_own(deployment, run)))


async def servers_run(deployment: Deployment) -> bool | None:
    """Whether processes that serve or work off jobs are connected; None where the database cannot tell."""
    if not deployment.database.is_postgres:
        return None
    engine = engine_for(url_of(deployment))
    try:
        async with engine.connect() as connection:
            return bool((await connection.execute(_SERVERS, {"name": SERVING})).scalar_one())
    finally:
        await engine.dispose()


@contextlib.asynccontextmanager
async def only_one(deployment: Deployment) -> AsyncIterator[None]:
    """Be the only one who changes what is installed. Raises Busy where somebody else does, at once."""
    if not deployment.database.is_postgres:
        with _locked_file(deployment.settings.home_path / "plugins.lock"):
            yield
        return
    engine = engine_for(url_of(deployment))
    try:
        async with engine.begin() as connection:
            assert is_postgres(connection)  # noqa: S101 - as its deployment's
            if not (await connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_LOCK}, 0)")).scalar_one():
                raise _underway()
            yield
    finally:
        await engine.dispose()


@contextlib.contextmanager
def _locked_file(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise _underway() from fault
        yield


def _underway() -> Busy:
    return Busy("Somebody else installs, upgrades or uninstalls a plugin at this moment; look at the plan again then")


async def _carry_out(
    deployment: Deployment, plan: Plan, into: Path | None, by: dict[str, Any], progress: Progress | None
) -> Carried:
    name = plan.plugin
    if plan.action == "uninstall":
        done = await uninstall(deployment, name, into or _new_archive(deployment, plan), progress=progress, **by)
        return Carried(plan, uninstalled=done)
    if plan.archive is not None:
        file = deployment.settings.home_path / ARCHIVES / plan.archive
        back = await restore(deployment, file, of=name, progress=progress, **by)
        return Carried(plan, restored=back)
    made = await (install if plan.action == "install" else upgrade_plugin)(deployment, name, **by)
    return Carried(plan, installed=made)


def _new_archive(deployment: Deployment, plan: Plan) -> Path:
    folder = deployment.settings.home_path / ARCHIVES
    folder.mkdir(mode=0o700, exist_ok=True)
    stem = f"{plan.plugin}-{plan.version}-{deployment.clock():%Y%m%dT%H%M%S}"
    names = (f"{stem}{f'-{number}' if number else ''}.zip" for number in itertools.count())
    return next(folder / name for name in names if not (folder / name).exists())


async def _with_its_own(deployment: Deployment, run: Callable[[Deployment], Coroutine[Any, Any, T]]) -> T:
    role = deployment.database.role
    database = Database(deployment.settings.url, role=role, pool_size=2, patient=True, name=COMMAND)
    try:
        return await run(replace(whole(deployment), database=database))
    finally:
        await database.dispose()
