"""Brings a database up to date with the deployment's plugins, and sets aside those whose migrations fail."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from kernel.audit import begin_watch
from kernel.auth import act, look
from kernel.auth.models import User
from kernel.db.tables import Business, Epoch, Release
from kernel.errors import DukaError
from kernel.hooks import started
from kernel.jobs import complete_schedules
from kernel.migrate import KERNEL, Lineage, MigrationFailed, Migrator
from kernel.registry import Registry
from kernel.work import Deployment, Work, heed_now
from kernel.work.heeding import REMOVED, without


def lineages(registry: Registry) -> list[Lineage]:
    """The kernel's lineage and those of the plugins that have one, in plan order."""
    return [KERNEL, *(Lineage(one.name, one.migrations) for one in registry.in_order() if one.migrations.is_dir())]


async def prepare(deployment: Deployment) -> list[str]:
    """Run pending migrations, note releases, make the platform's owner an operator. Returns what was done, in words."""
    await heed_now(deployment)
    said: list[str] = []
    while True:
        url = deployment.settings.migrations_database_url or deployment.settings.url
        migrator = Migrator(url, lineages(deployment.registry), deployment.database.role)
        try:
            said += [f"migrated {revision}" for revision in await migrator.upgrade()]
            break
        except MigrationFailed as fault:
            if fault.plugin == KERNEL.name:
                raise
            said.append(f"set aside {fault}")
            if deployment.discovered is not None:
                deployment.discovered = without(deployment.discovered, fault.plugin, fault.reason)
            deployment.registry = without(deployment.registry, fault.plugin, fault.reason)
    await act(deployment, None, _note, deed="prepare")
    return said + await _start_single(deployment)


async def _start_single(deployment: Deployment) -> list[str]:
    """Tell the plugins of a deployment's only business that it has started; what they say they did."""

    async def only(work: Work) -> uuid.UUID | None:
        ids = (await work.execute(sa.select(Business.id).where(Business.is_active.is_(True)).limit(2))).scalars().all()
        return ids[0] if len(ids) == 1 else None

    async def tell(work: Work) -> list[str]:
        return [line for answer in await work.tell(started, work=work) for line in answer.value]

    business = await look(deployment, None, only)
    if business is None:
        return []
    try:
        return await act(deployment, business, tell, deed="start", audited=False)
    except DukaError as fault:  # a variable that is wrong keeps nobody from selling
        return [f"what the environment says was not taken over: {fault}"]


async def _note(work: Work) -> None:
    registry = work.deployment.registry
    rows: list[tuple[str, str, str, str | None]] = []
    rows += [(one.name, one.manifest.version, "installed", None) for one in registry.in_order()]
    rows += [(aside.name, "", "quarantined", aside.reason) for aside in registry.set_aside.values()]
    known = {
        row.plugin: (row.plugin, row.version, row.state, row.reason)
        for row in (await work.execute(sa.select(Release.plugin, Release.version, Release.state, Release.reason))).all()
    }
    removed = {row[0] for row in known.values() if row[2] == REMOVED}
    changed = [row for row in rows if row[0] not in removed and known.get(row[0]) != row]
    for name, version, state, reason in changed:
        await work.execute(sa.delete(Release).where(Release.plugin == name))
        await work.execute(
            sa.insert(Release).values(plugin=name, version=version, state=state, reason=reason, changed_at=work.now)
        )
    if changed:
        await raise_epoch(work)
    await complete_schedules(work)
    await begin_watch(work)
    if email := work.deployment.settings.platform_owner_email:
        await work.execute(sa.update(User).where(User.email == email.lower()).values(is_operator=True))


async def raise_epoch(work: Work) -> None:
    """Raise the deployment's epoch: every process looks anew at what is installed."""
    raised = await work.execute(sa.update(Epoch).where(Epoch.scope == "deployment").values(value=Epoch.value + 1))
    if not raised.rowcount:
        await work.execute(sa.insert(Epoch).values(scope="deployment", value=1))
