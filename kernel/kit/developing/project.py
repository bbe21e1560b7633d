"""The folder of a plugin, as its pyproject.toml describes it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kernel.kit.faults import KitFault
from kernel.registry import GROUP

ENVIRONMENT: Final = ".venv"
LEFT_ALONE: Final = frozenset({ENVIRONMENT, "var", "dist", "build", "__pycache__", "node_modules"})
"""Folders in which nothing is the plugin's own source; those that begin with a dot are left alone, too."""

State = dict[Path, tuple[int, int]]
"""File → when it was last written, in nanoseconds, and its size."""


class Project(msgspec.Struct, frozen=True):
    """The folder of one plugin, its name and that of its package."""

    folder: Path
    plugin: str
    package: str

    @property
    def python(self) -> Path:
        """The Python of its own environment, whether that is there or not."""
        return self.folder / ENVIRONMENT / "bin" / "python"

    @property
    def source(self) -> Path:
        """The folder of its code."""
        return self.folder.joinpath(*self.package.split("."))

    def state(self) -> State:
        """Its files as they stand on disk."""
        found: State = {}
        for path in _files(self.folder):
            try:
                read = path.stat()
            except OSError:  # gone since it was listed, as editors do while they save
                continue
            found[path] = (read.st_mtime_ns, read.st_size)
        return found


def read_project(folder: Path) -> Project:
    """The plugin of a folder. Raises KitFault where pyproject.toml offers none, or several."""
    file = folder.resolve() / "pyproject.toml"
    said = f'[project.entry-points."{GROUP}"] with NAME = "PACKAGE:PLUGIN"'
    try:
        points = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["entry-points"][GROUP]
    except FileNotFoundError as fault:
        raise KitFault(f"{file.parent} is no plugin's folder; `duka plugin new NAME` writes one") from fault
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise KitFault(f"{file} cannot be read: {fault}") from fault
    except (KeyError, TypeError) as fault:
        raise KitFault(f"{file} offers no plugin; write {said}") from fault
    if len(points) != 1:
        raise KitFault(f"{file} offers {len(points)} plugins, and one is developed at a time")
    ((name, point),) = points.items()
    return Project(file.parent, name, str(point).partition(":")[0])


def changes(before: State, after: State) -> list[Path]:
    """The files that were written, made or deleted between two looks, in order."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if one not in LEFT_ALONE and not one.startswith(".")]
        for name in files:
            if not name.startswith(".") and not name.endswith((".pyc", "~")):
                yield Path(place, name)
