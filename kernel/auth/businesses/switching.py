"""Switching plugins on and off for a business: a change of data that raises its epoch, under its exclusive lock."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from kernel.db.tables import Business, BusinessPlugin
from kernel.errors import NotFound, PluginFault
from kernel.hooks import switched_on
from kernel.jobs import clear_schedules, set_schedules
from kernel.registry import Registry
from kernel.work import Work


async def enable(work: Work, name: str) -> None:
    """Switch a plugin on. What it stands on must be on already. Raises NotFound, PluginFault naming what is missing."""
    registry = work.deployment.registry
    if name not in registry.plugins:
        raise NotFound(_why_not_there(registry, name))
    work.audit(subject=f"plugin:{name}")
    if name in work.standing.enabled:
        return
    missing = [need for need in registry.needed_by(name) if need != name and need not in work.standing.enabled]
    if missing:
        raise PluginFault(
            f"{name} stands on {', '.join(missing)}; enable {'it' if len(missing) == 1 else 'them'} first"
        )
    _refuse_rivals(registry, name, work.standing.enabled)
    await _set(work, name, "enabled")
    await set_schedules(work, name, work.shop.zone)
    await registry.hooks_of(name).tell(switched_on, work=work)


async def disable(work: Work, name: str) -> None:
    """Switch a plugin off; its data stays. Raises NotFound, PluginFault naming what stands on it."""
    if name not in work.deployment.registry.plugins:
        raise NotFound(_why_not_there(work.deployment.registry, name))
    work.audit(subject=f"plugin:{name}")
    if name not in work.standing.enabled:
        return
    if above := work.deployment.registry.standing_on(name, work.standing.enabled):
        raise PluginFault(f"{', '.join(sorted(above))} {'stands' if len(above) == 1 else 'stand'} on {name}")
    await _set(work, name, "disabled")
    await clear_schedules(work, name)


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


def _refuse_rivals(registry: Registry, name: str, enabled: frozenset[str]) -> None:
    for one in registry.in_order({*enabled, name}):
        for rival in one.manifest.rivals():
            if name in (one.name, rival) and rival in {*enabled, name}:
                raise PluginFault(f"{one.name} cannot be on beside {rival}")


def _why_not_there(registry: Registry, name: str) -> str:
    aside = registry.set_aside.get(name)
    return f"{name} was set aside: {aside.reason}" if aside else f"No plugin called {name} is installed"
