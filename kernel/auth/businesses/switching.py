"""Switching plugins on and off for a business: a change of data that raises its epoch, under its exclusive lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
import sqlalchemy as sa

from kernel.db.tables import Business, BusinessPlugin
from kernel.errors import NotFound, PluginFault
from kernel.hooks import switched_on
from kernel.jobs import clear_schedules, set_schedules
from kernel.registry import Registry
from kernel.work import Work


class Hindrance(msgspec.Struct, frozen=True):
    """Why a plugin cannot be switched. path: the plugins over which the reason runs, the one asked about first."""

    code: str
    words: str
    path: tuple[str, ...]


def hindrances_to_enable(registry: Registry, name: str, enabled: frozenset[str]) -> list[Hindrance]:
    """What keeps a plugin from being switched on: what it stands on, its rivals, an order that cannot be kept."""
    found = [
        Hindrance("missing", f"{name} stands on {path[-1]}, which is off", path)
        for path in missing_below(registry, name, enabled)
    ]
    for one in registry.in_order({*enabled, name}):
        found += [
            Hindrance("rival", f"{one.name} cannot be on beside {rival}", (one.name, rival))
            for rival in one.manifest.rivals()
            if name in (one.name, rival) and rival in {*enabled, name}
        ]
    try:
        registry.in_turn({*enabled, name})
    except PluginFault as fault:
        found.append(Hindrance("order", str(fault), (name,)))
    return found


def hindrances_to_disable(registry: Registry, name: str, enabled: frozenset[str]) -> list[Hindrance]:
    """What keeps a plugin from being switched off: what stands on it."""
    return [
        Hindrance("needed", f"{above} stands on {name}", (above, name))
        for above in sorted(registry.standing_on(name, enabled))
    ]


async def enable(work: Work, *names: str) -> None:
    """Switch plugins on, in the order given, or keep on those that were draining.

    Raises NotFound, PluginFault naming what hinders one.
    """
    registry, have = work.deployment.registry, work.standing.enabled
    for name in names:
        installed(registry, name)
        work.audit(subject=f"plugin:{names[-1]}")
        if name in have:
            await _stop_draining(work, name)
            continue
        _refuse(hindrances_to_enable(registry, name, have))
        if have != work.standing.enabled:
            await work.enter_business(work.shop, have)
        await _set(work, name, "enabled")
        await set_schedules(work, name, work.shop.zone)
        await registry.hooks_of(name).tell(switched_on, work=work)
        have |= {name}


async def disable(work: Work, *names: str) -> None:
    """Switch plugins off, in the order given; their data stays.

    Raises NotFound, PluginFault naming what stands on one.
    """
    registry, have = work.deployment.registry, work.standing.enabled
    for name in names:
        installed(registry, name)
        work.audit(subject=f"plugin:{names[-1]}")
        if name not in have:
            continue
        _refuse(hindrances_to_disable(registry, name, have))
        await _set(work, name, "disabled")
        await clear_schedules(work, name)
        have -= {name}


async def drain(work: Work, *names: str) -> None:
    """Let plugins go off by themselves, each once nothing it has begun is open and nothing stands on it.

    Raises NotFound, PluginFault as `disable`.
    """
    registry, have = work.deployment.registry, work.standing.enabled
    for name in names:
        installed(registry, name)
        _refuse(hindrances_to_disable(registry, name, have))
        await _set(work, name, "draining")
        have -= {name}


async def enable_first(work: Work, names: Iterable[str], zone: str) -> frozenset[str]:
    """Switch plugins on for a business that is being made, with all they stand on. Returns the set."""
    registry = work.deployment.registry
    wanted = {need for name in names for need in registry.needed_by(name)}
    for one in registry.in_order(wanted):
        await work.execute(
            sa.insert(BusinessPlugin).values(
                business_id=work.business_id, plugin=one.name, state="enabled", changed_at=work.now
            )
        )
        await set_schedules(work, one.name, zone)
    await work.enter_business(work.shop, frozenset(wanted))
    for one in registry.in_order(wanted):
        await registry.hooks_of(one.name).tell(switched_on, work=work)
    return frozenset(wanted)


def installed(registry: Registry, name: str) -> Registry:
    """The registry, if it has the plugin. Raises NotFound with the reason it was set aside for."""
    if name not in registry.plugins:
        aside = registry.set_aside.get(name)
        raise NotFound(f"{name} was set aside: {aside.reason}" if aside else f"No plugin called {name} is installed")
    return registry


def missing_below(registry: Registry, name: str, have: Collection[str]) -> list[tuple[str, ...]]:
    """The ways from a plugin to what it stands on and is not among what there is, the nearest first."""
    found: dict[str, tuple[str, ...]] = {}
    ways: list[tuple[str, ...]] = [(name,)]
    for way in ways:
        for need in registry.plugins[way[-1]].manifest.requirements():
            if need not in have and need not in found:
                found[need] = (*way, need)
                ways.append(found[need])
    return list(found.values())


def _refuse(hindrances: list[Hindrance]) -> None:
    if hindrances:
        raise PluginFault("; ".join(one.words for one in hindrances))


async def _stop_draining(work: Work, name: str) -> None:
    here = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == name)
    draining = sa.update(BusinessPlugin).where(here, BusinessPlugin.state == "draining")
    if (await work.execute(draining.values(state="enabled", changed_at=work.now))).rowcount:
        work.audit(subject=f"plugin:{name}", state="enabled")


async def _set(work: Work, name: str, state: str) -> None:
    here = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == name)
    changed = await work.execute(sa.update(BusinessPlugin).where(here).values(state=state, changed_at=work.now))
    if not changed.rowcount:
        await work.execute(
            sa.insert(BusinessPlugin).values(
                business_id=work.business_id, plugin=name, state=state, changed_at=work.now
            )
        )
    await work.execute(sa.update(Business).where(Business.id == work.business_id).values(epoch=Business.epoch + 1))
    was = "enabled" if name in work.standing.enabled else "disabled"
    work.audit(subject=f"plugin:{name}", state=state)
    work.changed(BusinessPlugin, name, {"state": was}, {"state": state})
