"""duka jobs: what waits, what died and of what; the dead tried again, or dropped."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.queued import STATES, Queued, Which, count_jobs, drop_job, list_jobs, retry_job
from kernel.cli.main import duka, run
from kernel.cli.plugins import business_named
from kernel.cli.saying import json_option, say
from kernel.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
ALL = 1_000_000


def _filters(command: F) -> F:
    for option in (
        click.option("--plugin", help="Only of this plugin; kernel for its own."),
        click.option("--business", help="Only of the business of this slug."),
    ):
        command = option(command)
    return command


@duka.group()
def jobs() -> None:
    """Background jobs: list them, see why some died, try the dead again or drop them."""


@jobs.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@_filters
@click.option("--limit", type=click.IntRange(1, ALL), default=50, show_default=True, help="The newest so many.")
@json_option
def list_all(state: str | None, plugin: str | None, business: str | None, limit: int, as_json: bool) -> None:
    """List jobs of every business, the newest first."""
    _tell(Which(state, plugin, business), limit, as_json)


@jobs.command("dead")
@_filters
@click.option("--limit", type=click.IntRange(1, ALL), default=50, show_default=True, help="The newest so many.")
@json_option
def list_dead(plugin: str | None, business: str | None, limit: int, as_json: bool) -> None:
    """List the jobs that were given up, with what they raised last."""
    _tell(Which("dead", plugin, business), limit, as_json)


@jobs.command("retry")
@click.argument("ids", nargs=-1, type=click.UUID)
@click.option(
    "--all", "everything", is_flag=True, help="Every dead job, or every one that --plugin and --business name."
)
@_filters
@json_option
def retry(
    ids: tuple[uuid.UUID, ...], everything: bool, plugin: str | None, business: str | None, as_json: bool
) -> None:
    """Put dead jobs back: due now, with all their tries. Each is in the audit trail of its business."""
    if bool(ids) == everything or (ids and (plugin or business)):
        raise click.UsageError("name jobs by their ids, or say --all, with --plugin and --business if not every one")
    done = run(_settle(settings_of(), ids, Which("dead", plugin, business), retry_job))
    say(as_json, {"retried": done}, [f"{len(done)} put back"])


@jobs.command("drop")
@click.argument("ids", nargs=-1, type=click.UUID, required=True)
@json_option
def drop(ids: tuple[uuid.UUID, ...], as_json: bool) -> None:
    """Drop dead jobs for good, each by its id. Each is in the audit trail of its business."""
    done = run(_settle(settings_of(), ids, Which("dead"), drop_job))
    say(as_json, {"dropped": done}, [f"{len(done)} dropped"])


def _tell(which: Which, limit: int, as_json: bool) -> None:
    found, total = run(_list(settings_of(), which, limit))
    lines = [_line(one) for one in found]
    if total > len(found):
        lines.append(f"… and {total - len(found):,} more; see --limit")
    say(as_json, {"jobs": found, "total": total}, lines or ["none"])


def _line(one: Queued) -> str:
    more = f"\n    {one.error}" if one.error else ""
    tries = f"{one.attempts}/{one.max_attempts}"
    return f"{one.id}  {one.state:8} {tries:5} {one.run_at:%F %T}  {one.business or '-':20} {one.name}{more}"


async def _list(settings: Settings, which: Which, limit: int) -> tuple[list[Queued], int]:
    async with opened(settings) as deployment:
        if which.business:
            await business_named(deployment, which.business)
        return await list_jobs(deployment, which, limit), await count_jobs(deployment, which)


async def _settle(
    settings: Settings, ids: tuple[uuid.UUID, ...], which: Which, settle: Callable[..., Awaitable[None]]
) -> list[uuid.UUID]:
    async with opened(settings) as deployment:
        if which.business:
            await business_named(deployment, which.business)
        chosen = ids or tuple(one.id for one in await list_jobs(deployment, which, ALL))
        for one in chosen:
            await settle(deployment, one)
        return list(chosen)
