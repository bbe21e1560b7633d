"""Backups kept below home: made while the shops sell on, each noted with its checksum, whoever made it."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import shutil
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from kernel.app.backup import Progress, write_backup
from kernel.app.noting import note, notes, one_at_a_time
from kernel.app.portable import Manifest, arriving
from kernel.errors import Conflict
from kernel.settings import Settings
from kernel.work import Deployment

BACKUPS = "backups"
"""The folder below home, and the name of the notes."""


class NoRoom(Conflict):
    """A backup as large as the last one would leave less free than the disk is to keep."""

    code, title = "no-room", "There is not enough room on the disk"


class NotedBackup(Struct, frozen=True):
    """A backup that was made: where on the machine that made it, and how it is known to be whole.

    with_secret: the secret key is in it, under a passphrase.
    """

    path: Annotated[str, Meta(examples=["/var/lib/duka/backups/duka-20261121T021403.duka"])]
    made_at: dt.datetime
    bytes: Annotated[int, Meta(ge=0, examples=[4_194_304])]
    rows: Annotated[int, Meta(ge=0, examples=[18_214])]
    sha256: Annotated[str, Meta(examples=["9f2c…"])]
    with_secret: bool


async def keep_backup(deployment: Deployment, *, progress: Progress | None = None) -> NotedBackup:
    """Make one below home. Raises Busy while another is being made, NoRoom, and what `write_backup` raises."""
    settings = deployment.settings
    with one_at_a_time(settings, BACKUPS):
        folder = settings.home_path / BACKUPS
        folder.mkdir(mode=0o700, exist_ok=True)
        _check_room(settings)
        path = _new(folder, deployment.clock())
        with arriving(path) as arrived:
            manifest = await write_backup(deployment, arrived, progress=progress)
            arrived.seek(0)
            digest = hashlib.file_digest(arrived, "sha256").hexdigest()
        return note_backup(settings, path, manifest, digest)


def note_backup(settings: Settings, path: Path, manifest: Manifest, digest: str) -> NotedBackup:
    """Note one that was made."""
    is_in_it = manifest.secret is not None and manifest.secret.wrapped is not None
    said = NotedBackup(
        str(path.resolve()), manifest.made_at, path.stat().st_size, manifest.rows, digest, with_secret=is_in_it
    )
    note(settings, BACKUPS, said)
    return said


def backups_of(settings: Settings) -> list[NotedBackup]:
    """Those that were made from this home, the newest first; some may have been taken elsewhere since."""
    return notes(settings, BACKUPS, NotedBackup)


def _check_room(settings: Settings) -> None:
    last = next((one.bytes for one in backups_of(settings)), 0)
    free = shutil.disk_usage(settings.home_path).free
    if free < last + settings.least_free_mb * 1_000_000:
        raise NoRoom(f"{free // 1_000_000} MB are free below {settings.home_path}; take old backups elsewhere first")


def _new(folder: Path, now: dt.datetime) -> Path:
    stem = f"duka-{now:%Y%m%dT%H%M%S}"
    names = (f"{stem}{f'-{number}' if number else ''}.duka" for number in itertools.count())
    return next(folder / name for name in names if not (folder / name).exists())
