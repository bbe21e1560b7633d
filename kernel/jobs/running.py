"""Jobs: what a deed leaves to be done after it. The outbox row is the truth; effect and done mark commit together.

So a job may be delivered any number of times and takes effect once. Without Redis a loop runs what is due, in the
server or in a worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from kernel import metrics
from kernel.db import Prepared, Transaction
from kernel.db.prepared import Rows
from kernel.db.tables import Business, Job, JobPayload, Schedule
from kernel.errors import DukaError
from kernel.jobs.handlers import LONGEST_S, Call, Then, handlers_of
from kernel.jobs.schedules import next_run
from kernel.logs import Facts, about, mention, redacted
from kernel.work import NO_BUSINESS, Deployment, Identify, Origin, Work, carry_out

log = logging.getLogger("duka.jobs")
POLL_S = 1.0
AT_ONCE = 200
"""Jobs looked up at once, the businesses taking turns: a thousand of one keep nobody else's waiting."""
TIDY_S = 30.0

CALL_LEASE = dt.timedelta(minutes=5)
"""How long a job that is calling the outside world is left alone before it is thought to have died."""

ASIDE = dt.timedelta(minutes=5)
"""A job of a plugin that is set aside here waits for so long, and counts no try."""

T = TypeVar("T")
_J = Job.__table__.c
_now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
_suspended = sa.exists().where(Business.id == _J.business_id, Business.suspended_at.is_not(None))
_is_due = sa.and_(_J.state == "pending", _J.run_at <= _now, ~_suspended)
_turn = sa.func.row_number().over(partition_by=_J.business_id, order_by=[_J.run_at, _J.id]).label("turn")
_vanished = sa.and_(_J.attempts > 0, _J.error.is_(None)).label("vanished")
_ranked = sa.select(_J.id, _J.business_id, _J.run_at, _J.attempts, _vanished, _turn).where(_is_due).subquery()
_DUE = Prepared(
    sa.select(_ranked.c.id, _ranked.c.business_id, _ranked.c.attempts, _ranked.c.vanished)
    .where(_ranked.c.turn <= AT_ONCE)
    .order_by(_ranked.c.turn, _ranked.c.run_at, _ranked.c.id)
    .limit(AT_ONCE)
)
_named = sa.and_(_J.id == sa.bindparam("job_id", type_=sa.Uuid()), _is_due)
_START = Prepared(
    sa.update(Job)
    .where(_J.id.in_(sa.select(_J.id).where(_named).with_for_update(skip_locked=True)))
    .values(attempts=_J.attempts + 1, error=sa.null())
    .returning(_J.name, _J.attempts, _J.max_attempts)
)
_P = JobPayload.__table__.c
_its_payload = sa.and_(_P.business_id == sa.bindparam("business_id"), _P.job_id == _J.id)
_CLAIM = Prepared(
    sa.select(_J.id, _J.plugin, _J.name, _P.payload)
    .select_from(Job.__table__.outerjoin(JobPayload.__table__, _its_payload))
    .where(_named)
    .with_for_update(skip_locked=True, of=Job)
)
_this = sa.and_(_J.id == sa.bindparam("job_id", type_=sa.Uuid()), _J.state == "pending")
_LEAVE = Prepared(sa.update(Job).where(_this).values(run_at=_now))
_DONE = Prepared(sa.update(Job).where(_this).values(state="done", ended_at=_now, error=sa.null()))
_FORGET = Prepared(
    sa.update(JobPayload)
    .where(_P.business_id == sa.bindparam("business_id"), _P.job_id == sa.bindparam("job_id", type_=sa.Uuid()))
    .values(payload={})
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
    """How many jobs are due and not done, and for how many seconds the oldest has been.

    oldest_s: of those too that a schedule should have made, for where nobody works off jobs none is made either.
    """

    due: int
    oldest_s: float


_expected = (
    sa.select(sa.func.min(Schedule.next_run))
    .join(Business, Business.id == Schedule.business_id)
    .where(Schedule.next_run <= sa.bindparam("now"), Business.suspended_at.is_(None))
    .scalar_subquery()
)
_BACKLOG = Prepared(
    sa.select(sa.func.count().label("due"), sa.func.min(_J.run_at).label("oldest"), _expected.label("expected")).where(
        _J.state == "pending", _J.run_at <= sa.bindparam("now"), ~_suspended
    )
)


async def backlog(transaction: Transaction, now: dt.datetime) -> Backlog:
    """The outbox of all businesses."""
    row = await transaction.one(_BACKLOG, now=now)
    since = [at for at in (row.oldest, row.expected) if at is not None] if row else []
    return Backlog(row.due if row else 0, (now - min(since)).total_seconds() if since else 0.0)


class Runner:
    """Runs due jobs of a deployment, each in a deed of its business. identify: reads a business's standing."""

    def __init__(self, deployment: Deployment, identify: Identify) -> None:
        self.deployment, self.identify = deployment, identify
        self.handlers = handlers_of(deployment)
        self.stopping = asyncio.Event()
        self._tidied = time.monotonic()

    async def run_due(self) -> int:
        """Run what is due now; returns how many were run, those that failed included."""
        await self.tick()
        ran = 0
        for one in await self.due():
            if self.stopping.is_set():
                break
            with _alone(f"job {one.id}"):
                ran += await self.execute(one.business_id, one.id)
        return ran

    async def due(self) -> Rows:
        """What is due now, one of each business before the second of any.

        id, business, tries so far, and whether the last of them vanished: with the process, without an error.
        """
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            return await transaction.fetch(_DUE, now=self.deployment.clock())

    async def execute(self, business_id: uuid.UUID, job_id: uuid.UUID) -> bool:
        """Run one job if it is still pending and no one else has it; returns whether it was run.

        The try is counted before it is made, so that a job that takes its process with it is laid aside in the end.
        """
        with about(Facts(f"job {job_id}")) as facts:
            facts.business = business_id
            return await self._execute(business_id, job_id, facts)

    async def is_free(self, job_id: uuid.UUID) -> bool:
        """Whether a job is due and nobody is at it."""
        name = f"job {job_id}"
        return await self._deed(NO_BUSINESS, name, lambda work: _is_free(work, job_id))

    async def _execute(self, business_id: uuid.UUID, job_id: uuid.UUID, facts: Facts) -> bool:
        name = facts.request_id
        facts.job = await self._deed(NO_BUSINESS, name, lambda work: self._start(work, job_id))
        if facts.job is None:
            return False
        facts.plugin = facts.job.partition(".")[0]
        handler = self.handlers.get(facts.job)
        limit_s = handler.limit_s if handler else LONGEST_S
        limit, begun = asyncio.timeout(limit_s), time.perf_counter()
        try:
            async with limit:
                ran: bool | Call = await self._deed(business_id, name, lambda work: self._run(work, job_id))
                if callable(ran):
                    called = functools.partial(self._called, job_id=job_id, name=facts.job, then=await ran())
                    ran = await self._deed(business_id, name, called)
            if ran:
                self._count(facts, "done", begun)
            return ran
        except Exception as raised:  # a job may raise anything; it is kept with the job, and tried again
            fault = TimeoutError(f"it took longer than {limit_s:g} s") if limit.expired() else raised
            log.warning("job %s failed: %r", job_id, fault)
        dead = await self._deed(business_id, name, lambda work: self._failed(work, job_id, fault))
        self._count(facts, "dead" if dead else "failed", begun)
        return True

    def _count(self, facts: Facts, outcome: str, begun: float) -> None:
        name = facts.job if facts.job in self.handlers else "other"
        metrics.JOBS.labels(name, outcome).inc()
        metrics.JOB_SECONDS.labels(name).observe(time.perf_counter() - begun)

    async def tick(self) -> None:
        """Turn schedules that are due into jobs, once each."""
        async with self.deployment.database.reading(NO_BUSINESS) as transaction:
            due = await transaction.fetch(_SCHEDULED, now=self.deployment.clock())
        for row in due:
            with _alone(f"schedule {row.job}"):
                await self._deed(row.business_id, f"schedule {row.job}", functools.partial(self._schedule, row))

    async def loop(self, stop: asyncio.Event) -> None:
        """Run due jobs until told to stop; wakes at once after a commit that left one."""
        self.stopping = stop
        while not stop.is_set():
            tried = 0
            try:
                tried = await self.run_due()
                await self.tidy()
            except Exception:  # the database may be away for a while; the loop must outlive it
                log.exception("the job loop stumbled")
            if not tried:
                await self.wait(POLL_S)

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until a commit of this process leaves a job."""
        self.deployment.jobs_due.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.deployment.jobs_due.wait(), seconds)

    async def tidy(self) -> None:
        """What the database wants done now and then."""
        if time.monotonic() - self._tidied > TIDY_S:
            await self.deployment.database.tidy()
            self._tidied = time.monotonic()

    async def _deed(self, business_id: uuid.UUID, name: str, run: Callable[[Work], Awaitable[T]]) -> T:
        origin = Origin(name)
        return await carry_out(self.deployment, business_id, run, identify=self.identify, origin=origin, audited=False)

    async def _start(self, work: Work, job_id: uuid.UUID) -> str | None:
        """Count a try, and forget what the one before raised; returns the job's name.

        None: it is not due, or is being run, or has had its tries.
        """
        row = await work.one(_START, job_id=job_id, now=work.now)
        if row is None:
            return None
        if row.attempts > row.max_attempts:
            error = "its process ended while it ran"
            await self._end(work, job_id, state="dead", attempts=row.max_attempts, ended_at=work.now, error=error)
            return None
        name: str = row.name
        return name

    async def _run(self, work: Work, job_id: uuid.UUID) -> bool | Call:
        row = await work.one(_CLAIM, job_id=job_id, now=work.now)
        if row is None:
            return False
        if row.plugin in self.deployment.registry.set_aside:
            await self._end(work, job_id, run_at=work.now + ASIDE, attempts=Job.attempts - 1)
            return False
        if row.plugin != "kernel" and not work.enabled(row.plugin):
            await self._end(work, job_id, state="parked", attempts=Job.attempts - 1)
            return True
        work.origin = Origin(row.name)
        handler = self.handlers.get(row.name)
        if handler is None:
            raise LookupError(f"no plugin has a job called {row.name}")
        mention(row.payload)
        call = await handler.run(work, row.payload or {})
        if call is not None:
            await work.fetch(_LEAVE, job_id=job_id, now=work.now + CALL_LEASE)
            return call
        await self._done(work, job_id)
        return True

    async def _called(self, work: Work, job_id: uuid.UUID, name: str, then: Then | None) -> bool:
        """The call came back: its answer takes effect, the job is done, what it said to the outside is forgotten."""
        if then is not None:
            work.origin = Origin(name)
            await then(work)
        await work.fetch(_FORGET, job_id=job_id)
        await self._done(work, job_id)
        return True

    async def _done(self, work: Work, job_id: uuid.UUID) -> None:
        """Mark a job as done, in the deed of its effect."""
        await work.fetch(_DONE, job_id=job_id, now=work.now)

    async def _failed(self, work: Work, job_id: uuid.UUID, fault: Exception) -> bool:
        """Note the failure; whether the job is given up."""
        row = (await work.execute(sa.select(Job.attempts, Job.max_attempts).where(Job.id == job_id))).one_or_none()
        if row is None:
            return False
        said = fault.detail if isinstance(fault, DukaError) else repr(fault)
        wait = dt.timedelta(seconds=min(3600, 2**row.attempts))
        dead: bool = row.attempts >= row.max_attempts
        await self._end(
            work,
            job_id,
            state="dead" if dead else "pending",
            error=redacted(said)[:2000],
            run_at=work.now + wait,
            ended_at=work.now if dead else None,
        )
        return dead

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


async def _is_free(work: Work, job_id: uuid.UUID) -> bool:
    return await work.one(_CLAIM, job_id=job_id, now=work.now) is not None


@contextlib.contextmanager
def _alone(what: str) -> Iterator[None]:
    """Let no failure of one job keep the others from running."""
    try:
        yield
    except Exception:  # a business that cannot be read, a database that is away: the row is there the next time
        log.exception("%s could not be run", what)
