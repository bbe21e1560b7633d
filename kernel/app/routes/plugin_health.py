"""How plugins behave in this business: what failed, what is left out since, what answers cost; and beginning anew."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.auth.businesses import tripping
from kernel.db.tables import Business, Trip
from kernel.errors import NotFound
from kernel.hooks import HookSet, Policy, policy_of
from kernel.web import command, query
from kernel.wire import Code, Name, Page
from kernel.work import Work

HookName = Annotated[str, Meta(examples=["price_line"])]


class Failed(Struct, frozen=True):
    """Failures of a plugin in one hook, since the first or since it was reset."""

    hook: HookName
    failing: Annotated[
        Literal["refuse", "skip"],
        Meta(description="What a failure means: the deed is refused, or goes on without the plugin."),
    ]
    reason: Annotated[str, Meta(description="The last failure.", examples=["took 812 ms, and may take 500"])]
    strikes: int
    first_strike_at: dt.datetime
    last_strike_at: dt.datetime
    tripped_at: Annotated[dt.datetime | None, Meta(description="Left out of this hook since then.")]


class Figures(Struct, frozen=True):
    """What a plugin's answers to one hook have cost in the one process that answered, for all its businesses."""

    hook: HookName
    failing: Literal["refuse", "skip"]
    budget_ms: int
    calls: int
    failures: int
    slowest_ms: float
    mean_ms: float


class PluginHealth(Struct, frozen=True):
    """How one plugin behaves."""

    name: Code
    title: Name
    is_on: bool
    state: Annotated[
        Literal["well", "flagged", "tripped"],
        Meta(description="Flagged: it has failed. Tripped: it is left out of at least one hook."),
    ]
    trips: list[Failed]
    flags: list[Failed]
    this_process: Annotated[
        list[Figures] | None,
        Meta(description="Of this server process since it started; null unless you operate the only business here."),
    ]


@query("/plugins/health", permission="plugins.manage")
async def show_plugin_health(work: Work) -> Page[PluginHealth]:
    """Every plugin that is installed, in plan order: what it failed in, and what it is left out of since."""
    return Page(await health_of(work))


@command("POST", "/plugins/{name}/reset", permission="plugins.manage", status=200, switches=True)
async def reset_plugin(work: Work, name: Code) -> PluginHealth:
    """Forget a plugin's failures. What it was left out of asks it again from the next request on, everywhere."""
    if name not in work.deployment.registry.plugins:
        raise NotFound
    await tripping.reset(work, name)
    return (await health_of(work, name))[0]


async def health_of(work: Work, name: str | None = None) -> list[PluginHealth]:
    """How the plugins behave, or one of them."""
    registry = work.deployment.registry
    every = registry.hooks_for(registry.plugins)
    policies = {hook: policy_of(spec) for hook, spec in every.specs().items()}
    failed = await _failed(work, policies)
    sees_process = work.actor.is_operator or await _is_alone(work)
    return [
        _health(work, one.name, one.manifest.title, failed, _figures(work, one.name, every, policies, sees_process))
        for one in registry.in_order()
        if name in (None, one.name)
    ]


def _health(
    work: Work, name: str, title: str, failed: dict[str, list[Failed]], figures: list[Figures] | None
) -> PluginHealth:
    mine = failed.get(name, [])
    trips = [one for one in mine if one.tripped_at]
    state: Literal["well", "flagged", "tripped"] = "tripped" if trips else "flagged" if mine else "well"
    flags = [one for one in mine if not one.tripped_at]
    return PluginHealth(name, title, work.enabled(name), state, trips, flags, figures)


async def _failed(work: Work, policies: dict[str, Policy]) -> dict[str, list[Failed]]:
    """Plugin → what it failed in, but for what was reset."""
    columns = (Trip.plugin, Trip.hook, Trip.reason, Trip.strikes, Trip.first_strike_at, Trip.last_strike_at)
    statement = sa.select(*columns, Trip.tripped_at).where(
        Trip.business_id == work.business_id, Trip.reset_at.is_(None)
    )
    found: dict[str, list[Failed]] = {}
    for row in (await work.execute(statement.order_by(Trip.plugin, Trip.hook))).all():
        failing = policies.get(row.hook, Policy()).failing
        found.setdefault(row.plugin, []).append(Failed(row.hook, failing, *tuple(row)[2:]))
    return found


def _figures(work: Work, name: str, every: HookSet, policies: dict[str, Policy], may_see: bool) -> list[Figures] | None:
    if not may_see:
        return None
    meter = work.deployment.registry.meter
    return [
        Figures(
            hook,
            policies[hook].failing,
            policies[hook].budget_ms,
            spent.calls,
            spent.failures,
            round(spent.slowest_s * 1000, 3),
            round(spent.seconds * 1000 / spent.calls, 3),
        )
        for (plugin, hook), spent in sorted(meter.items())
        if plugin == name and hook in policies and spent.calls
    ]


async def _is_alone(work: Work) -> bool:
    """Whether the deployment serves one business, so that the figures of the process are its own."""
    counted = await work.execute(sa.select(sa.func.count()).select_from(Business).where(Business.is_active.is_(True)))
    return int(counted.scalar_one()) == 1
