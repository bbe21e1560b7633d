"""What a deployment counts about itself, in Prometheus' terms. Labels are names from the code, never what people sent.

Several server processes share their figures through files (`shared_between_processes`), so that whichever of them is
asked answers for all.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

__all__ = ["registry"]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the client library finds the files, read as it is imported."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_JOB_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 300.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

disable_created_metrics()  # type: ignore[no-untyped-call]
_own = CollectorRegistry()
_REQUESTS = Counter("duka_requests", "Requests answered.", ("method", "route", "status"), registry=_own)
_SECONDS = Histogram(
    "duka_request_seconds", "From a request to its answer.", ("method", "route"), buckets=_BUCKETS, registry=_own
)
PROBLEMS = Counter(
    "duka_problems", "Refusals and faults, by the code of their problem document.", ("code",), registry=_own
)
RETRIES = Counter("duka_deed_retries", "Deeds run again from the start, by why.", ("reason",), registry=_own)
REPLAYS = Counter("duka_idempotent_replays", "Answers given again to a repeated Idempotency-Key.", registry=_own)
JOBS = Counter("duka_jobs", "Jobs run: done, failed (to be tried again) or dead.", ("job", "outcome"), registry=_own)
JOB_SECONDS = Histogram(
    "duka_job_seconds", "From the start of a try of a job to its end.", ("job",), buckets=_JOB_BUCKETS, registry=_own
)
HOOK_CALLS = Counter("duka_hook_calls", "Calls of a plugin's answers to a hook.", ("plugin", "hook"), registry=_own)
HOOK_SECONDS = Counter("duka_hook_seconds", "Time in a plugin's answers to a hook.", ("plugin", "hook"), registry=_own)
HOOK_FAILURES = Counter("duka_hook_failures", "Answers to a hook that failed.", ("plugin", "hook"), registry=_own)
HOOK_TRIPS = Counter("duka_hook_trips", "Plugins left out of a hook.", ("plugin", "hook"), registry=_own)

IN_FLIGHT = Gauge("duka_requests_in_flight", "Requests under way.", multiprocess_mode="livesum", registry=_own)
PROCESSES = Gauge("duka_processes", "Processes, of a server or a worker.", multiprocess_mode="livesum", registry=_own)
MEMORY = Gauge("duka_resident_bytes", "Memory of these processes.", multiprocess_mode="livesum", registry=_own)
POOL_USED = Gauge(
    "duka_pool_used", "Database connections in use.", ("pool",), multiprocess_mode="livesum", registry=_own
)
POOL_SIZE = Gauge(
    "duka_pool_size", "Database connections there may be.", ("pool",), multiprocess_mode="livesum", registry=_own
)
OUTBOX_DUE = Gauge("duka_outbox_due", "Jobs due and not done.", multiprocess_mode="mostrecent", registry=_own)
OUTBOX_AGE = Gauge(
    "duka_outbox_oldest_seconds", "How long the oldest of them is due.", multiprocess_mode="mostrecent", registry=_own
)
OUTBOX_DEAD = Gauge("duka_outbox_dead", "Jobs that were given up.", multiprocess_mode="mostrecent", registry=_own)
AUDIT_UNSEALED = Gauge(
    "duka_audit_unsealed_seconds",
    "For how long the audit trail that waits longest has not been sealed.",
    multiprocess_mode="mostrecent",
    registry=_own,
)
AUDIT_BROKEN = Gauge(
    "duka_audit_broken_chains",
    "Audit trails that a verification found broken.",
    multiprocess_mode="mostrecent",
    registry=_own,
)
BACKUP_AGE = Gauge(
    "duka_backup_age_seconds",
    "Since the newest backup of this home was made; +Inf where none is known.",
    multiprocess_mode="mostrecent",
    registry=_own,
)
BACKUPS_FAILED = Gauge(
    "duka_backups_failed", "Backups that failed since then.", multiprocess_mode="mostrecent", registry=_own
)
UP = Gauge(
    "duka_check_ok", "1 where a check of readiness is content.", ("check",), multiprocess_mode="livemin", registry=_own
)

_requests: dict[tuple[str, str, int], Counter] = {}
_seconds: dict[tuple[str, str], Histogram] = {}


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. route: as it was declared; empty for what is no operation. status 0: nobody waited for it."""
    if method not in _METHODS:
        method = "other"
    counter = _requests.get((method, route, status))
    if counter is None:
        counter = _requests[method, route, status] = _REQUESTS.labels(method, route, str(status))
    counter.inc()
    histogram = _seconds.get((method, route))
    if histogram is None:
        histogram = _seconds[method, route] = _SECONDS.labels(method, route)
    histogram.observe(seconds)


def registry() -> CollectorRegistry:
    """The figures of this process."""
    return _own


def exposition() -> bytes:
    """All figures as Prometheus reads them, those of the other processes too where they are shared."""
    if FOLDER not in os.environ:
        return generate_latest(_own)
    everybody = CollectorRegistry()
    multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
    return generate_latest(everybody)


@contextlib.contextmanager
def shared_between_processes() -> Iterator[None]:
    """Within this, processes that are started share their figures through files, which are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="duka-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def forget_process(pid: int) -> None:
    """A process has ended: what it was doing is no more; what it counted stays."""
    if FOLDER in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
