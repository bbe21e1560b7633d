"""duka reset: empty a database that is only for trying out."""

from __future__ import annotations

import sys

import click

from kernel.app.application import settings_of
from kernel.app.emptying import drop_everything
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.errors import Conflict
from kernel.settings import database_name


@duka.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def reset(yes: bool, as_json: bool) -> None:
    """Drop every table of Duka's in the database of the settings, for good. Refused in production.

    It asks for the database's name. Files below the home folder stay.
    """
    settings = settings_of()
    name = database_name(settings)
    if settings.production:
        raise Conflict("This deployment is in production: nothing is dropped here")
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("on a terminal it asks for the database's name; elsewhere say --yes")
        typed = click.prompt(f"Everything in {name} will be gone for good. Type its name to go on", err=True)
        if typed.strip() != name:
            raise Conflict(f"{typed.strip()!r} is not {name!r}; nothing was dropped")
    dropped = run(drop_everything(settings))
    say(
        as_json,
        {"database": name, "dropped": dropped},
        [f"{len(dropped)} tables dropped from {name}; duka init makes them anew"],
    )
