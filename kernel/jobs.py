"""Jobs: what a deed leaves to be done after it. The outbox row is the truth; effect and done mark commit together.

So a job may be delivered any number of times and takes effect once. The embedded loop runs inside the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from croniter import croniter
from sqlalchemy.dialects import postgresql, sqlite

from kernel.db import Prepared, Transaction
from kernel.db.tables import Business, Idempotency, Job, JobPayload, Schedule
from kernel.errors import DukaError
from kernel.logs import Facts, about, mention, redacted
from kernel.registry import functions_of
from kernel.work import NO_BUSINESS, Deployment, Identify, Origin, Work, carry_out

log = logging.getLogger("duka.jobs")
KEPT_FOR = dt.timedelta(days=8)
POLL_S = 1.0
TIDY_S = 30.0

CALL_LEASE = dt.timedelta(minutes=5)
"""How long a job that is calling the outside world is left alone before it is thought to have died."""

T = TypeVar("T")
Call = Callable[[], Awaitable[None]]
Run = Callable[[Work, Mapping[str, Any]], Awaitable[Call | None]]


@dataclass(frozen=True)
class Handler:
    """A job a plugin can run: `<plugin>.<name>`, and its cron line where it is scheduled.

    run: the effect, in a deed. One that must speak to the outside world prepares in the deed and returns the call: it
    is made after the commit, with no transaction open, and the job is done once it came back. It may be made twice.
    """

    name: str
    run: Run
    cron: str | None


def job(name: str, *, cron: str | None = None) -> Callable[[Run], Handler]:
    """Declare a job in `jobs.py`. cron: five fields in the business's time zone, for enabled plugins only."""
    if cron is not None and not (croniter.is_valid(cron) and len(cron.split()) == 5):
        raise ValueError(f"job {name}: {cron!r} is not a cron line")

    def declare(run: Run) -> Handler:
        handler = Handler(name, run, cron)
        if name.startswith("kernel.") and run.__module__.startswith("kernel."):
            _KERNEL.setdefault(name, handler)
        return handler

    return declare


_KERNEL: dict[str, Handler] = {}
"""The kernel's own jobs; a module of the kernel that declares some adds them as it is imported."""


@job("kernel.forget_old_keys", cron="17 3 * * *")
async def forget_old_keys(work: Work, _payload: Mapping[str, Any]) -> None:
    """Drop idempotency keys older than eight days."""
    old = sa.delete(Idempotency).where(
        Idempotency.business_id == work.business_id, Idempotency.created_at < work.now - KEPT_FOR
    )
    await work.execute(old)


def handlers_of(deployment: Deployment) -> dict[str, Handler]:
    """Every job that can be run: name → handler."""
    found = dict(_KERNEL)
    for one in deployment.registry.in_order():
        for handler in functions_of(one.jobs, Handler):
            if handler.name.partition(".")[0] != one.name:
                raise ValueError(f"{one.name}: its job {handler.name!r} must start with '{one.name}.'")
            found[handler.name] = handler
    return found


def next_run(cron: str, after: dt.datetime, zone: str) -> dt.datetime:
    """The next instant of a cron line in a zone.

    At fixed hours it comes once a day: an hour that the clock repeats counts the first time, one that it skips a little
    later. Over hours (`*` among them) it goes by time that passes.
    """
    tz = ZoneInfo(zone)
    local = after.astimezone(tz)
    if "*" in cron.split()[1]:
        passing: dt.datetime = croniter(cron, local).get_next(dt.datetime)
        return passing.astimezone(dt.UTC)
    clock = croniter(cron, local.replace(tzinfo=None))
    while True:
        shown: dt.datetime = clock.get_next(dt.datetime)
        moment = shown.replace(tzinfo=tz).astimezone(dt.UTC)
        if moment > after:
            return moment


_J = Job.__table__.c
_suspended = sa.exists().where(Business.id == _J.business_id, Business.suspended_at.is_not(None))
_DUE = Prepared(
    sa.select(_J.id, _J.business_id)
    .where(_J.state == "pending", _J.run_at <= sa.bindparam("now"), ~_suspended)
    .order_by(_J.run_at, _J.id)
    .limit(100)
)
_CLAIM = (
    sa.select(_J.id, _J.plugin, _J.name, _J.attempts, _J.max_attempts)
    .where(_J.id == sa.bindparam("job_id"), _J.state == "pending", _J.run_at <= sa.bindparam("now"), ~_suspended)
    .with_for_update(skip_locked=True)
)
_CLAIM_PREPARED = Prepared(_CLAIM)
_PAYLOAD = Prepared(
    sa.select(JobPayload.payload).where(
        JobPayload.business_id == sa.bindparam("business_id"), JobPayload.job_id == sa.bindparam("job_id")
    )
)
_SCHEDULED = Prepared(
    sa.select(Schedule.business_id, Schedule.job, Schedule.cron, Schedule.next_run, Business.zone)
    .join(Business, Business.id == Schedule.business_id)
    .where(Schedule.next_run <= sa.bindparam("now"), Business.suspended_at.is_(None))
    .order_by(Schedule.next_run)
    .limit(100)
)


