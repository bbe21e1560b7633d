"""duka plugin: what is installed, and what is on for a business."""

from __future__ import annotations

import uuid

import click
import msgspec
import sqlalchemy as sa

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.auth import act, look
from kernel.auth.businesses.switching import disable, enable
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.db import Phase
from kernel.db.tables import Business
from kernel.registry import SetAside
from kernel.settings import Settings
from kernel.work import Deployment, Work


@duka.group()
def plugin() -> None:
    """See which plugins are installed; switch them on and off for a business."""


@plugin.command("list")
@click.option("--business", help="Slug of a business: also show what is on for it.")
@json_option
def list_plugins(business: str | None, as_json: bool) -> None:
    """List the plugins in plan order."""
    plugins, aside = run(_list(settings_of(), business))
    marks = {True: "on ", False: "off", None: "   "}
    lines = [f"{marks[one.is_on]} {one.name:16} {one.version:8} {one.summary}" for one in plugins]
    lines += [f"  ✗ {one.name:16} {one.reason}" for one in aside]
    say(as_json, {"plugins": plugins, "set_aside": aside}, lines)


@plugin.command("enable")
@click.argument("name")
@click.option("--business", required=True, help="Slug of the business.")
@json_option
def enable_plugin(name: str, business: str, as_json: bool) -> None:
    """Switch NAME on for a business."""
    run(_switch(settings_of(), name, business, on=True))
    say(as_json, {"plugin": name, "business": business, "is_on": True}, [f"{name} is on for {business}"])


@plugin.command("disable")
@click.argument("name")
@click.option("--business", required=True, help="Slug of the business.")
@json_option
def disable_plugin(name: str, business: str, as_json: bool) -> None:
    """Switch NAME off for a business; its data stays."""
    run(_switch(settings_of(), name, business, on=False))
    say(as_json, {"plugin": name, "business": business, "is_on": False}, [f"{name} is off for {business}"])


async def business_named(deployment: Deployment, slug: str) -> uuid.UUID:
    """The id of a business. Raises LookupError."""

    async def find(work: Work) -> uuid.UUID:
        found = (await work.execute(sa.select(Business.id).where(Business.slug == slug))).scalar_one_or_none()
        if found is None:
            raise LookupError(f"there is no business called {slug!r}")
        id_: uuid.UUID = found
        return id_

    return await look(deployment, None, find)


class Installed(msgspec.Struct, frozen=True):
    """A plugin; is_on: for the business that was asked about, if one was."""

    name: str
    version: str
    summary: str
    is_on: bool | None


async def _list(settings: Settings, slug: str | None) -> tuple[list[Installed], list[SetAside]]:
    async with opened(settings, patient=False) as deployment:

        async def enabled(work: Work) -> frozenset[str]:
            return work.standing.enabled

        on = await look(deployment, await business_named(deployment, slug), enabled) if slug else None
    plugins = [
        Installed(one.name, one.manifest.version, one.manifest.summary, None if on is None else one.name in on)
        for one in deployment.registry.in_order()
    ]
    return plugins, list(deployment.registry.set_aside.values())


async def _switch(settings: Settings, name: str, slug: str, *, on: bool) -> None:
    async with opened(settings, patient=False) as deployment:

        async def switch(work: Work) -> None:
            await (enable if on else disable)(work, name)

        business = await business_named(deployment, slug)
        await act(deployment, business, switch, deed=f"plugin {'enable' if on else 'disable'}", phase=Phase.SWITCH)
