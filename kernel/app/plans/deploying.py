"""Plans of operators: what installing, upgrading or uninstalling a plugin would do to the whole deployment.

They are made beside the deeds that shops do, from a snapshot read with the login that owns the tables.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import sqlalchemy as sa
from alembic.script import Script
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.plans.hindering import hindrances_behind, hindrances_in_turn, hindrances_to, hindrances_to_drop
from kernel.app.plans.making import MOST_COUNTED, hash_of, hooks_of, rivals_of, routes_of
from kernel.app.plans.statements import told_revisions
from kernel.app.plans.values import (
    Deploying,
    KeptArchive,
    Plan,
    PlanJob,
    PlanPermission,
    PlanSetting,
    Revision,
    TableRows,
)
from kernel.app.portable.loading import enter
from kernel.app.portable.reading import Known, UnknownTables, snapshot
from kernel.app.uninstalling.belongings import among, tables_of
from kernel.app.uninstalling.ground import migrator_of
from kernel.app.uninstalling.removing import above_it, businesses_with, kept_of
from kernel.auth.businesses.switching import Hindrance
from kernel.auth.rights.permissions import ROLE_NAMES
from kernel.db.tables import Epoch, Job, Release
from kernel.errors import NotFound
from kernel.jobs import handlers_in
from kernel.ordering import dependencies, sort
from kernel.plugin import ROLES
from kernel.registry import Loaded, Registry, released_versions
from kernel.settings import Settings
from kernel.work import Deployment, heed_now
from kernel.work.configuring import secret_names, title_of
from kernel.work.heeding import REMOVED

ARCHIVES = "archives"
"""The folder below the deployment's home where what was uninstalled is kept."""
RESTART = "Start the servers anew: those that were started before its package came, or its tables, do not serve it"
_NO_PLAN = ("routes", "permissions", "jobs", "tables", "settings", "hosts", "obligations", "consequences", "hooks")


@dataclass(frozen=True)
class Here:
    """What is found of a plugin in the database: the releases, the deployment's epoch, its tables, who has it on."""

    states: Mapping[str, str]
    versions: Mapping[str, str]
    epoch: int
    tables: Sequence[Known]
    rows: Sequence[TableRows]
    waiting: Mapping[str, int]
    businesses: Sequence[str]
    hindrances: Sequence[Hindrance]


def whole(deployment: Deployment) -> Deployment:
    """The deployment with what this process has loaded and left out, since its migrations had not run then."""
    found = deployment.found
    if not found.held_back:
        return deployment
    loaded = {**found.plugins, **found.held_back}
    manifests = {name: one.manifest for name, one in loaded.items()}
    aside = [one for one in found.set_aside.values() if one.name not in loaded]
    registry = Registry([loaded[name] for name in sort(manifests, dependencies(manifests))], aside)
    return replace(deployment, registry=registry, discovered=None, heeded=0)


async def plan_deployment(
    deployment: Deployment, name: str, action: Deploying, *, archive: str | None = None, serving: bool
) -> Plan:
    """What the action would do to the deployment, for every business. Nothing is changed.

    archive: of those kept below home, the one to install from. serving: server processes run meanwhile, so that
    nothing may be taken away under them. Raises NotFound for a plugin whose code is not here.
    """
    await heed_now(deployment)
    found = deployment.found
    one = found.plugins.get(name)
    if one is None:
        return _without_code(found, name, action)
    scripts, pending = await _scripts(deployment, one, action)
    async with snapshot(deployment.settings) as transaction:
        here = await _here(transaction.connection, deployment, one, action)
    state = here.states.get(name)
    is_done = {"install": state == "installed", "uninstall": state == REMOVED}.get(action, False)
    if action == "upgrade":
        is_done = state == "installed" and not scripts and here.versions.get(name) == one.manifest.version
    migrations = [] if is_done else told_revisions(migrator_of(deployment, name), scripts)
    plan = _plan(deployment, one, action, here, migrations, is_done=is_done)
    hindrances = [] if is_done else [*here.hindrances, *hindrances_to(found, one, action, here.states)]
    if action != "uninstall" and not is_done:
        hindrances += hindrances_in_turn(one, scripts, pending)
        hindrances += hindrances_behind(one, action, migrations, serving=serving)
    kept = archives_of(deployment.settings, name) if action == "install" else []
    if archive is not None and archive not in {one.name for one in kept}:
        hindrances.append(Hindrance("archive", f"There is no archive {archive} of {name}", (name,)))
    plan = msgspec.structs.replace(plan, hindrances=hindrances, archives=kept, archive=archive)
    return msgspec.structs.replace(plan, hash=hash_of(plan, epoch=here.epoch))


def archives_of(settings: Settings, name: str) -> list[KeptArchive]:
    """The archives of a plugin that are kept below home, the newest first."""
    files = sorted((settings.home_path / ARCHIVES).glob(f"{name}-*.zip"), key=lambda file: file.name, reverse=True)
    told = ((file.name, file.stat()) for file in files)
    return [KeptArchive(known, stat.st_size, dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)) for known, stat in told]