@dataclass(frozen=True)
class Backlog:
    """How many jobs are due and not done, and for how many seconds the oldest has been."""

    due: int
    oldest_s: float


_BACKLOG = Prepared(
    sa.select(sa.func.count().label("due"), sa.func.min(_J.run_at).label("oldest")).where(
        _J.state == "pending", _J.run_at <= sa.bindparam("now"), ~_suspended
    )
)


async def backlog(transaction: Transaction, now: dt.datetime) -> Backlog:
    """The outbox of all businesses."""
    row = await transaction.one(_BACKLOG, now=now)
    if row is None or row.oldest is None:
        return Backlog(0, 0.0)
    return Backlog(row.due, (now - row.oldest).total_seconds())


class Runner:
    """Runs due jobs of a deployment, each in a deed of its business. identify: reads a business's standing."""

    def __init__(self, deployment: Deployment, identify: Identify) -> None:
        self.deployment, self.identify = deployment, identify
        self.handlers = handlers_of(deployment)
        self.stopping = asyncio.Event()

    async def run_due(self) -> int:
        """Run what is due now; returns how many were run, those that failed included."""
        await self.tick()
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            due = await transaction.fetch(_DUE, now=self.deployment.clock())
        ran = 0
        for row in due:
            if self.stopping.is_set():
                break
            with _alone(f"job {row.id}"):
                ran += await self.execute(row.business_id, row.id)
        return ran

    async def execute(self, business_id: uuid.UUID, job_id: uuid.UUID) -> bool:
        """Run one job if it is still pending and no one else has it; returns whether it was run."""
        with about(Facts(f"job {job_id}")):
            return await self._execute(business_id, job_id)

    async def _execute(self, business_id: uuid.UUID, job_id: uuid.UUID) -> bool:
        name, called = f"job {job_id}", False
        try:
            ran = await self._deed(business_id, name, lambda work: self._run(work, job_id))
            if not callable(ran):
                return ran
            called = True
            await ran()
            await self._deed(business_id, name, lambda work: self._called(work, job_id))
            return True
        except Exception as raised:  # a job may raise anything; it is kept with the job, and tried again
            log.warning("job %s failed: %r", job_id, raised)
            fault = raised
        await self._deed(business_id, name, lambda work: self._failed(work, job_id, fault, called=called))
        return True

    async def tick(self) -> None:
        """Turn schedules that are due into jobs, once each."""
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            due = await transaction.fetch(_SCHEDULED, now=self.deployment.clock())
        for row in due:
            with _alone(f"schedule {row.job}"):
                await self._deed(row.business_id, f"schedule {row.job}", functools.partial(self._schedule, row))

    async def loop(self, stop: asyncio.Event) -> None:
        """Run due jobs until told to stop; wakes at once after a commit that left one."""
        tidied, self.stopping = time.monotonic(), stop
        while not stop.is_set():
            tried = 0
            try:
                tried = await self.run_due()
                if time.monotonic() - tidied > TIDY_S:
                    await self.deployment.database.tidy()
                    tidied = time.monotonic()
            except Exception:  # the database may be away for a while; the loop must outlive it
                log.exception("the job loop stumbled")
            if not tried:
                self.deployment.jobs_due.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.deployment.jobs_due.wait(), POLL_S)

    async def _deed(self, business_id: uuid.UUID, name: str, run: Callable[[Work], Awaitable[T]]) -> T:
        origin = Origin(name)
        return await carry_out(self.deployment, business_id, run, identify=self.identify, origin=origin, audited=False)

    async def _run(self, work: Work, job_id: uuid.UUID) -> bool | Call:
        row = await work.one(_CLAIM_PREPARED, job_id=job_id, now=work.now)
        if row is None:
            return False
        if row.plugin != "kernel" and not work.enabled(row.plugin):
            await self._end(work, job_id, state="parked")
            return True
        work.origin = Origin(row.name)
        handler = self.handlers.get(row.name)
        if handler is None:
            raise LookupError(f"no plugin has a job called {row.name}")
        if row.attempts >= row.max_attempts:  # it died in its last call
            await self._end(work, job_id, state="dead", ended_at=work.now)
            return True
        payload = await work.one(_PAYLOAD, job_id=job_id)
        mention(payload.payload if payload else None)
        call = await handler.run(work, payload.payload if payload else {})
        if call is not None:
            await self._end(work, job_id, run_at=work.now + CALL_LEASE, attempts=Job.attempts + 1)
            return call
        await self._end(work, job_id, state="done", ended_at=work.now, error=None, attempts=Job.attempts + 1)
        return True

    async def _called(self, work: Work, job_id: uuid.UUID) -> None:
        """The call came back: the job is done, and what it said to the outside is forgotten."""
        here = sa.and_(JobPayload.business_id == work.business_id, JobPayload.job_id == job_id)
        await work.execute(sa.update(JobPayload).where(here).values(payload={}))
        await self._end(work, job_id, state="done", ended_at=work.now, error=None)

    async def _failed(self, work: Work, job_id: uuid.UUID, fault: Exception, *, called: bool) -> None:
        row = (await work.execute(sa.select(Job.attempts, Job.max_attempts).where(Job.id == job_id))).one_or_none()
        if row is None:
            return
        tried = row.attempts + (not called)
        said = fault.detail if isinstance(fault, DukaError) else repr(fault)
        wait = dt.timedelta(seconds=min(3600, 2**tried))
        dead = tried >= row.max_attempts
        await self._end(
            work,
            job_id,
            state="dead" if dead else "pending",
            attempts=tried,
            error=redacted(said)[:2000],
            run_at=work.now + wait,
            ended_at=work.now if dead else None,
        )

    async def _end(self, work: Work, job_id: uuid.UUID, **values: Any) -> None:
        await work.execute(sa.update(Job).where(Job.id == job_id, Job.state == "pending").values(**values))

    async def _schedule(self, row: Any, work: Work) -> None:
        moved = await work.execute(
            sa.update(Schedule)
            .where(Schedule.business_id == row.business_id, Schedule.job == row.job, Schedule.next_run == row.next_run)
            .values(next_run=next_run(row.cron, work.now, row.zone))
        )
        if moved.rowcount:
            work.later(row.job, {}, dedup=f"cron:{row.job}:{row.next_run.isoformat()}")


