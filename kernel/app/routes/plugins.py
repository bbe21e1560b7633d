"""Plugins of the business: what is there, what switching one would do, and switching it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta, Struct, structs

from kernel.app.plans import OnOpen, Plan, PlanStale, StillOpenHere, apply_plan, make_plan
from kernel.app.routes.deployed_plugins import APPLIES, PLANS, ApplyIn, PlanIn, PluginOut, PluginWhole, State
from kernel.app.routes.describing import told_whole
from kernel.auth.businesses.switching import hindrances_to_disable, hindrances_to_enable
from kernel.db.tables import BusinessPlugin, Release
from kernel.errors import Invalid, NotFound, PluginFault
from kernel.ordering import turns
from kernel.registry import SetAside
from kernel.web import SIGNED_IN, command, query
from kernel.wire import Code, Page
from kernel.work import Work
from kernel.work.heeding import REMOVED


class HookAnswer(Struct, frozen=True):
    """A plugin that answers a hook, and why it does not answer sooner."""

    plugin: Code
    comes_after: Annotated[
        dict[str, str],
        Meta(description="Plugin → why this one comes after it.", examples=[{"catalog": "discounts depends on it"}]),
    ]


class HookOrder(Struct, frozen=True):
    """Who answers a hook in this business, in order. What decides nothing else is decided by name."""

    hook: Annotated[str, Meta(examples=["price_line"])]
    summary: str
    answers: list[HookAnswer]


@query("/plugins", permission=SIGNED_IN)
async def list_plugins(work: Work) -> Page[PluginOut]:
    """Every plugin there is, in plan order, and what is on for this business; those set aside come last."""
    registry, draining = work.deployment.registry, await _draining(work)
    versions = await _versions(work)
    items = [_plugin(work, one.name, draining, versions=versions) for one in registry.in_order()]
    return Page(items + [_aside(work, one) for one in registry.set_aside.values()])


@query("/plugins/{name}", permission=SIGNED_IN)
async def get_plugin(work: Work, name: Code) -> PluginWhole:
    """One plugin, with what it says of itself."""
    registry = work.deployment.registry
    if name in registry.set_aside:
        return told_whole(_aside(work, registry.set_aside[name]), work.deployment.found)
    if name not in registry.plugins:
        raise NotFound
    return told_whole(_plugin(work, name, await _draining(work), versions=await _versions(work)), registry)


@query("/plugins/hooks/{hook}", permission="plugins.manage")
async def explain_hook(work: Work, hook: Code) -> HookOrder:
    """Who answers a hook in this business, in which order, and why."""
    spec = work.hooks.specs().get(hook)
    if spec is None:
        raise NotFound
    names = list(dict.fromkeys(work.hooks.listeners(hook)))
    manifests = {name: work.deployment.registry.plugins[name].manifest for name in names}
    edges = turns(manifests)
    summary = (spec.__doc__ or "").partition("\n")[0]
    return HookOrder(
        hook,
        summary,
        [
            HookAnswer(
                name,
                {edge.earlier: f"{edge.reason} of {edge.said_by}" for edge in edges if edge.later == name},
            )
            for name in names
        ],
    )


@query("/plugins/{name}/plan", method="POST", permission="plugins.manage", instead=PLANS)
async def plan_plugin(work: Work, name: Code, data: PlanIn) -> Plan:
    """What an action would do: migrations, tables, routes, permissions, hooks, jobs, settings, what stays open.

    Nothing is changed. `enable` and `disable` are of this business; the plan of a plugin with a word on prices shows
    what the last week's sales would have come to. With `along` or `also` it is one plan of several plugins, carried out
    as a whole. `install`, `upgrade` and `uninstall` are of the whole deployment.
    """
    action = _switching(data)
    return await make_plan(work, name, action, also=data.also, along=data.along)


@command(
    "POST",
    "/plugins/{name}/apply",
    permission="plugins.manage",
    status=200,
    switches=True,
    errors=(PluginFault, PlanStale, StillOpenHere),
    instead=APPLIES,
)
async def apply_to_plugin(work: Work, name: Code, data: ApplyIn) -> PluginOut:
    """Carry out a plan, if it is still what was seen. It acts at the next request, everywhere.

    What is uninstalled goes into an archive below the deployment's home first; the answer names the file and its
    checksum. Of two who apply at once one is told that the plan is out of date, or that somebody else is at it.
    """
    action = _switching(data)
    plan = await apply_plan(
        *(work, name, action),
        hash_=data.hash,
        on_open=data.on_open,
        reason=data.reason,
        also=data.also,
        along=data.along,
    )
    done = _plugin(work, name, await _draining(work), _after(plan, data.on_open))
    others = [one for one in plan.turn if one != name]
    still = [one for one in done.needed_by if action == "enable" or one not in others]
    return structs.replace(done, along=others, needed_by=still)


@command(
    "POST", "/plugins/{name}/enable", permission="plugins.manage", status=200, switches=True, errors=(PluginFault,)
)
async def enable_plugin(work: Work, name: Code) -> PluginOut:
    """Switch a plugin on for this business, without looking at the plan first."""
    await apply_plan(work, name, "enable", hash_=None)
    return _plugin(work, name, frozenset(), "enabled")


@command(
    "POST",
    "/plugins/{name}/disable",
    permission="plugins.manage",
    status=200,
    switches=True,
    errors=(PluginFault, StillOpenHere),
)
async def disable_plugin(work: Work, name: Code) -> PluginOut:
    """Switch a plugin off for this business, without looking at the plan first; its data stays."""
    await apply_plan(work, name, "disable", hash_=None)
    return _plugin(work, name, frozenset(), "available")


def _switching(data: PlanIn | ApplyIn) -> Any:
    """The action, which is one for a business: the others have gone another way."""
    if data.archive is not None:
        raise Invalid.at("/archive", "Only for what is installed")
    return data.action


def _aside(work: Work, one: SetAside) -> PluginOut:
    """A plugin that was set aside; of one that was uninstalled it is known what it is called."""
    known = work.deployment.found.plugins.get(one.name)
    said = (known.manifest.title, known.manifest.summary, known.manifest.version) if known else (one.name, "", "")
    state: State = "uninstalled" if one.state == REMOVED else "quarantined"
    needs = sorted(known.manifest.requirements()) if known else []
    return PluginOut(one.name, *said, state, needs, [], one.reason)


def _after(plan: Plan, on_open: OnOpen) -> State:
    if plan.action == "enable":
        return "enabled"
    left_open = any(part.obligations for part in plan.parts)
    return "draining" if left_open and on_open == "wait" else "available"


async def _draining(work: Work) -> frozenset[str]:
    rows = await work.execute(
        sa.select(BusinessPlugin.plugin).where(
            BusinessPlugin.business_id == work.business_id, BusinessPlugin.state == "draining"
        )
    )
    return frozenset(rows.scalars())


async def _versions(work: Work) -> Mapping[str, str]:
    """Plugin → the version whose migrations have run."""
    rows = await work.execute(sa.select(Release.plugin, Release.version))
    return {row.plugin: row.version for row in rows.all()}


def _plugin(
    work: Work,
    name: str,
    draining: frozenset[str],
    state: State | None = None,
    versions: Mapping[str, str] | None = None,
) -> PluginOut:
    registry = work.deployment.registry
    manifest = registry.plugins[name].manifest
    on: State = "draining" if name in draining else "enabled" if work.enabled(name) else "available"
    above = registry.standing_on(name, work.standing.enabled)
    said = state or on
    to = hindrances_to_enable if said == "available" else hindrances_to_disable
    before = (versions or {}).get(name)
    return PluginOut(
        name,
        manifest.title,
        manifest.summary,
        manifest.version,
        said,
        sorted(manifest.requirements()),
        sorted(above),
        hindrances=to(registry, name, work.standing.enabled) if state is None else [],
        version_installed=before if before not in (None, "", manifest.version) else None,
        regions=list(manifest.regions),
    )
