"""The jobs of a deployment as its operator sees them: which wait, which died and of what.

The dead are tried again, or dropped.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel.auth import act, look
from kernel.db.tables import Business, Job
from kernel.errors import Conflict
from kernel.work import SYSTEM, Actor, Deployment, Origin, Work

STATES = ("pending", "done", "dead", "parked", "dropped")


class NotDead(Conflict):
    """The job is not dead, so there is nothing to try again, nor to drop."""

    code, title = "not-dead", "This job is not dead"


class Queued(msgspec.Struct, frozen=True):
    """A job. error: what it raised last."""

    id: uuid.UUID
    business: str
    plugin: str
    name: str
    state: str
    run_at: dt.datetime
    attempts: int
    max_attempts: int
    error: str | None
    created_at: dt.datetime
    ended_at: dt.datetime | None


class Which(msgspec.Struct, frozen=True):
    """Which jobs: of a state, a plugin, a business (by slug), of these ids; None is any."""

    state: str | None = None
    plugin: str | None = None
    business: str | None = None
    ids: tuple[uuid.UUID, ...] | None = None


async def list_jobs(deployment: Deployment, which: Which, limit: int) -> list[Queued]:
    """Jobs of any business, the newest first."""

    async def read(work: Work) -> list[Queued]:
        columns = [Job.__table__.c[name] for name in Queued.__struct_fields__ if name != "business"]
        found = await work.execute(
            sa.select(*columns, sa.func.coalesce(Business.slug, "").label("business"))
            .outerjoin(Business, Business.id == Job.business_id)
            .where(*_conditions(which))
            .order_by(Job.created_at.desc(), Job.id.desc())
            .limit(limit)
        )
        return [Queued(**row._mapping) for row in found.all()]

    return await look(deployment, None, read)


async def count_jobs(deployment: Deployment, which: Which) -> int:
    """How many jobs there are."""

    async def count(work: Work) -> int:
        joined = sa.select(sa.func.count()).select_from(Job).outerjoin(Business, Business.id == Job.business_id)
        return int((await work.execute(joined.where(*_conditions(which)))).scalar_one())

    return await look(deployment, None, count)


async def retry_job(
    deployment: Deployment, job_id: uuid.UUID, *, actor: Actor = SYSTEM, origin: Origin | None = None
) -> None:
    """Put a dead job back, due now and with all its tries, in the audit trail of its business.

    actor, origin: who asked for it, and how. Raises LookupError when there is none, NotDead when it waits or is done.
    """
    fresh = {"state": "pending", "attempts": 0, "run_at": deployment.clock(), "ended_at": None}
    await _settle(deployment, job_id, "operating.retry_job", fresh, actor, origin)


async def drop_job(
    deployment: Deployment, job_id: uuid.UUID, *, actor: Actor = SYSTEM, origin: Origin | None = None
) -> None:
    """Drop a dead job, never to be tried again, in the audit trail of its business. Raises as `retry_job`."""
    await _settle(deployment, job_id, "operating.drop_job", {"state": "dropped"}, actor, origin)


async def _settle(
    deployment: Deployment,
    job_id: uuid.UUID,
    deed: str,
    values: Mapping[str, Any],
    actor: Actor,
    origin: Origin | None,
) -> None:
    async def find(work: Work) -> Any:
        return (await work.execute(sa.select(Job.business_id, Job.name).where(Job.id == job_id))).one_or_none()

    row = await look(deployment, None, find)
    if row is None:
        raise LookupError(f"there is no job {job_id}")

    async def settle(work: Work) -> None:
        done = await work.execute(sa.update(Job).where(Job.id == job_id, Job.state == "dead").values(**values))
        if not done.rowcount:
            raise NotDead(f"The job {job_id} is not dead; it waits, is being done, or is done")
        work.audit(subject=f"job:{job_id}", job=row.name)
        work.changed(Job, job_id, {"state": "dead"}, {"state": values["state"]})

    await act(deployment, row.business_id, settle, deed=deed, actor=actor, origin=origin)


def _conditions(which: Which) -> list[sa.ColumnElement[bool]]:
    said: list[sa.ColumnElement[bool]] = []
    if which.state is not None:
        said.append(Job.state == which.state)
    if which.plugin is not None:
        said.append(Job.plugin == which.plugin)
    if which.business is not None:
        said.append(Business.slug == which.business)
    if which.ids is not None:
        said.append(Job.id.in_(which.ids))
    return said
