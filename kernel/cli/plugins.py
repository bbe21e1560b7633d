"""duka plugin: what is installed, and what is on for a business."""

from __future__ import annotations

import uuid

import click
import sqlalchemy as sa

from kernel.app import open_deployment
from kernel.auth import act, look
from kernel.auth.businesses.switching import disable, enable
from kernel.cli.main import duka, run, settings_of
from kernel.db import Phase
from kernel.db.tables import Business
from kernel.settings import Settings
from kernel.work import Deployment, Work


@duka.group()
def plugin() -> None:
    """See which plugins are installed; switch them on and off for a business."""


@plugin.command("list")
@click.option("--business", help="Slug of a business: also show what is on for it.")
def list_plugins(business: str | None) -> None:
    """List the plugins in plan order."""
    run(_list(settings_of(), business))


@plugin.command("enable")
@click.argument("name")
@click.option("--business", required=True, help="Slug of the business.")
def enable_plugin(name: str, business: str) -> None:
    """Switch NAME on for a business."""
    run(_switch(settings_of(), name, business, on=True))
    click.echo(f"{name} is on for {business}")


@plugin.command("disable")
@click.argument("name")
@click.option("--business", required=True, help="Slug of the business.")
def disable_plugin(name: str, business: str) -> None:
    """Switch NAME off for a business; its data stays."""
    run(_switch(settings_of(), name, business, on=False))
    click.echo(f"{name} is off for {business}")


async def business_named(deployment: Deployment, slug: str) -> uuid.UUID:
    """The id of a business. Raises LookupError."""

    async def find(work: Work) -> uuid.UUID:
        found = (await work.execute(sa.select(Business.id).where(Business.slug == slug))).scalar_one_or_none()
        if found is None:
            raise LookupError(f"there is no business called {slug!r}")
        id_: uuid.UUID = found
        return id_

    return await look(deployment, None, find)


async def _list(settings: Settings, slug: str | None) -> None:
    deployment = open_deployment(settings)
    on: frozenset[str] = frozenset()
    if slug:

        async def enabled(work: Work) -> frozenset[str]:
            return work.standing.enabled

        on = await look(deployment, await business_named(deployment, slug), enabled)
    for one in deployment.registry.in_order():
        mark = ("on " if one.name in on else "off") if slug else "   "
        click.echo(f"{mark} {one.name:16} {one.manifest.version:8} {one.manifest.summary}")
    for aside in deployment.registry.set_aside.values():
        click.echo(f"  ✗ {aside.name:16} {aside.reason}")
    await deployment.database.dispose()


async def _switch(settings: Settings, name: str, slug: str, *, on: bool) -> None:
    deployment = open_deployment(settings)
    business = await business_named(deployment, slug)

    async def switch(work: Work) -> None:
        await (enable if on else disable)(work, name)

    await act(deployment, business, switch, deed=f"plugin {'enable' if on else 'disable'}", phase=Phase.SWITCH)
    await deployment.database.dispose()
