"""duka plugin health, reset: what plugins failed in for a business, and forgetting it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.routes.plugin_health import Failed, PluginHealth, health_of
from kernel.auth import act, look
from kernel.auth.businesses import tripping
from kernel.cli.main import run
from kernel.cli.plugins import business_named, plugin
from kernel.cli.saying import json_option, say
from kernel.db import Phase
from kernel.settings import Settings
from kernel.work import Work

MARKS = {"well": "✓", "flagged": "!", "tripped": "✗"}


@plugin.command("health")
@click.option("--business", required=True, help="Slug of the business.")
@json_option
def show_health(business: str, as_json: bool) -> None:
    """Show what plugins failed in, and what they are left out of since. Exit code 1 if one is left out.

    What their answers cost is counted by the servers: see GET /api/v1/plugins/health and /metrics.
    """
    found = run(_health(settings_of(), business))
    say(as_json, {"business": business, "plugins": found}, _lines(found))
    if any(one.trips for one in found):
        sys.exit(1)


@plugin.command("reset")
@click.argument("name")
@click.option("--business", required=True, help="Slug of the business.")
@json_option
def reset_plugin(name: str, business: str, as_json: bool) -> None:
    """Forget what NAME failed in for a business; it is asked again from the next request on."""
    run(_reset(settings_of(), name, business))
    say(as_json, {"plugin": name, "business": business}, [f"{name} is asked again in {business}"])


def _lines(found: Iterable[PluginHealth]) -> Iterable[str]:
    for one in found:
        yield f"{MARKS[one.state]} {one.name:16} {one.state if one.is_on else f'{one.state}, off'}"
        for failed in (*one.trips, *one.flags):
            yield f"    {failed.hook}: {_words(failed)}"


def _words(failed: Failed) -> str:
    times = "once" if failed.strikes == 1 else f"{failed.strikes} times"
    ended = f"; left out since {failed.tripped_at:%Y-%m-%d %H:%M} UTC" if failed.tripped_at else ""
    return f"failed {times}, last {failed.last_strike_at:%Y-%m-%d %H:%M} UTC: {failed.reason}{ended}"


async def _health(settings: Settings, slug: str) -> list[PluginHealth]:
    async with opened(settings, patient=False) as deployment:
        return await look(deployment, await business_named(deployment, slug), health_of)


async def _reset(settings: Settings, name: str, slug: str) -> None:
    async with opened(settings, patient=False) as deployment:
        if name not in deployment.registry.plugins:
            raise LookupError(f"there is no plugin called {name!r}")

        async def reset(work: Work) -> None:
            await tripping.reset(work, name)

        business = await business_named(deployment, slug)
        await act(deployment, business, reset, deed="plugin reset", phase=Phase.SWITCH)
