"""duka run: serve the deployment."""

from __future__ import annotations

import os
import sys

import click
import sqlalchemy as sa
import uvicorn

from kernel.app import open_deployment
from kernel.app.application import load_tracing, settings_of
from kernel.app.listening import config_of, serve_one
from kernel.app.prepare import prepare
from kernel.app.workers import Workers
from kernel.auth import look
from kernel.auth.models import User
from kernel.cli.demo import seed_demo_if_empty
from kernel.cli.main import duka, run
from kernel.metrics import shared_between_processes
from kernel.settings import Settings
from kernel.work import Work


@duka.command("run")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--workers", type=int, help="Server processes.")
@click.option("--demo", is_flag=True, help="On an empty database, first make the demo businesses.")
def serve(host: str | None, port: int | None, workers: int | None, demo: bool) -> None:
    """Bring the database up to date and serve."""
    settings = settings_of(host=host, port=port, workers=workers)
    if settings.otel_endpoint:
        load_tracing()  # or say now what is missing
    sites, is_known = run(_prepared(settings, demo=demo))
    for name, value in (("HOST", host), ("PORT", port), ("WORKERS", workers)):
        if value is not None:
            os.environ[f"DUKA_{name}"] = str(value)
    address = f"http://{settings.host}:{settings.port}"
    fronts = "".join(f"  {title:<18} {address}/{name}\n" for name, title in sites)
    click.echo(f"\nDuka listens on {address}\n{fronts}  API documentation  {address}/docs\n", err=True)
    if not is_known:
        click.echo("Nobody has an account yet. Make the first: duka init --admin-email you@example.org\n", err=True)
    sys.stderr.flush()
    config = config_of(settings, "kernel.app.application:application")
    try:
        _listen(config, settings)
    except SystemExit as end:  # uvicorn has said why, and has codes of its own
        sys.exit(1 if end.code else 0)


def _listen(config: uvicorn.Config, settings: Settings) -> None:
    listener = config.bind_socket()
    if settings.workers == 1:
        serve_one(config, listener, settings.drain_seconds)
        return
    with shared_between_processes():
        sys.exit(Workers(config, listener, settings.workers, settings.drain_seconds).run())


async def _prepared(settings: Settings, *, demo: bool) -> tuple[list[tuple[str, str]], bool]:
    """Prepare the database; the plugins that serve browsers, by name and title, and whether anybody has an account."""
    deployment = open_deployment(settings, patient=True)
    for line in await prepare(deployment):
        click.echo(line, err=True)
    for aside in deployment.registry.set_aside.values():
        click.echo(f"plugin {aside.name} was set aside: {aside.reason}", err=True)
    if demo:
        await seed_demo_if_empty(deployment)
    is_known = await look(deployment, None, _has_accounts)
    await deployment.database.dispose()
    return [(one.name, one.manifest.title) for one in deployment.registry.in_order() if one.site], is_known


async def _has_accounts(work: Work) -> bool:
    return (await work.execute(sa.select(User.id).limit(1))).first() is not None
