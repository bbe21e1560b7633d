"""duka seed: believable demo businesses, filled by every plugin."""

from __future__ import annotations

import time

import click

from kernel.app import open_deployment
from kernel.app.demo import PASSWORD, has_businesses, make_demo, sign_ins
from kernel.app.prepare import prepare
from kernel.cli.main import duka, run, settings_of
from kernel.errors import Conflict
from kernel.settings import Settings
from kernel.work import Deployment


@duka.command()
def seed() -> None:
    """Fill an empty database with two demo businesses: a month of sales, staff in every role."""
    run(_seed(settings_of()))


async def seed_demo_if_empty(deployment: Deployment) -> None:
    """Make the demo businesses on a database that has none, and say who may sign in."""
    if not await has_businesses(deployment):
        await _make(deployment)
    tell_sign_ins()


def tell_sign_ins() -> None:
    """Print the demo's people and their password."""
    click.echo(f"\nDemo sign-ins (password {PASSWORD}):", err=True)
    for business, role, name, email in sign_ins():
        click.echo(f"  {business or 'the deployment':22} {role:13} {name:20} {email}", err=True)


async def _seed(settings: Settings) -> None:
    deployment = open_deployment(settings, patient=True)
    await prepare(deployment)
    if await has_businesses(deployment):
        raise Conflict("There are businesses already; demo data is only for an empty database")
    await _make(deployment)
    tell_sign_ins()
    await deployment.database.dispose()


async def _make(deployment: Deployment) -> None:
    if deployment.settings.production:
        raise Conflict("Demo data is refused in production: everyone knows its passwords")
    start = time.monotonic()
    await make_demo(deployment, lambda line: click.echo(line, err=True))
    click.echo(f"demo data made in {time.monotonic() - start:.1f} s", err=True)
