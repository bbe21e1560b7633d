"""What hinders operators: why a plugin cannot be installed, upgraded or uninstalled now, and the path that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alembic.script import Script
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app.plans.values import Deploying, Revision
from kernel.app.portable.reading import Known
from kernel.app.uninstalling.belongings import Among, references
from kernel.app.uninstalling.removing import businesses_with, kept_of, referring
from kernel.auth.businesses.switching import Hindrance, missing_below
from kernel.migrate import KERNEL
from kernel.migrate.migrator import needs_of
from kernel.registry import Loaded, Registry, released_versions
from kernel.work.heeding import REMOVED

MOST_NAMED = 10
Scripts = Sequence[tuple[str, Script]]


def hindrances_to(found: Registry, one: Loaded, action: Deploying, states: Mapping[str, str]) -> list[Hindrance]:
    """What the other plugins are to it: missing below, standing above, of versions that do not fit."""
    if action == "install":
        return list(_missing(found, one, states))
    state = states.get(one.name)
    if state in (None, REMOVED):
        return [Hindrance("not-installed", f"{one.name} is not installed", (one.name,))]
    if action == "upgrade":
        return list(_left_behind(found, one, states))
    if state != "installed":
        return [
            Hindrance("not-installed", f"{one.name} is {state}: its tables are not what its code knows", (one.name,))
        ]
    return [
        Hindrance("needed", f"{above} stands on {one.name}: uninstall it first", _way(found, above, one.name))
        for above in found.standing_on(one.name, found.plugins)
        if states.get(above, REMOVED) != REMOVED
    ]


async def hindrances_to_drop(
    connection: AsyncConnection, one: Loaded, known: Sequence[Known], seen: Among
) -> list[Hindrance]:
    """Who has it on, and what refers to its tables, or would be torn from them."""
    name, kept = one.name, kept_of(one, known)
    going = {table.table.name for table in known}.difference(kept)
    slugs = await businesses_with(connection, name, seen)
    more = f" and {len(slugs) - MOST_NAMED} more" if len(slugs) > MOST_NAMED else ""
    on = [f"{name} is on for {', '.join(slugs[:MOST_NAMED])}{more}: disable it there first"] if slugs else []
    torn = [path for table, path in await references(connection, going) if table in kept]
    return [
        *(Hindrance("enabled", said, (name,)) for said in on),
        *(
            Hindrance("referred-to", f"Another table refers to it: {path}", (name,))
            for path in await referring(connection, known)
        ),
        *(Hindrance("torn", f"A kept table refers to one that would go: {path}", (name,)) for path in torn),
    ]


def hindrances_in_turn(one: Loaded, scripts: Scripts, pending: Scripts) -> list[Hindrance]:
    """Revisions of others that must run before the plugin's own, and have not; the kernel's always."""
    others = {script.revision: lineage for lineage, script in pending if lineage != one.name}
    needed = {need for _, script in scripts for need in needs_of(script) if need in others}
    needed |= {revision for revision, lineage in others.items() if lineage == KERNEL.name}
    return [
        Hindrance("revision", f"{need} of {others[need]} must run first", (one.name, others[need]))
        for need in sorted(needed)
    ]


def hindrances_behind(
    one: Loaded, action: Deploying, migrations: Sequence[Revision], *, serving: bool
) -> list[Hindrance]:
    """What cannot be done by, or beside, processes that go on with the code they were started with."""
    if not serving:
        return []
    found = []
    on_disk = released_versions().get(one.name)
    if on_disk and one.released and on_disk != one.released:
        said = f"{one.name} {on_disk} is on this machine, and this process was started with {one.released}"
        found.append(Hindrance("restart", f"{said}: start the servers anew first", (one.name,)))
    taking = [said.revision for said in migrations if _takes_away(said)] if action == "upgrade" else []
    if taking:
        said = f"{', '.join(taking)} may take away what servers that run still use: stop them, and use the command line"
        found.append(Hindrance("servers", said, (one.name,)))
    return found


def _missing(found: Registry, one: Loaded, states: Mapping[str, str]) -> Iterator[Hindrance]:
    have = {name for name, state in states.items() if state == "installed" and name in found.plugins}
    for path in missing_below(found, one.name, have):
        yield Hindrance("missing", f"{one.name} stands on {path[-1]}, which is not installed", path)


def _left_behind(found: Registry, one: Loaded, states: Mapping[str, str]) -> Iterator[Hindrance]:
    """Installed plugins that would not fit the version that is here."""
    for aside in found.set_aside.values():
        if aside.path[-1:] == (one.name,) and states.get(aside.name) == "installed":
            yield Hindrance("range", f"{aside.name} {aside.reason}", aside.path)


def _way(found: Registry, above: str, name: str) -> tuple[str, ...]:
    """From a plugin down to one that it stands on, directly or not."""
    ways: list[tuple[str, ...]] = [(above,)]
    for way in ways:
        if way[-1] == name:
            return way
        ways += [(*way, need) for need in found.plugins[way[-1]].manifest.requirements() if need not in way]
    return (above, name)


def _takes_away(revision: Revision) -> bool:
    effects = {one.effect for one in revision.statements}
    return not revision.is_whole or not effects.isdisjoint(("rewrites", "loses-data", "unknown"))
