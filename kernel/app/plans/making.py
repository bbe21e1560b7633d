"""What a plan holds, read from the registry and the business's own rows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

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
    PlanPart,
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
from kernel.errors import Invalid
from kernel.jobs import handlers_in, next_run
from kernel.registry import Loaded, Registry, functions_of, owner_of
from kernel.web import Route
from kernel.work import Work
from kernel.work.configuring import STORED, secret_names, stored_in, title_of
from kernel.work.levels import levels_of, whole

MOST_COUNTED = 100_000
_VOLATILE = ("tables", "jobs", "catch_up", "consequences", "archives", "hash")
"""What moves while shops sell, and decides nothing about how the plan is applied."""


async def make_plan(
    work: Work,
    name: str,
    action: Switching,
    *,
    also: Sequence[str] = (),
    along: bool = False,
    with_consequences: bool = True,
) -> Plan:
    """What the action would do for the business.

    also: others to switch in the same plan. along: with all that those stand on and is off, or that stands on them and
    is on. Raises NotFound for a plugin that is not installed, Invalid for one of `also`.
    """
    registry, enabled = installed(work.deployment.registry, name), work.standing.enabled
    turn = _in_their_turn(work, [name, *_known(registry, also)], action, along=along)
    after = enabled.union(turn) if action == "enable" else enabled.difference(turn)
    is_done = after == enabled and not any(work.is_draining(one) for one in turn if action == "enable")
    found = _hindrances(registry, turn, action, enabled)
    unset = {one: await _settings(work, registry.plugins[one]) for one in turn}
    if action == "enable":
        found += [said for one in turn if one not in enabled for said in _lacking(one, unset[one])]
    asked = _Asked(action, after, is_clear=not found, acts=not found and not is_done)
    parts = {
        one: await _part(work, registry.plugins[one], asked, unset[one], have)
        for one, have in _when(action, enabled, turn)
    }
    looks = asked.acts and with_consequences
    plan = Plan(
        **msgspec.structs.asdict(parts[name]),
        action=action,
        is_done=is_done,
        turn=turn,
        along=[parts[one] for one in turn if one != name],
        hindrances=found,
        consequences=await _consequences(work, turn, after) if looks else [],
        hash="",
    )
    return msgspec.structs.replace(plan, hash=_hash(work, plan))


class _Asked(NamedTuple):
    """What is planned. after: the plugins that would be on. is_clear: nothing hinders it. acts: it is not so yet."""

    action: Switching
    after: frozenset[str]
    is_clear: bool
    acts: bool


def _known(registry: Registry, also: Sequence[str]) -> Sequence[str]:
    for place, one in enumerate(also):
        if one not in registry.plugins:
            raise Invalid.at(f"/also/{place}", f"No plugin called {one} is installed")
    return also


def _in_their_turn(work: Work, names: Sequence[str], action: Switching, *, along: bool) -> list[str]:
    """The plugins to switch, each on after what it stands on and off before; the first is always among them."""
    registry, enabled, wanted = work.deployment.registry, work.standing.enabled, set(names)
    if along:
        near = registry.needed_by if action == "enable" else lambda one: registry.standing_on(one, enabled)
        wanted.update(other for one in names for other in near(one))
    stays = {one for one in enabled if action == "enable" and not work.is_draining(one)}
    stays |= set() if action == "enable" else wanted - enabled
    turn = [one.name for one in registry.in_order((wanted - stays) | {names[0]})]
    return turn if action == "enable" else turn[::-1]


def _when(action: Switching, enabled: frozenset[str], turn: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Each plugin in its turn, with the set that is on when its turn comes."""
    for place, one in enumerate(turn):
        earlier = turn[:place]
        yield one, enabled.union(earlier) if action == "enable" else enabled.difference(earlier)


def _hindrances(registry: Registry, turn: Sequence[str], action: Switching, enabled: frozenset[str]) -> list[Hindrance]:
    look = hindrances_to_enable if action == "enable" else hindrances_to_disable
    return [said for one, have in _when(action, enabled, turn) for said in look(registry, one, have)]


def _lacking(name: str, settings: Sequence[PlanSetting]) -> list[Hindrance]:
    unset = [said.name for said in settings if said.is_required]
    return [Hindrance("settings", f"{name} lacks settings: {', '.join(unset)}", (name,))] if unset else []


async def _part(work: Work, one: Loaded, asked: _Asked, settings: list[PlanSetting], have: frozenset[str]) -> PlanPart:
    """What comes or goes with one plugin. have: what is on when its turn comes."""
    registry, enabled = work.deployment.registry, work.standing.enabled
    name, goes = one.name, asked.action == "disable" and one.name in enabled
    then = work if have == enabled else work.as_if(have)
    return PlanPart(
        plugin=name,
        title=one.manifest.title,
        version=one.manifest.version,
        stands_on=sorted(one.manifest.requirements()),
        needed_by=sorted(registry.standing_on(name, enabled)),
        conflicts=rivals_of(registry, one),
        routes=routes_of(one),
        permissions=await _permissions(work, one, enabled | asked.after | {name}),
        hooks=hooks_of(work.hooks, registry.hooks_for(asked.after), name) if asked.is_clear else [],
        jobs=await _jobs(work, one, asked.action),
        tables=await _tables(work, one),
        settings=settings,
        hosts=list(one.manifest.hosts),
        obligations=await open_obligations(work, name) if goes else [],
        catch_up=await _catch_up(then, name) if asked.action == "enable" and asked.acts else None,
    )


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
    decisive = _decisive(plan) | {"along": [_decisive(one) for one in plan.along]} | besides
    return hashlib.sha256(msgspec.json.encode(decisive, order="sorted")).hexdigest()


def _decisive(part: PlanPart) -> dict[str, Any]:
    said = {key: value for key, value in msgspec.to_builtins(part).items() if key not in _VOLATILE}
    return said | {"obligations": [one.name for one in part.obligations], "jobs": [one.name for one in part.jobs]}


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
    stored = whole(stored_in(await work.fetch(STORED, plugin=one.name)), levels_of(one.settings))
    secrets = secret_names(one.settings)
    return [
        PlanSetting(field.name, title_of(field), field.required, field.name in secrets)
        for field in msgspec.structs.fields(one.settings)
        if field.name not in stored.values
    ]


async def _catch_up(work: Work, name: str) -> PlanCatchUp | None:
    said = await work.deployment.registry.hooks_of(name).tell(hooks.catching_up, work=work)
    return PlanCatchUp(said[0].value.words, said[0].value.count) if said else None


async def _consequences(work: Work, names: Sequence[str], after: frozenset[str]) -> list[PlanConsequence]:
    """What the other plugins say would have come of it, those that are on now and stay so."""
    larger = work.deployment.registry.hooks_for(work.standing.enabled | after)
    answered = frozenset(hook for hook in larger.specs() if not {*names}.isdisjoint(larger.listeners(hook)))
    staying = work.as_if(work.standing.enabled & after)
    said = await staying.tell(hooks.consequences, work=work, after=work.as_if(after), hooks=answered)
    return [consequence(answer.plugin, value) for answer in said for value in answer.value]


def consequence(plugin: str, said: Any) -> PlanConsequence:
    """What a plugin said of past documents, as it is answered."""
    changed = [ChangedDocument(**dataclasses.asdict(one)) for one in said.changed]
    return PlanConsequence(plugin, said.title, said.examined, said.of, said.before, said.after, changed)
