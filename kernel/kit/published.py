"""A wheel held against those of its plugin that are out: what a shop's tables came from must still be what it was."""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kernel.kit.faults import KitFault

_REVISION: Final = re.compile(r"[^/]+/migrations/[^/]+\.py")


def unlike_published(wheel: Path, published: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    """Each published wheel, and what of it the new one does not keep. Raises KitFault for what is no wheel of its own.

    Databases stand at the revisions of what was published. One that is gone, or does something else now, leaves them
    with other tables than the code knows, though every migration has run.
    """
    new = _revisions(wheel)
    for old in published:
        if _named(old)[0] != _named(wheel)[0]:
            raise KitFault(f"{old.name} is another package than {wheel.name}")
        found = [_said(file, new.get(file)) for file, text in _revisions(old).items() if new.get(file) != text]
        if _named(old)[1] == _named(wheel)[1]:
            found.insert(0, f"{_named(old)[1]} is out already: raise the version in the manifest")
        yield old, found


def _said(file: str, now: str | None) -> str:
    if now is None:
        return f"{file} is gone: whoever stands there could not be upgraded; keep every revision"
    return f"{file} is not what it was: shops that have run it do not run it again; write another revision"


def _named(wheel: Path) -> tuple[str, str]:
    """The distribution and the version that a wheel's name says."""
    parts = wheel.name.split("-")
    if len(parts) < 5 or wheel.suffix != ".whl":
        raise KitFault(f"{wheel.name} is no name of a wheel")
    return parts[0], parts[1]


def _revisions(wheel: Path) -> dict[str, str]:
    """The revisions in a wheel, by file, without what only a reader sees."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = sorted(name for name in archive.namelist() if _REVISION.fullmatch(name))
            return {name: ast.dump(ast.parse(archive.read(name))) for name in names}
    except (OSError, zipfile.BadZipFile, SyntaxError) as fault:
        raise KitFault(f"{wheel} cannot be read: {fault}") from fault
