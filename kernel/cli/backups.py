"""duka backup, restore: all of a deployment's database in one file, and back from it."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.app.backing_up import NotedBackup, keep_backup, note_backup
from kernel.app.backup import write_backup
from kernel.app.backups_kept import Keep
from kernel.app.home import manifest_of, take_key, where
from kernel.app.portable import Manifest, arriving
from kernel.app.portable.keys import SHORTEST_PASSPHRASE
from kernel.app.restore import Restored, restore
from kernel.audit.anchors import anchor_file
from kernel.cli.main import duka, run
from kernel.cli.saying import Progress, json_option, say
from kernel.settings import Settings, kept_secret

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose first line is the passphrase.",
)


@duka.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--keep", help="Without FILE: which of those below home to keep, such as '7 daily, 4 weekly'.")
@click.option("--replace", is_flag=True, help="Replace FILE if it is there.")
@click.option("--with-secret", is_flag=True, help="Put the secret key in too, encrypted under a passphrase.")
@passphrase_option
@click.option("--leave-out-unknown", is_flag=True, help="Go on without tables that no installed plugin knows.")
@json_option
def back_up(
    file: Path | None,
    keep: str | None,
    replace: bool,
    with_secret: bool,
    passphrase_file: Path | None,
    leave_out_unknown: bool,
    as_json: bool,
) -> None:
    """Write all of the database into FILE while the shops go on selling.

    Without FILE it goes to the folder backups below home, is read back, and then those there are deleted that need not
    be kept: by --keep, else by DUKA_KEEP_BACKUPS.

    One portable file for both databases, with a SHA-256 for every table. It holds all that the database holds, password
    hashes included: keep it as safe as that. The audit anchors of this machine go with it. The secret key does not,
    unless --with-secret; the passphrase is asked for, or read from --passphrase-file.
    """
    if file is None:
        if replace or with_secret or leave_out_unknown:
            raise click.UsageError("--replace, --with-secret and --leave-out-unknown go with FILE")
        _keep_below_home(keep, as_json)
        return
    if keep is not None:
        raise click.UsageError("--keep goes without FILE")
    if passphrase_file and not with_secret:
        raise click.UsageError("--passphrase-file goes with --with-secret")
    passphrase = _passphrase(passphrase_file, new=True) if with_secret else None
    settings = settings_of()
    manifest, digest = run(_back_up(settings, file, replace, leave_out_unknown, passphrase))
    size = file.stat().st_size
    facts = {"file": str(file), "bytes": size, "sha256": digest, **_said(manifest)}
    say(
        as_json,
        facts,
        [
            f"{file}: {manifest.rows:,} rows, {len(manifest.tables)} tables, {size:,} bytes",
            f"sha256 {digest}",
            *_not_in_it(settings, manifest),
        ],
    )


def _keep_below_home(said: str | None, as_json: bool) -> None:
    try:
        keep = None if said is None else Keep.read(said)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from fault
    made = run(_kept(settings_of(), keep))
    words = [f"{made.path}: {made.rows:,} rows, {made.bytes:,} bytes, read back whole", f"sha256 {made.sha256}"]
    say(as_json, msgspec.to_builtins(made), words)


async def _kept(settings: Settings, keep: Keep | None) -> NotedBackup:
    async with opened(settings) as deployment:
        with Progress() as progress:
            return await keep_backup(deployment, keep=keep, progress=progress)


def _not_in_it(settings: Settings, manifest: Manifest) -> list[str]:
    said = manifest.secret
    if said is None:
        return []
    lines = [f"! Keep {len(said.former)} former secret keys apart: {', '.join(said.former)}"] if said.former else []
    if said.wrapped:
        return [f"The secret key {said.fingerprint} is in it, encrypted: nothing opens it but the passphrase", *lines]
    return [
        f"! The secret key {said.fingerprint} is NOT in it. Keep {where(settings)} apart, or back up --with-secret:"
        " without it second factors and PINs cannot be read",
        *lines,
    ]


@duka.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@passphrase_option
@json_option
def bring_back(file: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Restore the backup FILE into the database of the settings, which must be empty.

    All checksums are verified before anything is written. Rows are loaded in one transaction: interrupted, the database
    is as empty as before. Then invariants and audit chains are checked; exit code 1 if one does not hold.

    A secret key that is in the backup is put below home where none is set; its passphrase is asked for, or read from
    --passphrase-file. Where another one is set, it is said what that means.
    """
    settings = settings_of()
    done = _restored(settings, file, passphrase_file)
    facts = {
        **_said(done.manifest),
        "migrated": done.migrated,
        "broken": done.broken,
        "chains": done.chains,
        "anchors": done.anchors,
        "key": done.key,
    }
    say(as_json, facts, _words(done, settings))
    if not done.is_sound:
        sys.exit(1)


