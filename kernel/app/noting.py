"""What operators have had done and want to find again: a line of JSON for each, in a file below home; one at a time.

Backups and rehearsals are noted whoever made them, the command line or the API.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from kernel.app.uninstalling import Busy
from kernel.settings import Settings

MOST_KEPT = 100
S = TypeVar("S", bound=Struct)


def note(settings: Settings, name: str, said: Struct) -> None:
    """Add a line to the notes of a name; of old ones the newest hundred are kept."""
    path = _file(settings, name)
    with _locked(path.with_suffix(".lock"), fcntl.LOCK_EX):
        lines = path.read_bytes().splitlines() if path.is_file() else []
        kept = [*lines[1 - MOST_KEPT :], msgspec.json.encode(said)]
        fresh = path.with_suffix(".part")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(b"\n".join(kept) + b"\n")
        fresh.replace(path)


def notes(settings: Settings, name: str, kind: type[S]) -> list[S]:
    """The notes of a name, the newest first; those that another version wrote otherwise are left out."""
    path, found = _file(settings, name), []
    for line in reversed(path.read_bytes().splitlines() if path.is_file() else []):
        with contextlib.suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(line, type=kind))
    return found


@contextlib.contextmanager
def one_at_a_time(settings: Settings, name: str) -> Iterator[None]:
    """Be the only one on this machine who is at it. Raises Busy where somebody else is; ends with its process."""
    try:
        with _locked(_under_way(settings, name), fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError as fault:
        raise Busy("Somebody else has begun it; wait for what comes of that") from fault


def is_under_way(settings: Settings, name: str) -> bool:
    """Whether somebody on this machine is at it now."""
    path = _under_way(settings, name)
    if not path.is_file():
        return False
    try:
        with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[Any]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, how)
        yield


def _file(settings: Settings, name: str) -> Path:
    return settings.home_path / f"{name}.jsonl"


def _under_way(settings: Settings, name: str) -> Path:
    return settings.home_path / f"{name}.under-way"
