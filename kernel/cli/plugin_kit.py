"""duka plugin new, env: for developers of plugins."""

from __future__ import annotations

import time
from pathlib import Path

import click

from kernel.cli.plugins import plugin
from kernel.cli.saying import json_option, say
from kernel.kit.environment import install, make_environment
from kernel.kit.faults import KitFault
from kernel.kit.scaffold import PARTS, named, write_plugin

ENVIRONMENT = ".venv"


@plugin.command("new")
@click.argument("name")
@click.option("--with", "parts", default="hook", show_default=True, metavar="PARTS", help=f"Any of {','.join(PARTS)}.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where; default: here.")
@json_option
def new_plugin(name: str, parts: str, into: Path, as_json: bool) -> None:
    """Write a new plugin NAME into a folder duka-NAME of its own, with an environment to test and run it in.

    What is written passes its tests and changes prices in a demo shop; change it from there.
    """
    begun = time.monotonic()
    try:
        made = named(name, parts.split(","))
        folder = write_plugin(made, into)
        _set_up(folder)
    except KitFault as fault:
        raise click.UsageError(str(fault)) from fault
    facts = {"plugin": made.name, "package": made.package, "folder": str(folder), "parts": sorted(made.parts)}
    words = [
        f"{made.title} is in {folder} ({time.monotonic() - begun:.0f} s)",
        f"  cd {folder}",
        "  make test    its tests, and the rules for every plugin",
        "  make run     a demo shop with it",
    ]
    say(as_json, facts, words)


@plugin.command("env")
@click.argument("project", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
def make_env(project: Path) -> None:
    """Make PROJECT/.venv: this Duka with the plugin that lies in PROJECT, as it stands there while you edit it."""
    try:
        _set_up(project.resolve())
    except KitFault as fault:
        raise click.ClickException(str(fault)) from fault


def _set_up(project: Path) -> None:
    install(make_environment(project / ENVIRONMENT), project, editable=True)
    (project / ENVIRONMENT / "stamp").touch()