@contextlib.contextmanager
def _alone(what: str) -> Iterator[None]:
    """Let no failure of one job keep the others from running."""
    try:
        yield
    except Exception:  # a business that cannot be read, a database that is away: the row is there the next time
        log.exception("%s could not be run", what)


async def set_schedules(work: Work, plugin: str, zone: str) -> None:
    """Make the schedules of a plugin that is being enabled (or of the kernel, for a new business)."""
    for handler in handlers_of(work.deployment).values():
        if handler.cron and handler.name.partition(".")[0] == plugin:
            due = next_run(handler.cron, work.now, zone)
            await work.execute(
                sa.insert(Schedule).values(
                    business_id=work.business_id, job=handler.name, cron=handler.cron, next_run=due
                )
            )
    await work.execute(
        sa.update(Job)
        .where(Job.business_id == work.business_id, Job.plugin == plugin, Job.state == "parked")
        .values(state="pending")
    )


async def complete_schedules(work: Work) -> None:
    """Give every business the schedules of the kernel's own jobs that it does not have yet."""
    found = await work.execute(sa.select(Schedule.business_id, Schedule.job).where(Schedule.job.startswith("kernel.")))
    known = {(row.business_id, row.job) for row in found.all()}
    insert = postgresql.insert if work.deployment.database.is_postgres else sqlite.insert
    for business in (await work.execute(sa.select(Business.id, Business.zone))).all():
        for handler in _KERNEL.values():
            if handler.cron and (business.id, handler.name) not in known:
                due = next_run(handler.cron, work.now, business.zone)
                row = {"business_id": business.id, "job": handler.name, "cron": handler.cron, "next_run": due}
                await work.execute(insert(Schedule).values(row).on_conflict_do_nothing())


async def clear_schedules(work: Work, plugin: str) -> None:
    """Take back the schedules of a plugin that is being disabled; its queued jobs are parked as they come up."""
    own = Schedule.job.startswith(plugin + ".", autoescape=True)
    await work.execute(sa.delete(Schedule).where(Schedule.business_id == work.business_id, own))


__all__ = [
    "Backlog",
    "Call",
    "Handler",
    "Runner",
    "backlog",
    "clear_schedules",
    "complete_schedules",
    "handlers_of",
    "job",
    "next_run",
    "set_schedules",
]
