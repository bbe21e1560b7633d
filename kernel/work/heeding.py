"""What is installed, heeded by every process: a plugin that was uninstalled is set aside though its code is there.

Whatever is installed or uninstalled raises the deployment's epoch, which every deed reads with its standing: so the
releases are read again only when it has risen.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, trouble_of
from kernel.db.tables import Epoch, Release
from kernel.registry import Registry, SetAside
from kernel.work.deployment import Deployment
from kernel.work.standing import NO_BUSINESS, Standing

REMOVED = "removed"
"""The state of a release whose plugin was uninstalled."""
_REMOVED = Prepared(sa.select(Release.plugin).where(Release.state == REMOVED))
_EPOCH = Prepared(sa.select(Epoch.value).where(Epoch.scope == "deployment"))


def why_removed(name: str) -> str:
    """What is said of a plugin that was uninstalled."""
    return f"uninstalled; `duka plugin install {name}` brings it back"


async def heed(deployment: Deployment, transaction: Transaction, standing: Standing) -> None:
    """Set aside what was uninstalled, and take back what was installed, since this process last looked."""
    await _heed(deployment, transaction, standing.epochs.deployment)


async def heed_now(deployment: Deployment) -> None:
    """As `heed`, before anything is done; a database that has no tables yet has nothing uninstalled."""
    try:
        async with deployment.database.reading(NO_BUSINESS) as transaction:
            row = await transaction.one(_EPOCH)
            await _heed(deployment, transaction, row.value if row else 0)
    except Exception as error:
        if trouble_of(error) is None:
            raise


def begin_with(deployment: Deployment, registry: Registry) -> None:
    """Give a deployment its plugins; what was uninstalled is set aside at its next deed."""
    deployment.registry, deployment.discovered, deployment.heeded = registry, None, 0


def without(registry: Registry, name: str, reason: str, state: str = "quarantined") -> Registry:
    """The registry less a plugin and those that stand on it, each set aside with its reason."""
    above = registry.standing_on(name, registry.plugins)
    aside = [*registry.set_aside.values(), SetAside(name, reason, state)]
    aside += [SetAside(other, f"needs {name}, which was set aside", path=(other, name)) for other in above]
    made = Registry([one for one in registry.in_order() if one.name not in (name, *above)], aside)
    made.held_back = {**registry.held_back, **{one: registry.plugins[one] for one in (name, *above)}}
    made.meter = registry.meter
    return made


def leave_out(deployment: Deployment, removed: Collection[str]) -> None:
    """Let the deployment go on without the plugins that were uninstalled, and with all others that it found."""
    known = {one.name for one in deployment.registry.set_aside.values() if one.state == REMOVED}
    gone = [name for name in deployment.found.plugins if name in removed]
    if known == set(gone):
        return
    deployment.discovered = registry = deployment.found
    for name in reversed(gone):
        registry = without(registry, name, why_removed(name), REMOVED)
    deployment.registry = registry


async def _heed(deployment: Deployment, transaction: Transaction, epoch: int) -> None:
    if epoch <= deployment.heeded:  # an older snapshot knows less than this process does
        return
    rows = await transaction.fetch(_REMOVED)
    if epoch > deployment.heeded:
        leave_out(deployment, {row.plugin for row in rows})
        deployment.heeded = epoch
