"""What a plugin declares in `jobs.py`: jobs that can be run, and when they run by themselves.

One that needs an optional plugin stands in `with_<other>.py`.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from croniter import croniter

from kernel.db.tables import Idempotency
from kernel.registry import Loaded, functions_of
from kernel.work import Deployment, Work

KEPT_FOR = dt.timedelta(days=8)
LONGEST_S = 60.0
"""A job is broken off after so long, and tried again; one that needs longer does its work in steps."""

Then = Callable[[Work], Awaitable[None]]
Call = Callable[[], Awaitable[Then | None]]
Run = Callable[[Work, Mapping[str, Any]], Awaitable[Call | None]]


@dataclass(frozen=True)
class Handler:
    """A job a plugin can run: `<plugin>.<name>`, and its cron line where it is scheduled.

    run: the effect, in a deed. One that must speak to the outside world prepares in the deed and returns the call: it
    is made after the commit, with no transaction open, and the job is done once it came back. It may be made twice.
    What the call returns is the effect of its answer, committed with the mark that the job is done.
    """

    name: str
    run: Run
    cron: str | None
    limit_s: float = LONGEST_S


def job(name: str, *, cron: str | None = None, limit_s: float = LONGEST_S) -> Callable[[Run], Handler]:
    """Declare a job in `jobs.py`. cron: five fields in the business's time zone, for enabled plugins only.

    limit_s: a try that takes longer is broken off and undone.
    """
    if cron is not None and not (croniter.is_valid(cron) and len(cron.split()) == 5):
        raise ValueError(f"job {name}: {cron!r} is not a cron line")

    def declare(run: Run) -> Handler:
        handler = Handler(name, run, cron, limit_s)
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
        found |= {handler.name: handler for handler in handlers_in(one)}
    return found


def handlers_in(one: Loaded) -> list[Handler]:
    """The jobs that a plugin declares. Raises ValueError for a name that is another's."""
    declared = [functions_of(module, Handler) for module in (one.jobs, *one.bridges.values())]
    found = list(itertools.chain(*declared))
    for handler in found:
        if handler.name.partition(".")[0] != one.name:
            raise ValueError(f"{one.name}: its job {handler.name!r} must start with '{one.name}.'")
    return found
