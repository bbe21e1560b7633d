"""duka plugin uninstall, install, restore, archive: a plugin's data out of the deployment, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.plans import Plan
from kernel.app.portable import Manifest
from kernel.app.uninstalling import Archived, Installed, Restored, Uninstalled, archive, restore
from kernel.cli.main import run
from kernel.cli.plans_in_words import carried_in_words, in_words
from kernel.cli.plugins import STOPPED, carried_out, planned, plugin
from kernel.cli.saying import Progress, json_option, say
from kernel.errors import Conflict
from kernel.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)
_OLD_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@plugin.command("uninstall")
@click.argument("name")
@click.option("--archive", "file", type=_FILE, help="The file its data goes into; else a new one below home.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def uninstall_plugin(name: str, file: Path | None, yes: bool, as_json: bool) -> None:
    """Archive all data of NAME into a file, compare them, and drop its tables.

    Refused while it is on for a business, or another plugin stands on it. It shows the plan and asks for the plugin's
    name. Tables that the law wants kept stay, read-only.
    """
    settings, hash_ = settings_of(), None
    if not yes:
        hash_ = _ask(run(planned(settings, name, "uninstall")))
    done = run(carried_out(settings, name, "uninstall", hash_, into=file))
    if done.uninstalled is None:
        say(as_json, {"plugin": name, "was_gone": True}, [f"{name} is uninstalled already"])
        return
    gone = {"dropped": done.uninstalled.purged.dropped, "kept": done.uninstalled.purged.kept}
    say(as_json, {"plugin": name, **_facts(done.uninstalled.archive), **gone}, _uninstalled(done.uninstalled))


@plugin.command("install")
@click.argument("name")
@json_option
def install_plugin(name: str, as_json: bool) -> None:
    """Install NAME: its migrations run. One that was uninstalled comes back with empty tables; see restore."""
    done = run(carried_out(settings_of(), name, "install", None))
    made = done.installed or Installed(name, done.plan.version, [], [], was_there=True)
    say(as_json, made, _installed(made, done.plan.restart))


@plugin.command("upgrade")
@click.argument("name")
@STOPPED
@json_option
def upgrade_installed(name: str, servers_stopped: bool, as_json: bool) -> None:
    """Run the migrations of NAME's new version, and of no other plugin.

    The next start would do it for all; see `duka plugin plan NAME upgrade` for the SQL, `duka plugin rehearse` for what
    comes of it.
    """
    done = run(carried_out(settings_of(), name, "upgrade", None, servers_stopped=servers_stopped))
    made = done.installed or Installed(name, done.plan.version, [], [], was_there=True)
    say(as_json, made, list(carried_in_words(done)))


@plugin.command("archive")
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Replace FILE if it is there.")
@json_option
def archive_plugin(name: str, file: Path, replace: bool, as_json: bool) -> None:
    """Write all data of NAME, of every business, into FILE while the shops go on selling."""
    done = run(_archive(settings_of(), name, file, replace))
    say(as_json, {"plugin": name, **_facts(done)}, _archived(done))


@plugin.command("restore")
@click.argument("file", type=_OLD_FILE)
@json_option
def restore_plugin(file: Path, as_json: bool) -> None:
    """Install the plugin of the archive FILE again, with all its data. Refused where its tables hold rows.

    All checksums are verified before anything is written; exit code 1 if its tables are not made as they were.
    """
    done = run(_restore(settings_of(), file))
    name = done.manifest.plugin.name if done.manifest.plugin else ""
    facts = {"plugin": name, "rows": done.manifest.rows, "tables": _rows(done.manifest)}
    more = {"migrated": done.migrated, "left_out": done.left_out, "differing": done.differing}
    say(as_json, {**facts, **more}, _restored(name, done))
    if done.differing:
        sys.exit(1)


def _ask(plan: Plan) -> str:
    """The hash of a plan that somebody has read and means."""
    if plan.is_done or plan.hindrances:
        return plan.hash
    if not sys.stdin.isatty():
        raise click.UsageError("on a terminal it asks for the plugin's name; elsewhere say --yes")
    for line in in_words(plan):
        click.echo(line, err=True)
    typed = click.prompt("All of its data goes into an archive and out of the database. Type its name", err=True)
    if typed.strip() != plan.plugin:
        raise Conflict(f"{typed.strip()!r} is not {plan.plugin!r}; nothing was done")
    return plan.hash


async def _archive(settings: Settings, name: str, file: Path, replace: bool) -> Archived:
    async with opened(settings) as deployment:
        with Progress() as progress:
            return await archive(deployment, name, file, replace=replace, progress=progress)


async def _restore(settings: Settings, file: Path) -> Restored:
    async with opened(settings) as deployment:
        with Progress() as progress:
            return await restore(deployment, file, progress=progress)


def _facts(done: Archived) -> dict[str, Any]:
    facts = {"file": done.path, "bytes": done.bytes, "sha256": done.sha256, "rows": done.manifest.rows}
    return {**facts, "tables": _rows(done.manifest)}


def _rows(manifest: Manifest) -> dict[str, int]:
    return {name: said.rows for name, said in manifest.tables.items()}


def _archived(done: Archived) -> list[str]:
    tables = len(done.manifest.tables)
    return [f"{done.path}: {done.manifest.rows:,} rows, {tables} tables, {done.bytes:,} bytes", f"sha256 {done.sha256}"]


def _uninstalled(done: Uninstalled) -> list[str]:
    name = done.purged.plugin
    lines = _archived(done.archive)
    lines += [f"dropped {table}: {rows:,} rows" for table, rows in done.purged.dropped.items()]
    lines += [f"kept {table}, read-only: {rows:,} rows" for table, rows in done.purged.kept.items()]
    return [*lines, f"{name} is uninstalled; back with its data: duka plugin restore {done.archive.path}"]


def _installed(done: Installed, restart: str | None) -> list[str]:
    if done.was_there:
        return [f"{done.plugin} {done.version} is installed already"]
    lines = [f"migrated {revision}" for revision in done.migrated]
    lines += [f"{table} has the rows that were kept" for table in done.taken_back]
    lines += [restart] if restart else []
    return [*lines, f"{done.plugin} {done.version} is installed; on for a business: duka plugin enable {done.plugin}"]


def _restored(name: str, done: Restored) -> list[str]:
    manifest = done.manifest
    lines = [f"{name}: {manifest.rows:,} rows, as they stood at {manifest.made_at:%F %T} UTC"]
    lines += [f"migrated {revision}" for revision in done.migrated]
    lines += [f"{rows:,} rows of {slug} stayed out: it was deleted since" for slug, rows in done.left_out.items()]
    lines += [f"✗ {table}: {line}" for table, odd in done.differing.items() for line in odd]
    if not done.differing:
        lines.append("✓ every row is as it was archived, and the tables are made as they were")
    return [
        *lines,
        f"{name} is on for nobody yet: duka plugin enable {name}",
        "Who was erased since then is in it again: run duka personal erase-again",
    ]
