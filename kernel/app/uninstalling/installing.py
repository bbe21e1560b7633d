"""Installing: a plugin's revisions run, and its release says so. One that was uninstalled comes back with empty tables.

What was kept under hold is in its tables again; everything else comes from the archive, by `restore`.
"""

from __future__ import annotations

import msgspec

from kernel.app.portable.reading import Known
from kernel.app.uninstalling.belongings import tables_of
from kernel.app.uninstalling.faults import NotInstalled
from kernel.app.uninstalling.ground import (
    code_of,
    leave_trail,
    migrator_of,
    note,
    owning,
    refuse_unmet,
    revisions_of,
    states,
)
from kernel.app.uninstalling.holding import held_among, step_aside, step_back
from kernel.registry import Loaded
from kernel.work import SYSTEM, Actor, Deployment, Origin, heed_now
from kernel.work.heeding import REMOVED


class Installed(msgspec.Struct, frozen=True):
    """A plugin that is installed: the revisions that ran, the tables whose rows had been kept.

    was_there: it was installed already, and nothing is changed.
    """

    plugin: str
    version: str
    migrated: list[str]
    taken_back: list[str]
    was_there: bool = False


async def install(
    deployment: Deployment, name: str, *, actor: Actor = SYSTEM, origin: Origin | None = None
) -> Installed:
    """Install a plugin whose code is here; again after a failure, it goes on where it was.

    Raises NotInstalled where there is no code of it or something it stands on is not installed; MigrationFailed.
    """
    await heed_now(deployment)
    loaded = code_of(deployment, name)
    version = loaded.manifest.version
    refuse_unmet(deployment, name)
    async with owning(deployment) as connection:
        if (await states(connection)).get(name) == "installed":
            return Installed(name, version, [], [], was_there=True)
    migrated, taken_back = await make_tables(deployment, loaded, None)
    migrated += await upgrade(deployment, loaded)
    async with owning(deployment) as connection:
        await note(connection, deployment, loaded, "installed", None)
        await leave_trail(connection, deployment, actor, "plugin install", name, {"version": version}, origin)
    return Installed(name, version, migrated, taken_back)


async def upgrade_plugin(
    deployment: Deployment, name: str, *, actor: Actor = SYSTEM, origin: Origin | None = None
) -> Installed:
    """Run the revisions of an installed plugin that have not run yet, and note its version.

    Raises NotInstalled, MigrationFailed; what a failed revision did is undone.
    """
    await heed_now(deployment)
    loaded = code_of(deployment, name)
    version = loaded.manifest.version
    async with owning(deployment) as connection:
        if (await states(connection)).get(name) in (None, REMOVED):
            raise NotInstalled(f"{name} is not installed: there is nothing to upgrade")
    migrated = await upgrade(deployment, loaded)
    async with owning(deployment) as connection:
        await note(connection, deployment, loaded, "installed", None)
        facts = {"version": version, "migrated": migrated}
        await leave_trail(connection, deployment, actor, "plugin upgrade", name, facts, origin)
    return Installed(name, version, migrated, [])


async def make_tables(deployment: Deployment, loaded: Loaded, revision: str | None) -> tuple[list[str], list[str]]:
    """Make a plugin's tables at a revision (None: only where rows are kept, at theirs) with the kept rows in them.

    Returns the revisions that ran and the tables whose rows were kept.
    """
    async with owning(deployment) as connection:
        known = await tables_of(connection, deployment.found, loaded)
        held_at = await step_aside(connection, loaded.name, await held_among(connection, known))
    target = held_at or revision
    if target is None:
        return [], []
    migrated = await migrator_of(deployment, loaded.name).upgrade({loaded.name: target})
    async with owning(deployment) as connection:
        made: list[Known] = await tables_of(connection, deployment.found, loaded)
        return migrated, await step_back(connection, loaded.name, made)


async def upgrade(deployment: Deployment, loaded: Loaded) -> list[str]:
    """Run the revisions of a plugin that have not run yet."""
    newest = revisions_of(loaded)[:1]
    return await migrator_of(deployment, loaded.name).upgrade({loaded.name: newest[0]}) if newest else []
