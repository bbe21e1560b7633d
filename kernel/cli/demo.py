"""duka seed: believable demo businesses, filled by every plugin."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import click

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.demo import DAYS, PASSWORD, has_businesses, make_businesses, make_demo, sign_ins
from kernel.app.made_up import made_up
from kernel.app.prepare import prepare
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.errors import Conflict
from kernel.settings import Settings
from kernel.work import Deployment

FEW_DAYS = 3


@duka.command()
@click.option("--businesses", type=click.IntRange(1, 10_000), help="Make so many made-up ones, beside what is there.")
@click.option("--days", type=click.IntRange(1, DAYS), default=FEW_DAYS, show_default=True, help="Of trade in each.")
@json_option
def seed(businesses: int | None, days: int, as_json: bool) -> None:
    """Fill an empty database with two demo businesses: a month of sales, staff in every role.

    With --businesses it makes so many others, Kenyan and Indian in turn; interrupted, those that were finished stay.
    """
    settings = settings_of()
    if businesses is None:
        run(_seed(settings))
        if as_json:
            keys = ("business", "role", "name", "email")
            say(True, {"password": PASSWORD, "people": [dict(zip(keys, one, strict=True)) for one in sign_ins()]}, ())
        else:
            tell_sign_ins()
        return
    made = run(_seed_many(settings, businesses, days))
    owners = [{"business": one["slug"], "name": one["name"], "owner": one["staff"][0]["email"]} for one in made]
    lines = [f"{one['name']:36} {one['owner']}" for one in owners]
    say(as_json, {"password": PASSWORD, "businesses": owners}, [*lines, f"Everybody's password: {PASSWORD}"])


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
    async with opened(settings) as deployment:
        await prepare(deployment)
        if await has_businesses(deployment):
            raise Conflict("There are businesses already; demo data is only for an empty database. See --businesses")
        await _make(deployment)


async def _seed_many(settings: Settings, count: int, days: int) -> list[dict[str, Any]]:
    async with opened(settings) as deployment:
        _refuse_in_production(deployment)
        await prepare(deployment)
        wanted = await made_up(deployment, count)
        start = time.monotonic()
        await make_businesses(deployment, _counted(wanted), lambda line: click.echo(line, err=True), days)
        click.echo(f"{count} businesses made in {time.monotonic() - start:.1f} s", err=True)
        return wanted


def _counted(wanted: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for number, one in enumerate(wanted, start=1):
        click.echo(f"{number}/{len(wanted)} ", nl=False, err=True)
        yield one


async def _make(deployment: Deployment) -> None:
    _refuse_in_production(deployment)
    start = time.monotonic()
    await make_demo(deployment, lambda line: click.echo(line, err=True))
    click.echo(f"demo data made in {time.monotonic() - start:.1f} s", err=True)


def _refuse_in_production(deployment: Deployment) -> None:
    if deployment.settings.production:
        raise Conflict("Demo data is refused in production: everyone knows its passwords")
