"""Fixtures of every test below, and where their files go."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kernel.testing.forking import PARENT
from kernel.testing.servers import in_memory

pytest_plugins = ["kernel.testing.fixtures", "tests.proving"]
os.environ.setdefault("DUKA_TEST_POSTGRES", "required")  # Duka's own tests run on both databases or fail
_made = pytest.StashKey[Path]()

# Some hundred processes are started, each of which would compile the kernel anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

PARENT.begin()

# How fast a busy machine makes up examples and runs them is no fault of what is tested.
settings.register_profile("duka", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("duka")

gc.disable()  # until all is collected: nothing of that is ever let go
YOUNG_OBJECTS = 20_000


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' files in memory where it has room: SQLite waits for the disk at every commit."""
    folder = in_memory()
    if folder and config.option.basetemp is None and not hasattr(config, "workerinput"):
        config.stash[_made] = Path(tempfile.mkdtemp(prefix="duka-tests-", dir=folder))
        config.option.basetemp = str(config.stash[_made] / "run")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing in memory, and no process behind."""
    PARENT.end()
    if made := config.stash.get(_made, None):
        shutil.rmtree(made, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking over modules and tests again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
    gc.enable()
