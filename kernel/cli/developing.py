"""duka dev: a demo shop with a plugin under development, served anew whenever its files change."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import click

from kernel.app.application import settings_of
from kernel.app.demo import PASSWORD, demo_data
from kernel.app.emptying import drop_everything
from kernel.app.listening import config_of
from kernel.cli.main import duka, run
from kernel.errors import Conflict
from kernel.kit.developing import Bench, Project, Reloading, Teller, read_project, serve
from kernel.kit.environment import install, make_environment
from kernel.kit.faults import KitFault
from kernel.registry import GROUP
from kernel.settings import Settings


@duka.command("dev")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--all", "everyone", is_flag=True, help="Trace the answers of every plugin.")
@click.option("--fresh", is_flag=True, help="Make the demo shop anew first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def dev(path: Path, host: str | None, port: int | None, everyone: bool, fresh: bool, as_json: bool) -> None:
    """Serve a demo shop with the plugin in PATH, and serve it anew whenever one of its files changes.

    Its migrations are run, it is on in every demo business, and each of its answers to hooks is printed: what was
    asked, what it said, how long it took, what it changed. What cannot be loaded is shown, and waited with for the
    next change. The shop lives in PATH/var.
    """
    try:
        project = read_project(path)
    except KitFault as fault:
        raise click.UsageError(str(fault)) from fault
    _go_where_it_is_installed(project)
    os.chdir(project.folder)
    os.environ.setdefault("DUKA_LOG_LEVEL", "warning")
    settings = settings_of(host=host, port=port)
    if settings.production:
        raise Conflict("This deployment is in production: plugins are developed elsewhere")
    if fresh:
        _begin_anew(settings)
    teller = Teller(as_json=as_json)
    if not as_json:
        _introduce(project, settings)
    config = config_of(settings, "kernel.kit.developing.serving:application")
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what it says of reloading is said here
    listener = config.bind_socket()
    listener.listen(config.backlog)  # from now on requests wait, whichever process is there to answer
    bench = Bench(project, as_json=as_json, everyone=everyone, host=settings.host, port=settings.port)

    def reloading(files: list[str]) -> None:
        teller.say(
            "reload", ["", f"↻ {', '.join(files[:3])}{' …' if len(files) > 3 else ''}"], colour="cyan", files=files
        )

    Reloading(config, partial(serve, bench), [listener], project, reloading).run()


def _go_where_it_is_installed(project: Project) -> None:
    """Go on in the project's own environment, made first if need be; where the plugin is installed already, here."""
    if any(point.name == project.plugin for point in entry_points(group=GROUP)):
        return
    if Path(sys.prefix).resolve() == project.python.parents[1].resolve():
        raise Conflict(f"{project.plugin} is not installed in {sys.prefix}; run: duka plugin env {project.folder}")
    if not project.python.exists():
        click.echo(f"making {project.python.parents[1]} …", err=True)
        try:
            install(make_environment(project.python.parents[1]), project.folder, editable=True)
        except KitFault as fault:
            raise Conflict(str(fault)) from fault
    sys.stdout.flush()
    sys.stderr.flush()
    command = [str(project.python.parent / "duka"), *sys.argv[1:]]
    os.execv(command[0], command)  # noqa: S606 - the command of the plugin's own environment


def _begin_anew(settings: Settings) -> None:
    if settings.database_url:
        raise Conflict("--fresh is for the shop in PATH/var; a database that you name is emptied by duka reset")
    run(drop_everything(settings))
    shutil.rmtree(settings.home_path / "mail", ignore_errors=True)


def _introduce(project: Project, settings: Settings) -> None:
    address = f"http://{settings.host}:{settings.port}"
    shop = demo_data()["businesses"][0]
    click.echo(f"{project.plugin} from {project.folder}")
    click.echo(f"  API      {address}/docs")
    click.echo(f"  sign in  {shop['staff'][0]['email']}, {PASSWORD}, business {shop['slug']}")
    click.echo("  Ctrl-C ends it.\n")
