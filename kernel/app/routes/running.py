"""Jobs of the business."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.db.tables import Job
from kernel.errors import NotFound
from kernel.web import page, query
from kernel.wire import ListQuery, Page
from kernel.work import Work


class JobOut(Struct, frozen=True):
    """A background job of the business."""

    id: uuid.UUID
    name: Annotated[str, Meta(examples=["sales.expire_pending"])]
    state: Annotated[
        Literal["pending", "done", "dead", "parked", "dropped"],
        Meta(description="dead: it failed at every try; dropped: an operator gave it up for good then."),
    ]
    run_at: dt.datetime
    attempts: int
    error: str | None
    created_at: dt.datetime
    ended_at: dt.datetime | None


class JobQuery(ListQuery, frozen=True):
    """Which jobs."""

    state: Literal["pending", "done", "dead", "parked", "dropped"] | None = None


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