def _without_code(found: Registry, name: str, action: Deploying) -> Plan:
    """The plan of what cannot be planned: set aside, or come since this process was started."""
    if name in found.set_aside:
        aside = found.set_aside[name]
        hindrance = Hindrance("set-aside", f"{name} was set aside: {aside.reason}", aside.path or (name,))
    elif name in released_versions():
        said = f"The package of {name} came after this process was started: start the servers anew first"
        hindrance = Hindrance("restart", said, (name,))
    else:
        raise NotFound(f"There is no code of a plugin {name} here")
    nothing: dict[str, list[object]] = {field: [] for field in _NO_PLAN}
    plan = Plan(
        **{**nothing, "stands_on": [], "needed_by": []},  # type: ignore[arg-type]
        plugin=name,
        title=name,
        version="",
        action=action,
        is_done=False,
        turn=[name],
        hindrances=[hindrance],
        catch_up=None,
        hash="",
    )
    return msgspec.structs.replace(plan, hash=hash_of(plan))


def _plan(
    deployment: Deployment, one: Loaded, action: Deploying, here: Here, migrations: list[Revision], *, is_done: bool
) -> Plan:
    found, name = deployment.found, one.name
    now = frozenset(other for other in found.plugins if here.states.get(other) == "installed")
    then = now - {name} if action == "uninstall" else now | {name}
    lasts = is_done or action == "uninstall" or (here.states.get(name) == REMOVED and name in deployment.found.plugins)
    return Plan(
        plugin=name,
        title=one.manifest.title,
        version=one.manifest.version,
        version_before=here.versions.get(name) or None,
        action=action,
        is_done=is_done,
        turn=[name],
        hindrances=[],
        stands_on=sorted(one.manifest.requirements()),
        needed_by=sorted(above_it(found, name, here.states)),
        conflicts=rivals_of(found, one),
        businesses=list(here.businesses),
        migrations=migrations,
        routes=routes_of(one),
        permissions=_permissions(one),
        hooks=hooks_of(found.hooks_for(_standing(found, now)), found.hooks_for(_standing(found, then)), name),
        jobs=[PlanJob(job.name, job.cron, None, here.waiting.get(job.name, 0)) for job in handlers_in(one)],
        tables=list(here.rows),
        kept=kept_of(one, here.tables) if action == "uninstall" else [],
        settings=_settings(one) if action == "install" else [],
        hosts=list(one.manifest.hosts),
        obligations=[],
        catch_up=None,
        consequences=[],
        restart=None if lasts else RESTART,
        hash="",
    )


def _standing(found: Registry, names: frozenset[str]) -> frozenset[str]:
    """Those of some plugins that have all they stand on among them: the others hear no hook, and cannot be on."""
    return frozenset(name for name in names if names.issuperset(found.needed_by(name)))


def _permissions(one: Loaded) -> list[PlanPermission]:
    grants = one.manifest.grants
    return [
        PlanPermission(
            said.name,
            said.words,
            [ROLE_NAMES[role] for role in ROLES if role == "owner" or said.name in grants.get(role, ())],
        )
        for said in one.manifest.permissions
    ]


def _settings(one: Loaded) -> list[PlanSetting]:
    if one.settings is None:
        return []
    secrets = secret_names(one.settings)
    return [
        PlanSetting(field.name, title_of(field), field.required, field.name in secrets)
        for field in msgspec.structs.fields(one.settings)
    ]


async def _scripts(
    deployment: Deployment, one: Loaded, action: Deploying
) -> tuple[list[tuple[str, Script]], list[tuple[str, Script]]]:
    """The revisions of the plugin that would run, and all that wait of whatever lineage."""
    if action == "uninstall":
        return [], []
    pending = await migrator_of(deployment, one.name).pending_scripts()
    return [said for said in pending if said[0] == one.name], pending


async def _here(connection: AsyncConnection, deployment: Deployment, one: Loaded, action: Deploying) -> Here:
    releases = (await connection.execute(sa.select(Release.plugin, Release.state, Release.version))).all()
    epoch = await connection.execute(sa.select(Epoch.value).where(Epoch.scope == "deployment"))
    waiting = await connection.execute(
        sa.select(Job.name, sa.func.count())
        .where(Job.plugin == one.name, Job.state.in_(("pending", "parked")))
        .group_by(Job.name)
    )
    faults: list[Hindrance] = []
    try:
        known = await tables_of(connection, deployment.found, one)
    except UnknownTables as fault:
        known = []
        faults += [Hindrance("unknown-tables", str(fault), (one.name,))] if action == "uninstall" else []
    seen = await among(connection)
    if action == "uninstall":
        faults += await hindrances_to_drop(connection, one, known, seen)
    return Here(
        {row.plugin: row.state for row in releases},
        {row.plugin: row.version for row in releases},
        epoch.scalar_one_or_none() or 0,
        known,
        [await _counted(connection, table, seen) for table in known],
        {row[0]: row[1] for row in waiting.all()},
        await businesses_with(connection, one.name, seen),
        faults,
    )


async def _counted(connection: AsyncConnection, known: Known, seen: list[uuid.UUID] | None) -> TableRows:
    """How many rows stand in a table, of all businesses."""
    rows = 0
    among_them: list[uuid.UUID | None] = [*seen] if seen is not None and known.tenant else [None]
    for business in among_them:
        few = sa.select(sa.literal(1)).select_from(known.table)
        if business is not None:
            await enter(connection, business)
            few = few.where(known.table.c.business_id == business)
        some = few.limit(MOST_COUNTED + 1 - rows).subquery()
        rows += (await connection.execute(sa.select(sa.func.count()).select_from(some))).scalar_one()
    return TableRows(str(known.table.name), min(rows, MOST_COUNTED), rows > MOST_COUNTED)
