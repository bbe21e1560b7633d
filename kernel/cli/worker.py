"""duka worker: run jobs apart from the servers, on this machine or another."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import click

from kernel.app import open_deployment, work_off
from kernel.app.application import load_tracing, settings_of, trace
from kernel.app.settling import await_migrations, watch_set_aside
from kernel.app.watched import Watched, bound, watching
from kernel.cli.main import duka, run
from kernel.registry import discover
from kernel.settings import Settings
from kernel.work.heeding import begin_with


@duka.command("worker")
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="Jobs at once, with Redis."
)
@click.option("--port", type=int, help="Answer /health and /metrics on this port; 0: on none.")
def worker(concurrency: int, port: int | None) -> None:
    """Run due jobs until told to stop (SIGTERM or Ctrl-C); what is under way then is finished.

    With DUKA_REDIS_URL any number of workers share the work; without, one worker looks into the database itself.
    """
    settings = settings_of(worker_port=port)
    if settings.otel_endpoint:
        load_tracing()  # or say now what is missing
    if not run(_work(settings, concurrency)):
        sys.exit(1)


async def _work(settings: Settings, concurrency: int) -> bool:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        listener = bound(settings, settings.worker_port) if settings.worker_port else None
        whole = discover()
        deployment = open_deployment(settings, registry=whole)
        if settings.otel_endpoint:
            trace(deployment)
        watched = None
        if listener is not None:
            watched = Watched(deployment)
            await stack.enter_async_context(watching(watched, listener))
            click.echo(f"Duka tells how it is at http://{settings.host}:{settings.worker_port}/health/ready", err=True)
        begin_with(deployment, await await_migrations(settings, whole, stop))
        where = "shared over Redis" if settings.redis_url else "from the database"
        click.echo(f"Duka works off jobs, {where}; Ctrl-C ends it", err=True)
        return await work_off(deployment, stop, concurrency, watched, watch_set_aside(deployment, whole, stop))
