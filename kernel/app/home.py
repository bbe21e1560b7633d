"""What lies below `home` and belongs to a deployment as its database does: the audit anchors, the secret key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kernel.app.portable import Manifest, Reader
from kernel.app.portable.files import BACKUP
from kernel.app.portable.keys import fingerprint, unwrap
from kernel.audit.anchors import anchor_file
from kernel.errors import Conflict
from kernel.settings import Settings, keep_secret, kept_secret

ANCHORS = "audit-anchors.jsonl"
_AT_ONCE = 1_048_576


class AnotherKey(Conflict):
    """The backup's secret key was asked for, and another one is set here."""

    code, title = "another-key", "Another secret key is set here"


class KeyFound(msgspec.Struct, frozen=True):
    """Under which key a backup was taken, and which is set here.

    state: `same`, `former` (among DUKA_FORMER_SECRET_KEYS), `taken` out of the backup just now, `missing` (another is
    set) or `unknown` (the backup does not say). lost_former: former keys of then that are not set here.
    """

    state: str
    then: str
    now: str
    lost_former: list[str]


def anchors_now(settings: Settings) -> Iterator[bytes] | None:
    """The lines of the file of anchors as it stands, piece by piece; None where there is none."""
    path = anchor_file(settings)
    return _pieces(path, path.stat().st_size) if path.is_file() else None


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (piece := file.read(min(size, _AT_ONCE))):
            size -= len(piece)
            yield piece


def bring_anchors(settings: Settings, reader: Reader) -> int:
    """Add a backup's anchors to the file here, those it does not have; returns how many were added."""
    if ANCHORS not in reader.manifest.files:
        return 0
    path = anchor_file(settings)
    known = set(path.read_bytes().splitlines()) if path.is_file() else set()
    added = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640), "ab") as file:
        for line in reader.lines(ANCHORS):
            if line.rstrip(b"\n") not in known:
                file.write(line.rstrip(b"\n") + b"\n")
                added += 1
    return added


def take_key(settings: Settings, path: Path, passphrase: str) -> Path | None:
    """Take the secret key out of a backup where none is set here; returns the file it was put into, if it was.

    Raises WrongPassphrase, AnotherKey and FileFault.
    """
    said = manifest_of(path).secret
    if said is None or said.wrapped is None:
        raise AnotherKey("The backup holds no secret key; restore it without a passphrase")
    secret, own = unwrap(said, passphrase), kept_secret(settings)
    if own is None:
        return keep_secret(settings, secret)
    if fingerprint(own) != said.fingerprint:
        raise AnotherKey(
            f"The backup's secret key is {said.fingerprint}; here {fingerprint(own)} is set, by {where(settings)}."
            " Take that away, and the backup's is put in its place; or restore without a passphrase"
        )
    return None


def key_found(settings: Settings, manifest: Manifest, secret: str) -> KeyFound:
    """How the key of a backup stands to the one set here."""
    now = fingerprint(secret)
    said = manifest.secret
    if said is None:
        return KeyFound("unknown", "", now, [])
    here = {now, *(fingerprint(one) for one in settings.former_secret_keys)}
    lost = [one for one in said.former if one not in here]
    if said.fingerprint == now:
        return KeyFound("same", said.fingerprint, now, lost)
    return KeyFound("former" if said.fingerprint in here else "missing", said.fingerprint, now, lost)


def manifest_of(path: Path) -> Manifest:
    """What a backup says of itself. Raises FileFault."""
    reader = Reader(path, BACKUP)
    reader.close()
    return reader.manifest


def where(settings: Settings) -> str:
    """Where the secret key is kept."""
    return "DUKA_SECRET_KEY" if settings.secret_key else str(settings.home_path / "secret")
