"""The deployment to its operators: how it is, its jobs, the dead ones to be tried again, and what is kept beside it."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct, structs

from kernel import VERSION
from kernel.app.health import Health
from kernel.app.nodes import SILENT, Beating, Node, nodes_of
from kernel.app.plans.deploying import ARCHIVES
from kernel.app.plans.values import Count, KeptArchive
from kernel.app.queued import NotDead, drop_job, retry_job
from kernel.auth import look
from kernel.auth.businesses.operating import state_of
from kernel.auth.identity import OPERATOR as OPERATORS
from kernel.db.tables import Business, Epoch, Job, Schedule
from kernel.errors import NotFound
from kernel.settings import Settings
from kernel.web import OPERATOR, Scene, flow, page, query
from kernel.wire import Code, ListQuery, Page, Slug
from kernel.work import Deployment, Origin, Work

JobState = Literal["pending", "done", "dead", "parked", "dropped"]
JobStage = Literal["waiting", "running", "failed"]
SINCE = dt.timedelta(hours=24)
_CLASS = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,79})\(")
_B, _J = Business.__table__.c, Job.__table__.c
_STAGES: Mapping[JobStage, sa.ColumnElement[bool]] = {
    "waiting": _J.attempts == 0,
    "running": sa.and_(_J.attempts > 0, _J.error.is_(None)),
    "failed": sa.and_(_J.attempts > 0, _J.error.is_not(None)),
}


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
    stage: Annotated[
        JobStage | None,
        Meta(description="Of one that is pending: not begun yet, begun, or failed and to be tried again."),
    ]


class Scheduled(Struct, frozen=True):
    """A job that comes by itself: for how many businesses, and when for the first of them next."""

    plugin: Code
    name: Annotated[str, Meta(examples=["sales.expire_pending"])]
    cron: Annotated[str, Meta(description="In each business's time zone.", examples=["17 3 * * *"])]
    businesses: Count
    next_run: dt.datetime


class OperatedJobQuery(ListQuery, frozen=True):
    """Which jobs."""

    state: JobState | None = None
    stage: JobStage | None = None
    plugin: Code | None = None
    business: Slug | None = None


class JobCounts(Struct, frozen=True):
    """Jobs of all businesses. due: their time has come, and their business is open; oldest_s: for how many seconds, of
    the oldest of them.

    done: those that ended in the last 24 hours. running, failed: of the pending, those begun, and those that failed
    last time.
    """

    pending: Count
    parked: Count
    dead: Count
    done: Count
    due: Count
    running: Count
    failed: Count
    oldest_s: Annotated[float, Meta(ge=0, examples=[0.4])]


class NodeOut(Node, frozen=True):
    """A process of the deployment."""

    is_behind: Annotated[bool, Meta(description="It does not know yet what was installed or uninstalled last.")]
    is_silent: Annotated[bool, Meta(description="It has said nothing for half a minute: it was killed, or hangs.")]
    is_other: Annotated[bool, Meta(description="It has other versions in memory than the process that answers.")]


class DeploymentOut(Struct, frozen=True):
    """How the deployment is. checks: check → word, as `/health/ready` has them, of the process that answered."""

    version: Annotated[str, Meta(examples=["0.1.0"])]
    database: Literal["postgresql", "sqlite"]
    epoch: Annotated[int, Meta(description="Risen by whatever is installed, upgraded or uninstalled.", examples=[3])]
    checks: Annotated[dict[str, str], Meta(examples=[{"database": "ok", "outbox": "late"}])]
    businesses: Annotated[dict[str, int], Meta(description="State → how many.", examples=[{"active": 2}])]
    jobs: JobCounts
    jobs_by: Annotated[
        Literal["servers", "workers"],
        Meta(description="Who works off jobs: the servers themselves, or `duka worker`, which must run somewhere."),
    ]
    nodes: Annotated[list[NodeOut], Meta(description="The processes that share this home, each as it said of itself.")]
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
        found = await work.execute(sa.select(Epoch.value).where(Epoch.scope == "deployment"))
        epoch = found.scalar_one_or_none() or 0
        return DeploymentOut(
            VERSION,
            "postgresql" if deployment.database.is_postgres else "sqlite",
            epoch,
            {name: word for name, word in report.checks.items() if name != "process"},
            await _businesses(work),
            await _jobs(work),
            _jobs_by(deployment.settings),
            _nodes(deployment, epoch),
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
    if query.stage is not None:
        statement = statement.where(_J.state == "pending", _STAGES[query.stage])
    return await page(work, statement, query, order=[_J.id], make=_job, descending=True)


@query("/operating/schedules", permission=OPERATOR)
async def list_schedules(work: Work) -> Page[Scheduled]:
    """The jobs that come by themselves in all businesses, those that come soonest first."""
    counted = sa.func.count().label("businesses")
    soonest = sa.func.min(Schedule.next_run).label("next_run")
    each = sa.select(Schedule.job, Schedule.cron, counted, soonest).group_by(Schedule.job, Schedule.cron)
    rows = (await work.execute(each.order_by(soonest, Schedule.job))).all()
    return Page([Scheduled(row.job.partition(".")[0], row.job, row.cron, row.businesses, row.next_run) for row in rows])


@flow("POST", "/operating/jobs/{job_id}/retry", permission=OPERATOR, errors=(NotDead,))
async def retry_any_job(scene: Scene, job_id: uuid.UUID) -> OperatedJob:
    """Put a dead job back: due now, with all its tries. It is in the audit trail of its business."""
    return await _settled(scene, job_id, retry_job, "operating.retry_job")


@flow("POST", "/operating/jobs/{job_id}/drop", permission=OPERATOR, errors=(NotDead,))
async def drop_any_job(scene: Scene, job_id: uuid.UUID) -> OperatedJob:
    """Drop a dead job for good, so that it waits for nobody. It is in the audit trail of its business."""
    return await _settled(scene, job_id, drop_job, "operating.drop_job")


async def _settled(scene: Scene, job_id: uuid.UUID, settle: Callable[..., Awaitable[None]], deed: str) -> OperatedJob:
    standing, visit = scene.standing, scene.visit
    actor = structs.replace(standing.actor, permissions=OPERATORS)
    await scene.pause()
    origin = Origin(deed, visit.request_id, visit.address)
    try:
        await settle(scene.deployment, job_id, actor=actor, origin=origin)
    except LookupError:
        raise NotFound from None

    async def read(work: Work) -> OperatedJob:
        columns = (*_J.values(), _B.slug.label("business"))
        found = sa.select(*columns).outerjoin(Business.__table__, _B.id == _J.business_id).where(_J.id == job_id)
        return _job((await work.execute(found)).one())

    return await look(scene.deployment, None, read)


def _job(row: Any) -> OperatedJob:
    said = {name: getattr(row, name) for name in OperatedJob.__struct_fields__ if name not in ("fault", "stage")}
    return OperatedJob(**said, fault=_kind(row.error), stage=_stage(row) if row.state == "pending" else None)


def _stage(row: Any) -> JobStage:
    """A try is counted, and what the one before raised forgotten, as it begins."""
    if not row.attempts:
        return "waiting"
    return "failed" if row.error else "running"


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
    stages = [sa.func.count(sa.case((_STAGES[one], 1))).label(one) for one in ("running", "failed")]
    begun = (await work.execute(sa.select(*stages).where(_J.state == "pending"))).one()
    late = sa.select(counted, sa.func.min(_J.run_at).label("oldest"))
    is_shut = sa.exists().where(_B.id == _J.business_id, _B.suspended_at.is_not(None))
    due = (await work.execute(late.where(_J.state == "pending", _J.run_at <= work.now, ~is_shut))).one()
    return JobCounts(
        by_state.get("pending", 0),
        by_state.get("parked", 0),
        by_state.get("dead", 0),
        (await work.execute(done)).scalar_one(),
        due.many,
        begun.running,
        begun.failed,
        (work.now - due.oldest).total_seconds() if due.oldest else 0.0,
    )


def _jobs_by(settings: Settings) -> Literal["servers", "workers"]:
    return "servers" if settings.jobs == "embedded" and not settings.redis_url else "workers"


def _nodes(deployment: Deployment, epoch: int) -> list[NodeOut]:
    own, since = Beating(deployment, "server").now(), deployment.clock() - SILENT
    return [
        NodeOut(
            **structs.asdict(one),
            is_behind=one.epoch < epoch,
            is_silent=one.seen_at < since,
            is_other=(one.version, one.plugins) != (own.version, own.plugins),
        )
        for one in nodes_of(deployment.settings)
    ]


def _archives(settings: Settings) -> list[KeptArchive]:
    files = sorted((settings.home_path / ARCHIVES).glob("*.zip"), key=lambda file: file.stat().st_mtime, reverse=True)
    told = ((file.name, file.stat()) for file in files)
    return [KeptArchive(known, stat.st_size, dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)) for known, stat in told]
