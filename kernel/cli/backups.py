"""duka backup, restore: all of a deployment's database in one file, and back from it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.backup import write_backup
from kernel.app.portable import Manifest, arriving
from kernel.app.restore import Restored, restore
from kernel.cli.main import duka, run
from kernel.cli.saying import Progress, json_option, say
from kernel.settings import Settings


@duka.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace FILE if it is there.")
@click.option("--leave-out-unknown", is_flag=True, help="Go on without tables that no installed plugin knows.")
@json_option
def back_up(file: Path, replace: bool, leave_out_unknown: bool, as_json: bool) -> None:
    """Write all of the database into FILE while the shops go on selling.

    One portable file for both databases, with a SHA-256 for every table. It holds all that the database holds, password
    hashes included: keep it as safe as that. The secret key is not in it.
    """
    manifest, digest = run(_back_up(settings_of(), file, replace, leave_out_unknown))
    size = file.stat().st_size
    facts = {"file": str(file), "bytes": size, "sha256": digest, **_said(manifest)}
    say(
        as_json,
        facts,
        [f"{file}: {manifest.rows:,} rows, {len(manifest.tables)} tables, {size:,} bytes", f"sha256 {digest}"],
    )


@duka.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def bring_back(file: Path, as_json: bool) -> None:
    """Restore the backup FILE into the database of the settings, which must be empty.

    All checksums are verified before anything is written. Rows are loaded in one transaction: interrupted, the database
    is as empty as before. Then invariants and audit chains are checked; exit code 1 if one does not hold.
    """
    done = run(_restore(settings_of(), file))
    facts = {**_said(done.manifest), "migrated": done.migrated, "broken": done.broken, "chains": done.chains}
    say(as_json, facts, _words(done))
    if not done.is_sound:
        sys.exit(1)


async def _back_up(settings: Settings, file: Path, replace: bool, leave_out: bool) -> tuple[Manifest, str]:
    async with opened(settings) as deployment:
        with Progress() as progress, arriving(file, replace=replace) as arrived:
            manifest = await write_backup(deployment, arrived, progress=progress, leave_out=leave_out)
            arrived.seek(0)
            digest = hashlib.file_digest(arrived, "sha256").hexdigest()
        return manifest, digest


async def _restore(settings: Settings, file: Path) -> Restored:
    async with opened(settings) as deployment:
        with Progress() as progress:
            return await restore(deployment, file, progress=progress)


def _said(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at,
        "duka": manifest.duka,
        "rows": manifest.rows,
        "schema": manifest.schema,
        "tables": {name: msgspec.to_builtins(one.rows) for name, one in manifest.tables.items()},
    }


def _words(done: Restored) -> list[str]:
    manifest = done.manifest
    lines = [f"{manifest.rows:,} rows in {len(manifest.tables)} tables, as they stood at {manifest.made_at:%F %T} UTC"]
    lines += [f"migrated {revision}" for revision in done.migrated]
    lines += [f"✗ {one}" for one in done.broken]
    lines += [
        f"✗ audit trail of {one.business or 'the deployment'}: {one.first.words}" for one in done.chains if one.first
    ]
    if done.is_sound:
        lines.append(f"✓ checksums, invariants and {len(done.chains)} audit chains are fine")
    return [
        *lines,
        "Who was erased since then is in it again: run duka personal erase-again with the tombstones kept apart",
    ]
