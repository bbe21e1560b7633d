"""A worker with jobs that count their effects, and some that take their process with them."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernel.app import open_deployment, served, work_off
from kernel.jobs import Handler, Runner, handlers, running
from kernel.logs import Facts
from kernel.settings import load_settings
from kernel.work import Deployment, Identify, Work


async def count(work: Work, payload: Mapping[str, Any]) -> None:
    """Take a number of the job's own series: 1 where the effect came once. `dies`: "once" or "always", after it."""
    work.number(f"counted-{payload['n']}", "", 1)
    await work.flush()
    died = Path(work.deployment.settings.home, f"died-{payload['n']}")
    if payload.get("dies") == "always" or (payload.get("dies") == "once" and not died.exists()):
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if payload.get("fails"):
        raise RuntimeError("told to fail")


class Apart(Runner):
    """The broken twin: the effect is committed first, the mark after it; the first time it dies between the two.

    Only the effect of a counted job takes it down: not a job of the calendar, and not a try that failed.
    """

    def __init__(self, deployment: Deployment, identify: Identify) -> None:
        super().__init__(deployment, identify)
        self.failed: set[uuid.UUID] = set()

    async def _execute(self, business_id: uuid.UUID, job_id: uuid.UUID, facts: Facts) -> bool:
        self.failed.discard(job_id)
        ran = await super()._execute(business_id, job_id, facts)
        counted = ran and facts.job == "sales.count" and job_id not in self.failed
        died = Path(self.deployment.settings.home, "died-apart")
        if counted and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if ran:
            await self._deed(business_id, "mark", lambda work: super(Apart, self)._done(work, job_id))
        return ran

    async def _failed(self, work: Work, job_id: uuid.UUID, fault: Exception) -> bool:
        self.failed.add(job_id)
        return await super()._failed(work, job_id, fault)

    async def _done(self, work: Work, job_id: uuid.UUID) -> None:
        """Leaves the mark to a deed of its own."""


def main() -> None:
    """Work until told to stop."""
    honest = handlers.handlers_of

    def with_count(deployment: Deployment) -> dict[str, Handler]:
        return {**honest(deployment), "sales.count": Handler("sales.count", count, None)}

    setattr(running, "handlers_of", with_count)  # noqa: B010 - it is imported there, not offered
    if os.environ.get("DUKA_TEST_TWIN"):
        setattr(served, "Runner", Apart)  # noqa: B010 - as above
    asyncio.run(_work())


async def _work() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await work_off(open_deployment(load_settings()), stop, concurrency=3)


if __name__ == "__main__":
    main()
