"""duka plugin: what is installed, and what is on for a business."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any, cast, get_args

import click
import msgspec
import sqlalchemy as sa

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.plans import (
    Action,
    Carried,
    Deploying,
    OnOpen,
    Plan,
    Rehearsal,
    Switching,
    apply_plan,
    carry_out_plan,
    hold_rehearsal,
    make_plan,
    plan_deployment,
    servers_run,
)
from kernel.app.plans.statements import pending_revisions
from kernel.app.plans.values import Revision
from kernel.auth import act, look
from kernel.auth.businesses.switching import installed
from kernel.cli.main import duka, run
from kernel.cli.plans_in_words import carried_in_words, in_words, rehearsal_in_words, revisions_in_words
from kernel.cli.saying import Progress, json_option, say
from kernel.db import Phase
from kernel.db.tables import Business
from kernel.plugin import Plugin
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


_BUSINESS = click.option("--business", required=True, help="Slug of the business.")
_ITS_BUSINESS = click.option("--business", help="Slug of the business; to enable and disable.")
_ARCHIVE = click.option("--archive", help="To install: the archive below home to install from.")
STOPPED = click.option(
    "--servers-stopped", is_flag=True, help="No server runs, so that migrations may take away what one would use."
)
_ACTION = click.argument("action", type=click.Choice(get_args(Action)))
_ON_OPEN = click.option(
    "--on-open", type=click.Choice(get_args(OnOpen)), default="refuse", show_default=True, help="What of open matters."
)
_ALONG = click.option(
    "--along", is_flag=True, help="To enable: with all that it stands on; to disable: with all that stands on it."
)
_ALSO = click.option("--also", multiple=True, help="Another plugin to enable or disable in the same plan.")
_REASON = click.option("--reason", default="", help="Why open matters are left behind.")


@plugin.command("show")
@click.argument("name")
@json_option
def show_plugin(name: str, as_json: bool) -> None:
    """Show what NAME declares: versions, permissions, limits, hosts, order."""
    manifest = run(_manifest(settings_of(), name))
    said = msgspec.to_builtins(manifest)
    say(as_json, said, [f"{key:12} {value}" for key, value in said.items() if value not in ("", [], {})])


@plugin.command("plan")
@click.argument("name")
@_ACTION
@_ITS_BUSINESS
@_ALONG
@_ALSO
@_ARCHIVE
@STOPPED
@json_option
def plan_plugin(
    name: str,
    action: Action,
    business: str | None,
    along: bool,
    also: tuple[str, ...],
    archive: str | None,
    servers_stopped: bool,
    as_json: bool,
) -> None:
    """Show what an action would do with NAME; changes nothing.

    enable and disable are of a business; install, upgrade and uninstall of the whole deployment. Exit code 1 if
    something hinders it.
    """
    if action in ("enable", "disable"):
        plan = run(_plan(settings_of(), name, action, _needed(business), also=also, along=along))
    else:
        plan = run(planned(settings_of(), name, cast("Deploying", action), archive, servers_stopped))
    say(as_json, plan, list(in_words(plan)))
    if plan.hindrances:
        sys.exit(1)


@plugin.command("apply")
@click.argument("name")
@_ACTION
@click.option("--hash", "hash_", required=True, help="The hash of the plan that was seen.")
@_ITS_BUSINESS
@_ALONG
@_ALSO
@_ON_OPEN
@_REASON
@_ARCHIVE
@STOPPED
@json_option
def apply_plugin(
    name: str,
    action: Action,
    hash_: str,
    business: str | None,
    along: bool,
    also: tuple[str, ...],
    on_open: OnOpen,
    reason: str,
    archive: str | None,
    servers_stopped: bool,
    as_json: bool,
) -> None:
    """Carry out a plan for NAME, if it is still the one that was seen."""
    if action in ("enable", "disable"):
        which: dict[str, Any] = {"also": also, "along": along}
        plan = run(_apply(settings_of(), name, action, _needed(business), hash_, on_open, reason, **which))
        said = {"plugin": name, "business": business, "action": action, "turn": plan.turn}
        say(as_json, said, [f"{action}d {', '.join(plan.turn)} for {business}"])
        return
    done = run(
        carried_out(settings_of(), name, cast("Deploying", action), hash_, archive, servers_stopped=servers_stopped)
    )
    say(as_json, done, list(carried_in_words(done)))


def _needed(business: str | None) -> str:
    if business is None:
        raise click.UsageError("say for which business: --business SLUG")
    return business


@plugin.command("enable")
@click.argument("name")
@_BUSINESS
@json_option
def enable_plugin(name: str, business: str, as_json: bool) -> None:
    """Switch NAME on for a business, without looking at the plan first."""
    run(_apply(settings_of(), name, "enable", business))
    say(as_json, {"plugin": name, "business": business, "is_on": True}, [f"{name} is on for {business}"])


@plugin.command("disable")
@click.argument("name")
@_BUSINESS
@_ON_OPEN
@_REASON
@json_option
def disable_plugin(name: str, business: str, on_open: OnOpen, reason: str, as_json: bool) -> None:
    """Switch NAME off for a business, without looking at the plan first; its data stays."""
    plan = run(_apply(settings_of(), name, "disable", business, None, on_open, reason))
    waits = bool(plan.obligations) and on_open == "wait"
    words = f"{name} goes off for {business} once nothing is open" if waits else f"{name} is off for {business}"
    say(as_json, {"plugin": name, "business": business, "is_on": waits}, [words])


@plugin.command("pending")
@click.argument("name", required=False)
@json_option
def pending_migrations(name: str | None, as_json: bool) -> None:
    """Show the SQL that the next start would run, of NAME or of all, and what it does to tables in use."""
    revisions = run(_pending(settings_of(), name))
    say(as_json, {"revisions": revisions}, list(revisions_in_words(revisions)))


@plugin.command("rehearse")
@click.option(
    "--documents", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Priced again, each."
)
@json_option
def rehearse_upgrade(documents: int, as_json: bool) -> None:
    """Run the pending migrations on a copy of the database, and price the newest sales again there.

    The copy is an embedded database in a temporary folder; the shops go on selling. Exit code 1 if an invariant breaks
    or a sale comes out otherwise.
    """
    done = run(_rehearse(settings_of(), documents))
    say(as_json, done, list(rehearsal_in_words(done)))
    if not done.is_clean:
        sys.exit(1)


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
    async with opened(settings, patient=False, settle=True) as deployment:

        async def enabled(work: Work) -> frozenset[str]:
            return work.standing.enabled

        on = await look(deployment, await business_named(deployment, slug), enabled) if slug else None
    plugins = [
        Installed(one.name, one.manifest.version, one.manifest.summary, None if on is None else one.name in on)
        for one in deployment.registry.in_order()
    ]
    return plugins, list(deployment.registry.set_aside.values())


async def _manifest(settings: Settings, name: str) -> Plugin:
    async with opened(settings, patient=False, settle=True) as deployment:
        return installed(deployment.registry, name).plugins[name].manifest


async def _pending(settings: Settings, name: str | None) -> list[Revision]:
    async with opened(settings) as deployment:
        return await pending_revisions(deployment, name)


async def _rehearse(settings: Settings, documents: int) -> Rehearsal:
    async with opened(settings) as deployment:
        with Progress() as progress:
            return await hold_rehearsal(deployment, documents, progress=progress)


async def planned(
    settings: Settings, name: str, action: Deploying, archive: str | None = None, servers_stopped: bool = False
) -> Plan:
    """The plan of an action on the whole deployment."""
    async with opened(settings) as deployment:
        serving = await _serving(deployment, servers_stopped)
        return await plan_deployment(deployment, name, action, archive=archive, serving=serving)


async def carried_out(
    settings: Settings,
    name: str,
    action: Deploying,
    hash_: str | None,
    archive: str | None = None,
    *,
    into: Path | None = None,
    servers_stopped: bool = False,
) -> Carried:
    """Do something to the whole deployment, as its plan says. hash_: of the plan that was seen, None for any."""
    async with opened(settings) as deployment:
        serving = await _serving(deployment, servers_stopped)
        with Progress() as progress:
            return await carry_out_plan(
                *(deployment, name, action),
                hash_=hash_,
                archive=archive,
                into=into,
                serving=serving,
                progress=progress,
            )


async def _serving(deployment: Deployment, servers_stopped: bool) -> bool:
    """Whether servers run, as the database says; where it cannot tell, as we are told."""
    seen = await servers_run(deployment)
    return not servers_stopped if seen is None else seen


async def _plan(settings: Settings, name: str, action: Switching, slug: str, **which: Any) -> Plan:
    async with opened(settings, settle=True) as deployment:
        business = await business_named(deployment, slug)
        return await look(deployment, business, lambda work: make_plan(work, name, action, **which))


async def _apply(
    settings: Settings,
    name: str,
    action: Switching,
    slug: str,
    hash_: str | None = None,
    on_open: OnOpen = "refuse",
    reason: str = "",
    **which: Any,
) -> Plan:
    async with opened(settings, patient=False, settle=True) as deployment:

        async def switch(work: Work) -> Plan:
            return await apply_plan(work, name, action, hash_=hash_, on_open=on_open, reason=reason, **which)

        business = await business_named(deployment, slug)
        return await act(deployment, business, switch, deed=f"plugin {action}", phase=Phase.SWITCH)
