"""What is served: the gate of one deployment, and what runs beside it while the server lives."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from kernel.app import backing_up_in_time, purging
from kernel.app.figures import Figures
from kernel.app.health import Health
from kernel.app.nodes import Beating
from kernel.audit import Sealer, Verifier
from kernel.auth.businesses.tripping import write_strikes
from kernel.auth.identity import standing_of_business
from kernel.jobs import Runner
from kernel.web import Gate, Route
from kernel.work import Deployment

if TYPE_CHECKING:
    from kernel.app.watched import Watched
    from kernel.jobs.queue import JobQueue

log = logging.getLogger("duka.web")
YOUNG_OBJECTS = 20_000
STRIKES_S = 2.0
LAST_JOB_S = 10.0
"""A job, or a round of a loop, that is under way when the server stops is given so long to end."""


class Served:
    """The ASGI application, with what it was built from."""

    def __init__(self, deployment: Deployment, routes: list[Route], gate: Gate) -> None:
        self.deployment, self.routes, self.gate = deployment, routes, gate
        self.health = Health(deployment)
        self.figures = Figures(deployment, gate, self.health)
        trusted = list(deployment.settings.trusted_proxies)
        self._entrance: Any = ProxyHeadersMiddleware(gate, trusted) if trusted else gate  # type: ignore[arg-type]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve. What proxies say of the caller is believed of those that are trusted, and of nobody else."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        scope["health"], scope["figures"] = self.health, self.figures
        await self._entrance(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        """The two messages of ASGI's lifespan, with all that runs beside the requests between them."""
        await receive()
        async with self._running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        loops = [
            self.figures.loop(stop),
            _strikes(self.deployment, stop),
            Beating(self.deployment, "server").loop(stop),
        ]
        loops += _loops(self.deployment, stop) if self.deployment.settings.jobs == "embedded" else []
        tasks = [asyncio.create_task(one) for one in loops]
        _leave_alone_what_stays()
        self.health.begin()
        try:
            yield
        finally:
            self.health.stop()
            stop.set()
            self.deployment.jobs_due.set()
            await _ended(tasks)
            await self.gate.throttle.close()
            await self.deployment.database.dispose()


def _leave_alone_what_stays() -> None:
    """Keep the garbage collector from walking over all that was built at start, and have it look less often.

    A request makes few circles; at the default threshold it looks through young objects several times a request.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
    gc.enable()


def _loops(deployment: Deployment, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """What a server does besides answering: jobs, sealing and verifying trails, deleting what was given up, backups.

    With Redis the jobs are left to workers (`duka worker`), so are deleting, verifying trails and backups.
    """
    runner, sealer = Runner(deployment, standing_of_business), Sealer(deployment, standing_of_business)
    verifier = Verifier(deployment, standing_of_business)
    if url := deployment.settings.redis_url:
        return [_queue(url, runner).hand_over(stop), sealer.loop(stop)]
    kept = (purging.loop(deployment, stop), _backups(deployment, stop))
    return [runner.loop(stop), sealer.loop(stop), verifier.loop(stop), *kept]


async def _backups(deployment: Deployment, stop: asyncio.Event) -> None:
    """Make backups in time; where none is made by itself there is nothing to do until the end."""
    await backing_up_in_time.loop(deployment, stop)
    await stop.wait()


async def _strikes(deployment: Deployment, stop: asyncio.Event) -> None:
    """Write down the strikes of jobs, and those that no request could."""
    while not stop.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), STRIKES_S)
        await write_strikes(deployment)


def _queue(url: str, runner: Runner) -> JobQueue:
    from kernel.jobs.queue import JobQueue  # noqa: PLC0415 - Redis's client takes a third of a second to import

    return JobQueue(url, runner)


async def work_off(
    deployment: Deployment,
    stop: asyncio.Event,
    concurrency: int,
    watched: Watched | None = None,
    *more: Coroutine[Any, Any, None],
) -> bool:
    """What a worker does until told to stop: jobs, so many at a time, and what else a server leaves to it.

    Whether it ended because it was told to. A loop that ends by itself ends the worker, so that whoever watches over it
    starts another. more: loops to run beside.
    """
    runner, sealer = Runner(deployment, standing_of_business), Sealer(deployment, standing_of_business)
    url = deployment.settings.redis_url
    jobs = _queue(url, runner).work(stop, concurrency) if url else runner.loop(stop)
    told = asyncio.create_task(stop.wait())
    verifying = Verifier(deployment, standing_of_business).loop(stop)
    beating = Beating(deployment, "worker").loop(stop)
    purged, strikes = purging.loop(deployment, stop), _strikes(deployment, stop)
    backups = _backups(deployment, stop)
    loops = (jobs, sealer.loop(stop), verifying, purged, strikes, beating, backups, *more)
    tasks = [asyncio.create_task(one) for one in loops]
    if watched is not None:
        watched.health.begin()
    await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    was_told = stop.is_set()
    if not was_told:
        log.error("a loop of the worker ended by itself")
        stop.set()
    if watched is not None:
        watched.health.stop()
    deployment.jobs_due.set()
    await _ended([told, *tasks])  # type: ignore[list-item]
    await deployment.database.dispose()
    return was_told


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for loops that were told to stop; what still runs after a while is broken off, and so rolled back."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=LAST_JOB_S)
    for task in late:
        task.cancel()
    for said in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(said, Exception):
            log.error("a loop ended with an error", exc_info=said)
