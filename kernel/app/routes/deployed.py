"""The deployment to its operators: how it is, its jobs, the dead ones to be tried again, and what is kept beside it."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct, structs

from kernel import VERSION
from kernel.app.health import Health
from kernel.app.plans.deploying import ARCHIVES
from kernel.app.plans.values import Count, KeptArchive
from kernel.app.queued import NotDead, retry_job
from kernel.auth import look
from kernel.auth.businesses.operating import state_of
from kernel.auth.identity import OPERATOR as OPERATORS
from kernel.db.tables import Business, Epoch, Job
from kernel.errors import NotFound
from kernel.settings import Settings
from kernel.web import OPERATOR, Scene, flow, page, query
from kernel.wire import Code, ListQuery, Page, Slug
from kernel.work import Origin, Work

JobState = Literal["pending", "done", "dead", "parked"]
SINCE = dt.timedelta(hours=24)
_CLASS = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,79})\(")
_B, _J = Business.__table__.c, Job.__table__.c


class OperatedJob(Struct, frozen=True):
    """A job of any business, or of none (`business` is null). Nothing of what it was asked to do is told."""

    id: uuid.UUID
    business: Slug | None
    plugin: Code
    name: Annotated[str, Meta(examples=["sales.expire_pending"])]
    state: JobState
    run_at: dt.datetime
    attempts: int
    max_attempts: int
    fault: Annotated[
        str | None,
        Meta(description="The kind of its last error; the business sees the whole.", examples=["GatewayFailed"]),
    ]
    created_at: dt.datetime
    ended_at: dt.datetime | None


class OperatedJobQuery(ListQuery, frozen=True):
    """Which jobs."""

    state: JobState | None = None
    plugin: Code | None = None
    business: Slug | None = None


class JobCounts(Struct, frozen=True):
    """Jobs of all businesses. due: their time has come; oldest_s: for how many seconds, of the oldest of them.

    done: those that ended in the last 24 hours.
    """

    pending: Count
    parked: Count
    dead: Count
    done: Count
    due: Count
    oldest_s: Annotated[float, Meta(ge=0, examples=[0.4])]


class DeploymentOut(Struct, frozen=True):
    """How the deployment is. checks: check → word, as `/health/ready` has them, of the process that answered."""

    version: Annotated[str, Meta(examples=["0.1.0"])]
    database: Literal["postgresql", "sqlite"]
    epoch: Annotated[int, Meta(description="Risen by whatever is installed, upgraded or uninstalled.", examples=[3])]
    checks: Annotated[dict[str, str], Meta(examples=[{"database": "ok", "outbox": "late"}])]
    businesses: Annotated[dict[str, int], Meta(description="State → how many.", examples=[{"active": 2}])]
    jobs: JobCounts
    archives: Annotated[
        list[KeptArchive], Meta(description="Data of plugins that were uninstalled, kept below home; the newest first.")
    ]


@flow("GET", "/operating/deployment", permission=OPERATOR)
async def show_deployment(scene: Scene) -> DeploymentOut:
    """How the deployment is: its checks, its businesses, its jobs, and the archives it keeps."""
    deployment = scene.deployment
    await scene.pause()
    report = await Health(deployment).report()

    async def read(work: Work) -> DeploymentOut:
        epoch = sa.select(Epoch.value).where(Epoch.scope == "deployment")
        return DeploymentOut(
            VERSION,
            "postgresql" if deployment.database.is_postgres else "sqlite",
            (await work.execute(epoch)).scalar_one_or_none() or 0,
            {name: word for name, word in report.checks.items() if name != "process"},
            await _businesses(work),
            await _jobs(work),
            _archives(deployment.settings),
        )

    return await look(deployment, None, read)


@query("/operating/jobs", permission=OPERATOR)
async def list_all_jobs(work: Work, query: OperatedJobQuery) -> Page[OperatedJob]:
    """The background jobs of all businesses, newest first."""
    named = ("id", "plugin", "name", "state", "run_at", "attempts", "max_attempts", "error", "created_at", "ended_at")
    columns = [_J[name] for name in named]
    statement = sa.select(*columns, _B.slug.label("business")).outerjoin(Business.__table__, _B.id == _J.business_id)
    for column, wanted in ((_J.state, query.state), (_J.plugin, query.plugin), (_B.slug, query.business)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return await page(work, statement, query, order=[_J.id], make=_job, descending=True)


@flow("POST", "/operating/jobs/{job_id}/retry", permission=OPERATOR, errors=(NotDead,))
async def retry_any_job(scene: Scene, job_id: uuid.UUID) -> OperatedJob:
    """Put a dead job back: due now, with all its tries. It is in the audit trail of its business."""
    standing, visit = scene.standing, scene.visit
    actor = structs.replace(standing.actor, permissions=OPERATORS)
    await scene.pause()
    origin = Origin("operating.retry_job", visit.request_id, visit.address)
    try:
        await retry_job(scene.deployment, job_id, actor=actor, origin=origin)
    except LookupError:
        raise NotFound from None

    async def read(work: Work) -> OperatedJob:
        columns = (*_J.values(), _B.slug.label("business"))
        found = sa.select(*columns).outerjoin(Business.__table__, _B.id == _J.business_id).where(_J.id == job_id)
        return _job((await work.execute(found)).one())

    return await look(scene.deployment, None, read)


def _job(row: Any) -> OperatedJob:
    said = {name: getattr(row, name) for name in OperatedJob.__struct_fields__ if name != "fault"}
    return OperatedJob(**said, fault=_kind(row.error))


def _kind(error: str | None) -> str | None:
    """The class of an error that was kept as Python writes it; what a deed was refused with is words of a business."""
    if not error:
        return None
    named = _CLASS.match(error)
    return named[1] if named else "Refused"


async def _businesses(work: Work) -> dict[str, int]:
    counts: dict[str, int] = {}
    marks = (_B.suspended_at, _B.deleting_at, _B.deleted_at)
    for row in (await work.execute(sa.select(*marks))).all():
        state = state_of(row)
        counts[state] = counts.get(state, 0) + 1
    return counts


async def _jobs(work: Work) -> JobCounts:
    counted = sa.func.count().label("many")
    waiting = sa.select(_J.state, counted).where(_J.state.in_(("pending", "parked", "dead"))).group_by(_J.state)
    by_state: Mapping[str, int] = {row.state: row.many for row in (await work.execute(waiting)).all()}
    done = sa.select(counted).where(_J.state == "done", _J.ended_at >= work.now - SINCE)
    late = sa.select(counted, sa.func.min(_J.run_at).label("oldest"))
    due = (await work.execute(late.where(_J.state == "pending", _J.run_at <= work.now))).one()
    return JobCounts(
        by_state.get("pending", 0),
        by_state.get("parked", 0),
        by_state.get("dead", 0),
        (await work.execute(done)).scalar_one(),
        due.many,
        (work.now - due.oldest).total_seconds() if due.oldest else 0.0,
    )


def _archives(settings: Settings) -> list[KeptArchive]:
    files = sorted((settings.home_path / ARCHIVES).glob("*.zip"), key=lambda file: file.stat().st_mtime, reverse=True)
    told = ((file.name, file.stat()) for file in files)
    return [KeptArchive(known, stat.st_size, dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)) for known, stat in told]
