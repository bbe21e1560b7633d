"""duka plugin new, env, check, publish: for developers of plugins."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from kernel.cli.plugins import plugin
from kernel.cli.saying import json_option, say
from kernel.errors import Conflict
from kernel.kit.checking import check
from kernel.kit.environment import install, make_environment
from kernel.kit.faults import KitFault
from kernel.kit.publishing import can_upload, prepare, upload
from kernel.kit.scaffold import GATEWAY, PARTS, named, write_plugin

T = TypeVar("T")
ENVIRONMENT = ".venv"


@plugin.command("new")
@click.argument("name")
@click.option(
    "--with",
    "parts",
    default="hook",
    show_default=True,
    metavar="PARTS",
    help=f"Any of {','.join(PARTS)}; or {GATEWAY}.",
)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where; default: here.")
@json_option
def new_plugin(name: str, parts: str, into: Path, as_json: bool) -> None:
    """Write a new plugin NAME into a folder duka-NAME of its own, with an environment to test and run it in.

    What is written passes its tests and changes prices in a demo shop, or takes payments from a simulated provider;
    change it from there.
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
        "  make dev     a demo shop with it that follows your changes",
    ]
    say(as_json, facts, words)


@plugin.command("env")
@click.argument("project", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@json_option
def make_env(project: Path, as_json: bool) -> None:
    """Make PROJECT/.venv: this Duka with the plugin that lies in PROJECT, as it stands there while you edit it."""
    made = project.resolve() / ENVIRONMENT
    _or_complain(lambda: _set_up(project.resolve()))
    say(as_json, {"environment": str(made)}, [f"{made} is ready; {ENVIRONMENT}/bin/duka is its command"])


def _set_up(project: Path) -> None:
    install(make_environment(project / ENVIRONMENT), project, editable=True)
    (project / ENVIRONMENT / "stamp").touch()


_PUBLISHED = click.option(
    "--published",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="WHEEL",
    help="A version that is out: its revisions must be as they were. May be given again.",
)


@plugin.command("check")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=Path())
@_PUBLISHED
@click.option("--report", "file", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report here.")
@json_option
def check_plugin(path: Path, published: tuple[Path, ...], file: Path | None, as_json: bool) -> None:
    """Hold the rules for plugins against PATH, a wheel or a project that is built first; exit code 1 below grade B.

    It is tested as it would be installed: in a new environment that has nothing but Duka beside it.
    """
    report = _or_complain(lambda: check(path, published))
    if file is not None:
        file.write_bytes(msgspec.json.encode(report))
    say(as_json, report, report.lines())
    if not report.is_fit:
        sys.exit(1)


@plugin.command("publish")
@click.argument("project", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@_PUBLISHED
@click.option("--yes", is_flag=True, help="Do not ask before uploading.")
@json_option
def publish_plugin(project: Path, published: tuple[Path, ...], yes: bool, as_json: bool) -> None:
    """Build the wheel of PROJECT, check it, lay the report beside it, and upload it with twine.

    Below grade B nothing is uploaded. Without twine the command to upload with is printed.
    """
    wheel, beside, report = _or_complain(lambda: prepare(project, published))
    facts = {"wheel": str(wheel), "report_file": str(beside), "report": report}
    say(as_json, facts, [*report.lines(), "", str(wheel), str(beside)])
    if not report.is_fit:
        raise Conflict(f"grade {report.grade}: nothing is published")
    if not can_upload():
        click.echo(f"twine is not installed; upload with:\n  python -m twine upload {wheel}", err=True)
    elif yes or click.confirm("Upload it?", err=True):
        _or_complain(lambda: upload(wheel))


def _or_complain(run: Callable[[], T]) -> T:
    try:
        return run()
    except KitFault as fault:
        raise Conflict(str(fault)) from fault
