"""Backups kept below home: made while the shops sell on, each noted with its checksum, whoever made it.

One gets its name once it was read back whole; only then those go that need not be kept. Killed in between, it leaves a
backup more, which goes with the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import io
import itertools
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kernel.app.backup import Progress, write_backup
from kernel.app.backups_kept import Keep
from kernel.app.noting import note, notes, one_at_a_time
from kernel.app.portable import Manifest, Reader, arriving
from kernel.app.portable.files import BACKUP
from kernel.db.faults import came_through_a_driver
from kernel.errors import Conflict, DukaError
from kernel.settings import Settings
from kernel.work import Deployment

log = logging.getLogger("duka.backups")
BACKUPS = "backups"
"""The folder below home, and the name of the notes."""
FAILURES = "backup-failures"
"""The name of the notes of those that failed."""
LATE = 1.5
"""One is late when the last is so many times as old as it may be."""
_NAME = re.compile(r"duka-(\d{8}T\d{6})(?:-\d+)?\.duka")


class NoRoom(Conflict):
    """A backup as large as the last one would leave less free than the disk is to keep."""

    code, title = "no-room", "There is not enough room on the disk"


class NotWritten(Conflict):
    """The folder of backups, or the disk below it, takes nothing."""

    code, title = "backup-not-written", "The backup could not be written"


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

    @property
    def name(self) -> str:
        """The name of its file."""
        return Path(self.path).name


class FailedBackup(Struct, frozen=True):
    """A backup that was begun and did not come to be. fault: the kind of its error.

    said: what stands in its way, in words; empty for what only the log tells.
    """

    at: dt.datetime
    fault: Annotated[str, Meta(examples=["NoRoom"])]
    said: Annotated[str, Meta(examples=["40 MB are free below /var/lib/duka; take old backups elsewhere first"])] = ""


class Kept(Struct, frozen=True):
    """How the backups below this home stand.

    state: `ok`; `broken`, the last one that was begun failed; `late`, the newest is one and a half times as old as it
    may be. last: the newest. failures: how many have failed since. due_at: when the next is made by itself, null for
    never.
    """

    state: Literal["ok", "late", "broken"]
    last: NotedBackup | None
    failed: FailedBackup | None
    failures: int
    due_at: dt.datetime | None


async def keep_backup(
    deployment: Deployment, *, keep: Keep | None = None, progress: Progress | None = None
) -> NotedBackup:
    """Make one below home, read it back, then delete those that need not be kept.

    keep: None is what the settings say. Raises Busy while another is being made, NoRoom, NotWritten, FileFault, and
    what `write_backup` raises.
    """
    settings = deployment.settings
    folder = settings.home_path / BACKUPS
    with _named(folder), one_at_a_time(settings, BACKUPS), _noted_if_it_fails(deployment), _named(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        _check_room(settings)
        path = _new(folder, deployment.clock())
        with arriving(path) as arrived:
            manifest = await write_backup(deployment, arrived, progress=progress)
            digest = await asyncio.to_thread(_read_back, arrived, path)
        made = note_backup(settings, path, manifest, digest)
        prune(folder, path, Keep.read(settings.keep_backups) if keep is None else keep)
        return made


def prune(folder: Path, newest: Path, keep: Keep) -> None:
    """Delete the backups of a folder that need not be kept, never the newest, nor what bears another name."""
    made = {file: at for file in folder.iterdir() if (at := _made_at(file)) is not None}
    kept = keep.of(made.values())
    for file, at in made.items():
        if file != newest and at not in kept:
            file.unlink(missing_ok=True)
            log.info("%s is kept no longer", file.name)


def kept_now(settings: Settings, now: dt.datetime) -> Kept:
    """How the backups of this home stand."""
    last = next(iter(backups_of(settings)), None)
    failed = [one for one in notes(settings, FAILURES, FailedBackup) if last is None or last.made_at < one.at]
    every = dt.timedelta(hours=settings.backup_every_hours)
    due_at = None if not every else last.made_at + every if last else now
    is_late = bool(every) and (last is None or now - last.made_at > every * LATE)
    state: Literal["ok", "late", "broken"] = "broken" if failed else "late" if is_late else "ok"
    return Kept(state, last, failed[0] if failed else None, len(failed), due_at)


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


def _made_at(file: Path) -> dt.datetime | None:
    """When a backup below home was made, by its name; None for what bears another."""
    found = _NAME.fullmatch(file.name)
    try:
        return dt.datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC) if found else None
    except ValueError:
        return None


def _read_back(arrived: io.BufferedRandom, path: Path) -> str:
    """Read all of what was written, and compare it with its manifest; returns its SHA-256. Raises FileFault."""
    arrived.flush()
    reader = Reader(path, BACKUP, arrived)
    reader.verify()
    reader.close()
    arrived.seek(0)
    return hashlib.file_digest(arrived, "sha256").hexdigest()


@contextlib.contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Say of what the system refuses to write what it is and where. Raises NotWritten."""
    try:
        yield
    except OSError as fault:
        if came_through_a_driver(fault):
            raise
        raise NotWritten(f"Nothing can be written to {folder}: {fault.strerror or fault}") from fault


@contextlib.contextmanager
def _noted_if_it_fails(deployment: Deployment) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        said = error.detail if isinstance(error, DukaError) else ""
        with contextlib.suppress(OSError):  # a full disk is told as what it is
            note(deployment.settings, FAILURES, FailedBackup(deployment.clock(), type(error).__name__, said))
        raise
