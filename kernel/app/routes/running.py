"""Plugins and jobs of the business."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.auth.businesses import switching
from kernel.db.tables import Job
from kernel.errors import NotFound, PluginFault
from kernel.web import SIGNED_IN, command, page, query
from kernel.wire import Code, ListQuery, Name, Page
from kernel.work import Work


class PluginOut(Struct, frozen=True):
    """A plugin that is installed, and whether it is on for this business."""

    name: Code
    title: Name
    summary: str
    version: Annotated[str, Meta(examples=["0.1.0"])]
    state: Literal["enabled", "available", "quarantined"]
    depends: list[str]
    needed_by: list[str]
    reason: Annotated[str | None, Meta(description="Why it was set aside.")] = None


class JobOut(Struct, frozen=True):
    """A background job of the business."""

    id: uuid.UUID
    name: Annotated[str, Meta(examples=["sales.expire_pending"])]
    state: Literal["pending", "done", "dead", "parked"]
    run_at: dt.datetime
    attempts: int
    error: str | None
    created_at: dt.datetime
    ended_at: dt.datetime | None


class JobQuery(ListQuery, frozen=True):
    """Which jobs."""

    state: Literal["pending", "done", "dead", "parked"] | None = None


@query("/plugins", permission=SIGNED_IN)
async def list_plugins(work: Work) -> Page[PluginOut]:
    """Every plugin that is installed, in plan order, and what is on for this business."""
    registry = work.deployment.registry
    items = [_plugin(work, one.name) for one in registry.in_order()]
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
    return _plugin(work, name)


@command(
    "POST", "/plugins/{name}/enable", permission="plugins.manage", status=200, switches=True, errors=(PluginFault,)
)
async def enable_plugin(work: Work, name: Code) -> PluginOut:
    """Switch a plugin on for this business. It acts at the next request, everywhere."""
    await switching.enable(work, name)
    return _plugin(work, name, "enabled")


@command(
    "POST", "/plugins/{name}/disable", permission="plugins.manage", status=200, switches=True, errors=(PluginFault,)
)
async def disable_plugin(work: Work, name: Code) -> PluginOut:
    """Switch a plugin off for this business; its data stays."""
    await switching.disable(work, name)
    return _plugin(work, name, "available")


@query("/jobs", permission="jobs.see")
async def list_jobs(work: Work, query: JobQuery) -> Page[JobOut]:
    """The business's background jobs, newest first."""
    statement = sa.select(
        Job.id, Job.name, Job.state, Job.run_at, Job.attempts, Job.error, Job.created_at, Job.ended_at
    ).where(Job.business_id == work.business_id)
    if query.state is not None:
        statement = statement.where(Job.state == query.state)
    return await page(work, statement, query, order=[Job.id], make=lambda row: JobOut(*row[:8]), descending=True)


@query("/jobs/{job_id}", permission="jobs.see")
async def get_job(work: Work, job_id: uuid.UUID) -> JobOut:
    """One job."""
    found = await work.execute(
        sa.select(Job.id, Job.name, Job.state, Job.run_at, Job.attempts, Job.error, Job.created_at, Job.ended_at).where(
            Job.business_id == work.business_id, Job.id == job_id
        )
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound
    return JobOut(*tuple(row))


def _plugin(work: Work, name: str, state: Literal["enabled", "available"] | None = None) -> PluginOut:
    registry = work.deployment.registry
    manifest = registry.plugins[name].manifest
    on: Literal["enabled", "available"] = "enabled" if work.enabled(name) else "available"
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
