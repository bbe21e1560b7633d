"""Plugins of the business: what is there, what switching one would do, and switching it."""

from __future__ import annotations

from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.app.plans import Action, OnOpen, Plan, PlanStale, StillOpenHere, apply_plan, make_plan
from kernel.db.tables import BusinessPlugin
from kernel.errors import NotFound, PluginFault
from kernel.ordering import turns
from kernel.web import SIGNED_IN, command, query
from kernel.wire import Code, Line, Name, Page, Request
from kernel.work import Work

State = Literal["enabled", "draining", "available", "quarantined"]


class PluginOut(Struct, frozen=True):
    """A plugin that is installed, and whether it is on for this business.

    Draining, it is still on, and goes off once what it has begun is ended.
    """

    name: Code
    title: Name
    summary: str
    version: Annotated[str, Meta(examples=["0.1.0"])]
    state: State
    depends: list[str]
    needed_by: list[str]
    reason: Annotated[str | None, Meta(description="Why it was set aside.")] = None


class PlanIn(Request, frozen=True):
    """What is to be planned."""

    action: Action


class ApplyIn(Request, frozen=True):
    """The plan to carry out, by the hash that it was answered with.

    on_open: what becomes of obligations that are open when a plugin is disabled; `force` takes a reason.
    """

    action: Action
    hash: Annotated[str, Meta(min_length=64, max_length=64, pattern=r"\A[0-9a-f]+\Z", examples=["5f0c" * 16])]
    on_open: OnOpen = "refuse"
    reason: Line = ""


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
    """Every plugin that is installed, in plan order, and what is on for this business."""
    registry, draining = work.deployment.registry, await _draining(work)
    items = [_plugin(work, one.name, draining) for one in registry.in_order()]
    items += [
        PluginOut(aside.name, aside.name, "", "", "quarantined", [], [], aside.reason)
        for aside in registry.set_aside.values()
    ]
    return Page(items)


@query("/plugins/{name}", permission=SIGNED_IN)
async def get_plugin(work: Work, name: Code) -> PluginOut:
    """One plugin."""
    if name not in work.deployment.registry.plugins:
        raise NotFound
    return _plugin(work, name, await _draining(work))


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


@query("/plugins/{name}/plan", method="POST", permission="plugins.manage")
async def plan_plugin(work: Work, name: Code, data: PlanIn) -> Plan:
    """What switching a plugin on or off would do: routes, permissions, hooks, jobs, data, what stays open.

    Nothing is changed. The plan of a plugin with a word on prices shows what the last week's sales would have come to.
    """
    return await make_plan(work, name, data.action)


@command(
    "POST",
    "/plugins/{name}/apply",
    permission="plugins.manage",
    status=200,
    switches=True,
    errors=(PluginFault, PlanStale, StillOpenHere),
)
async def apply_to_plugin(work: Work, name: Code, data: ApplyIn) -> PluginOut:
    """Carry out a plan, if it is still what was seen. It acts at the next request, everywhere."""
    plan = await apply_plan(work, name, data.action, hash_=data.hash, on_open=data.on_open, reason=data.reason)
    return _plugin(work, name, await _draining(work), _after(plan, data.on_open))


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


def _after(plan: Plan, on_open: OnOpen) -> State:
    if plan.action == "enable":
        return "enabled"
    return "draining" if plan.obligations and on_open == "wait" else "available"


async def _draining(work: Work) -> frozenset[str]:
    rows = await work.execute(
        sa.select(BusinessPlugin.plugin).where(
            BusinessPlugin.business_id == work.business_id, BusinessPlugin.state == "draining"
        )
    )
    return frozenset(rows.scalars())


def _plugin(work: Work, name: str, draining: frozenset[str], state: State | None = None) -> PluginOut:
    registry = work.deployment.registry
    manifest = registry.plugins[name].manifest
    on: State = "draining" if name in draining else "enabled" if work.enabled(name) else "available"
    above = registry.standing_on(name, work.standing.enabled)
    return PluginOut(
        name,
        manifest.title,
        manifest.summary,
        manifest.version,
        state or on,
        sorted(manifest.requirements()),
        sorted(above),
    )