def _restored(settings: Settings, file: Path, passphrase_file: Path | None) -> Restored:
    """Restore, with the secret key that is in the backup; a key that was put here for it goes again if it fails."""
    said = manifest_of(file).secret
    is_asked = said is not None and said.wrapped is not None and kept_secret(settings) is None and sys.stdin.isatty()
    kept = None
    if passphrase_file or is_asked:
        kept = take_key(settings, file, _passphrase(passphrase_file, new=False))
    try:
        done = run(_restore(settings, file))
    except BaseException:
        if kept is not None:
            kept.unlink()
        raise
    return msgspec.structs.replace(done, key=msgspec.structs.replace(done.key, state="taken")) if kept else done


def _passphrase(file: Path | None, *, new: bool) -> str:
    """The first line of a file, or what is typed."""
    if file is not None:
        found = file.read_text().partition("\n")[0]
    elif sys.stdin.isatty():
        found = click.prompt("Passphrase of the backup", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise click.UsageError("on a terminal it asks for the passphrase; elsewhere say --passphrase-file")
    if new and len(found) < SHORTEST_PASSPHRASE:
        raise click.UsageError(f"the passphrase needs at least {SHORTEST_PASSPHRASE} characters")
    return found


async def _back_up(
    settings: Settings, file: Path, replace: bool, leave_out: bool, passphrase: str | None
) -> tuple[Manifest, str]:
    async with opened(settings) as deployment:
        with Progress() as progress, arriving(file, replace=replace) as arrived:
            manifest = await write_backup(
                deployment, arrived, progress=progress, leave_out=leave_out, passphrase=passphrase
            )
            arrived.seek(0)
            digest = hashlib.file_digest(arrived, "sha256").hexdigest()
        with contextlib.suppress(OSError):  # a home that cannot be written to keeps nobody from a backup
            note_backup(settings, file, manifest, digest)
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
        "files": {name: one.bytes for name, one in manifest.files.items()},
        "secret": _key_said(manifest),
        "tables": {name: msgspec.to_builtins(one.rows) for name, one in manifest.tables.items()},
    }


def _key_said(manifest: Manifest) -> dict[str, Any] | None:
    said = manifest.secret
    if said is None:
        return None
    return {"fingerprint": said.fingerprint, "former": said.former, "is_in_it": said.wrapped is not None}


def _key_words(done: Restored, settings: Settings) -> list[str]:
    """What has to be brought along, to the letter."""
    key, tables = done.key, done.manifest.tables
    factors = tables["kernel_second_factor"].rows if "kernel_second_factor" in tables else 0
    lines = [f"! The former secret key {one} is not set: add it to DUKA_FORMER_SECRET_KEYS" for one in key.lost_former]
    if key.state == "missing":
        lines += [
            f"! The backup was taken under the secret key {key.then}; here {key.now} is set, by {where(settings)}.",
            f"  Until {key.then} is set as DUKA_SECRET_KEY, or named in DUKA_FORMER_SECRET_KEYS, {factors} second"
            " factors and all PINs cannot be read, and everybody signs in again",
        ]
    elif key.state == "unknown":
        lines.append(f"! The backup does not say under which secret key it was taken; here {key.now} is set")
    elif key.state == "taken":
        lines.append(f"✓ its secret key {key.then} is now in {where(settings)}")
    else:
        lines.append(f"✓ its secret key {key.then} is set here")
    return lines


def _words(done: Restored, settings: Settings) -> list[str]:
    manifest = done.manifest
    lines = [f"{manifest.rows:,} rows in {len(manifest.tables)} tables, as they stood at {manifest.made_at:%F %T} UTC"]
    lines += [f"migrated {revision}" for revision in done.migrated]
    lines += [f"✗ {one}" for one in done.broken]
    lines += [
        f"✗ audit trail of {one.business or 'the deployment'}: {one.first.words}" for one in done.chains if one.first
    ]
    if done.is_sound:
        lines.append(f"✓ checksums, invariants and {len(done.chains)} audit chains are fine")
    if done.anchors:
        lines.append(f"{done.anchors} anchors of audit trails added to {anchor_file(settings)}")
    return [
        *lines,
        *_key_words(done, settings),
        "Who was erased since then is in it again: run duka personal erase-again with the tombstones kept apart",
    ]
