"""What a plan holds, read from the registry and the business's own rows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel import hooks
from kernel.app.plans.values import (
    ChangedDocument,
    Plan,
    PlanCatchUp,
    PlanConsequence,
    PlanHook,
    PlanJob,
    PlanObligation,
    PlanPermission,
    PlanRoute,
    PlanSetting,
    Switching,
    TableRows,
)
from kernel.auth.businesses.switching import Hindrance, hindrances_to_disable, hindrances_to_enable, installed
from kernel.auth.models import Role
from kernel.auth.rights.permissions import Rights
from kernel.db import Base
from kernel.db.tables import Job
from kernel.jobs import handlers_in, next_run
from kernel.registry import Loaded, Registry, functions_of, owner_of
from kernel.web import Route
from kernel.work import Work
from kernel.work.configuring import STORED, secret_names, stored_in, title_of

MOST_COUNTED = 100_000
_VOLATILE = ("tables", "jobs", "catch_up", "consequences", "archives", "hash")
"""What moves while shops sell, and decides nothing about how the plan is applied."""


async def make_plan(work: Work, name: str, action: Switching, *, with_consequences: bool = True) -> Plan:
    """What the action would do for the business. Raises NotFound for a plugin that is not installed."""
    one = installed(work.deployment.registry, name).plugins[name]
    enabled = work.standing.enabled
    after = enabled | {name} if action == "enable" else enabled - {name}
    is_done = after == enabled
    hindrances = (hindrances_to_enable if action == "enable" else hindrances_to_disable)(
        work.deployment.registry, name, enabled
    )
    settings = await _settings(work, one)
    if action == "enable" and not is_done and (unset := [said.name for said in settings if said.is_required]):
        hindrances.append(Hindrance("settings", f"{name} lacks settings: {', '.join(unset)}", (name,)))
    seen = [] if hindrances or is_done or not with_consequences else await _consequences(work, one, after)
    plan = Plan(
        plugin=name,
        title=one.manifest.title,
        version=one.manifest.version,
        action=action,
        is_done=is_done,
        hindrances=hindrances,
        stands_on=sorted(one.manifest.requirements()),
        needed_by=sorted(work.deployment.registry.standing_on(name, enabled)),
        conflicts=rivals_of(work.deployment.registry, one),
        routes=routes_of(one),
        permissions=await _permissions(work, one, enabled | {name}),
        hooks=[] if hindrances else hooks_of(work.hooks, work.deployment.registry.hooks_for(after), one.name),
        jobs=await _jobs(work, one, action),
        tables=await _tables(work, one),
        settings=settings,
        hosts=list(one.manifest.hosts),
        obligations=await open_obligations(work, name) if action == "disable" and not is_done else [],
        catch_up=await _catch_up(work, name) if action == "enable" and not (is_done or hindrances) else None,
        consequences=seen,
        hash="",
    )
    return msgspec.structs.replace(plan, hash=_hash(work, plan))


def rivals_of(registry: Registry, one: Loaded) -> list[str]:
    """The plugins that cannot be on beside one, whichever of the two says so."""
    own = one.manifest.rivals()
    return [other.name for other in registry.in_order() if other.name in own or one.name in other.manifest.rivals()]


async def open_obligations(work: Work, name: str) -> list[PlanObligation]:
    """What a plugin has begun for the business and must end."""
    said = await work.deployment.registry.hooks_of(name).tell(hooks.obligations, work=work)
    return [
        PlanObligation(one.name, one.words, one.count, one.finish)
        for answer in said
        for one in answer.value
        if one.count
    ]


def _hash(work: Work, plan: Plan) -> str:
    epochs = msgspec.structs.astuple(work.standing.epochs)[:3]
    return hash_of(plan, epochs=epochs, business=str(work.business_id))


def hash_of(plan: Plan, **besides: Any) -> str:
    """The hash of what decides how a plan is carried out, in it and besides."""
    decisive = {key: value for key, value in msgspec.to_builtins(plan).items() if key not in _VOLATILE}
    decisive["obligations"] = [one.name for one in plan.obligations]
    decisive["jobs"] = [one.name for one in plan.jobs]
    decisive |= besides
    return hashlib.sha256(msgspec.json.encode(decisive, order="sorted")).hexdigest()


def routes_of(one: Loaded) -> list[PlanRoute]:
    """The operations that a plugin brings."""
    return [
        PlanRoute(route.method, route.path, route.permission, route.summary)
        for route in (route.mounted(one.name, f"/api/v1/{one.name}") for route in functions_of(one.routes, Route))
    ]


async def _permissions(work: Work, one: Loaded, enabled: frozenset[str]) -> list[PlanPermission]:
    rights = Rights(work.deployment.registry)
    columns = (Role.name, Role.code, Role.added, Role.removed)
    roles = (await work.execute(sa.select(*columns).where(Role.business_id == work.business_id))).all()
    held = [(row.name, rights.of(row.code, row.added, row.removed, enabled)) for row in roles]
    return [
        PlanPermission(said.name, said.words, sorted(name for name, holds in held if said.name in holds))
        for said in one.manifest.permissions
    ]


def hooks_of(now: hooks.HookSet, then: hooks.HookSet, name: str) -> list[PlanHook]:
    """The hooks that a plugin answers in one set or the other, with who answers them."""
    return [
        PlanHook(hook, _answering(now, hook), _answering(then, hook))
        for hook in sorted({*now.specs(), *then.specs()})
        if name in {*_answering(now, hook), *_answering(then, hook)}
    ]


def _answering(some: hooks.HookSet, hook: str) -> list[str]:
    return list(dict.fromkeys(some.listeners(hook))) if hook in some.specs() else []


async def _jobs(work: Work, one: Loaded, action: Switching) -> list[PlanJob]:
    state = "parked" if action == "enable" else "pending"
    counted = await work.execute(
        sa.select(Job.name, sa.func.count().label("waiting"))
        .where(Job.business_id == work.business_id, Job.plugin == one.name, Job.state == state)
        .group_by(Job.name)
    )
    waiting = {row.name: row.waiting for row in counted.all()}
    return [
        PlanJob(
            handler.name,
            handler.cron,
            next_run(handler.cron, work.now, work.shop.zone) if handler.cron and action == "enable" else None,
            waiting.get(handler.name, 0),
        )
        for handler in handlers_in(one)
    ]


async def _tables(work: Work, one: Loaded) -> list[TableRows]:
    found = []
    for table in tables_of(work.deployment.found, one.name):
        few = sa.select(sa.literal(1)).select_from(table).where(table.c.business_id == work.business_id)
        some = few.limit(MOST_COUNTED + 1).subquery()
        rows = (await work.execute(sa.select(sa.func.count()).select_from(some))).scalar_one()
        found.append(TableRows(str(table.name), min(rows, MOST_COUNTED), rows > MOST_COUNTED))
    return found


def tables_of(found: Registry, name: str) -> Iterable[sa.Table]:
    """The tables of a plugin whose rows belong to businesses, by name."""
    known = {*found.plugins, *found.set_aside}
    own = (table for key, table in Base.metadata.tables.items() if owner_of(key, known) == name)
    return sorted((table for table in own if "business_id" in table.c), key=lambda table: table.name)


async def _settings(work: Work, one: Loaded) -> list[PlanSetting]:
    """What has no value yet, those with a default included."""
    if one.settings is None:
        return []
    stored = stored_in(await work.fetch(STORED, plugin=one.name))
    secrets = secret_names(one.settings)
    return [
        PlanSetting(field.name, title_of(field), field.required, field.name in secrets)
        for field in msgspec.structs.fields(one.settings)
        if field.name not in stored.values
    ]


async def _catch_up(work: Work, name: str) -> PlanCatchUp | None:
    said = await work.deployment.registry.hooks_of(name).tell(hooks.catching_up, work=work)
    return PlanCatchUp(said[0].value.words, said[0].value.count) if said else None


async def _consequences(work: Work, one: Loaded, after: frozenset[str]) -> list[PlanConsequence]:
    """What the other plugins say would have come of it, those that are on now."""
    larger = work.deployment.registry.hooks_for(work.standing.enabled | after)
    answered = frozenset(name for name in larger.specs() if one.name in larger.listeners(name))
    said = await work.tell(hooks.consequences, work=work, after=work.as_if(after), hooks=answered)
    return [consequence(answer.plugin, value) for answer in said for value in answer.value]


def consequence(plugin: str, said: Any) -> PlanConsequence:
    """What a plugin said of past documents, as it is answered."""
    changed = [ChangedDocument(**dataclasses.asdict(one)) for one in said.changed]
    return PlanConsequence(plugin, said.title, said.examined, said.of, said.before, said.after, changed)
