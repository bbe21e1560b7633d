"""Duka's pytest plugin: in the tests of a Duka plugin it brings the fixtures of `kernel.testing.fixtures`.

pytest loads it wherever Duka is installed; it looks into `pyproject.toml` and, unless that is of a plugin, does nothing
and imports nothing more.
"""

from __future__ import annotations

import tomllib
import warnings
from pathlib import Path

import pytest

FIXTURES = "kernel.testing.fixtures"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --duka."""
    group = parser.getgroup("duka")
    group.addoption("--duka", action="store_true", help="bring Duka's fixtures, whatever pyproject.toml says")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures where they are wanted."""
    if config.option.duka or is_of_a_plugin(config.rootpath / "pyproject.toml"):
        with warnings.catch_warnings(action="ignore"):  # of libraries, which no plugin can mend
            config.pluginmanager.import_plugin(FIXTURES)


def is_of_a_plugin(project: Path) -> bool:
    """Whether a pyproject.toml offers plugins to Duka."""
    try:
        said = tomllib.loads(project.read_text(encoding="utf-8"))
        return bool(said["project"]["entry-points"]["duka.plugins"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return False
