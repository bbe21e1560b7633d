"""duka worker: run jobs apart from the servers, on this machine or another."""

from __future__ import annotations

import asyncio
import signal

import click

from kernel.app import open_deployment, work_off
from kernel.app.application import settings_of
from kernel.cli.main import duka, run
from kernel.settings import Settings


@duka.command("worker")
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="Jobs at once, with Redis."
)
def worker(concurrency: int) -> None:
    """Run due jobs until told to stop (SIGTERM or Ctrl-C); what is under way then is finished.

    With DUKA_REDIS_URL any number of workers share the work; without, one worker looks into the database itself.
    """
    run(_work(settings_of(), concurrency))


async def _work(settings: Settings, concurrency: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    deployment = open_deployment(settings)
    where = "shared over Redis" if settings.redis_url else "from the database"
    click.echo(f"Duka works off jobs, {where}; Ctrl-C ends it", err=True)
    await work_off(deployment, stop, concurrency)
