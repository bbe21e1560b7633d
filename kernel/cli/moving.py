"""duka export, import: one business from deployment to deployment."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import click

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.archive import note_export, write_archive
from kernel.app.importing import Imported, import_business
from kernel.app.portable import Manifest, arriving
from kernel.cli.main import duka, run
from kernel.cli.plugins import business_named
from kernel.cli.saying import Progress, json_option, say
from kernel.settings import Settings


@duka.command("export")
@click.argument("business")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace FILE if it is there.")
@json_option
def export(business: str, file: Path, replace: bool, as_json: bool) -> None:
    """Write all of BUSINESS (its slug) into FILE, for import into another deployment. No secrets are in it.

    What is sold meanwhile is not in it: to move a business, suspend it first. It is noted in the audit trail.
    """
    manifest, digest = run(_export(settings_of(), business, file, replace))
    size = file.stat().st_size
    facts = {"file": str(file), "bytes": size, "sha256": digest, "business": manifest.business, "rows": manifest.rows}
    say(as_json, facts, [f"{file}: {manifest.rows:,} rows of {business}, {size:,} bytes", f"sha256 {digest}"])


@duka.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def bring_in(file: Path, as_json: bool) -> None:
    """Bring the business of FILE into this deployment, in one transaction. Refused where its slug or id is taken.

    People are matched by e-mail; who is new here sets a password by a mailed link. Keys, tills and PINs are made anew.
    """
    done = run(_import(settings_of(), file))
    facts = {
        "business": done.manifest.business,
        "rows": done.manifest.rows,
        "accounts_matched": done.matched,
        "accounts_made": done.made,
        "left_behind": done.left_behind,
        "broken": done.broken,
        "chain": done.chain,
    }
    say(as_json, facts, _words(done))
    if not done.is_sound:
        sys.exit(1)


async def _export(settings: Settings, slug: str, file: Path, replace: bool) -> tuple[Manifest, str]:
    async with opened(settings) as deployment:
        business = await business_named(deployment, slug)
        with Progress() as progress, arriving(file, replace=replace) as arrived:
            manifest = await write_archive(deployment, business, arrived, lambda rows: progress("exporting", rows))
            arrived.seek(0)
            digest = hashlib.file_digest(arrived, "sha256").hexdigest()
            await note_export(deployment, business, manifest, digest)
        return manifest, digest


async def _import(settings: Settings, file: Path) -> Imported:
    async with opened(settings) as deployment:
        with Progress() as progress:
            return await import_business(deployment, file, progress=progress)


def _words(done: Imported) -> list[str]:
    slug = done.chain.business
    lines = [f"{slug}: {done.manifest.rows:,} rows, as they stood at {done.manifest.made_at:%F %T} UTC"]
    lines += [f"account {email} was here" for email in done.matched]
    lines += [f"account {email} is new: a password is set by “forgotten password”" for email in done.made]
    lines += [f"{rows} rows of {table} stayed behind, to be made anew" for table, rows in done.left_behind.items()]
    lines += [f"✗ {one}" for one in done.broken]
    if done.chain.first:
        lines.append(f"✗ audit trail: {done.chain.first.words}")
    if done.is_sound:
        lines.append("✓ checksums, invariants and the audit chain are fine")
    return lines
