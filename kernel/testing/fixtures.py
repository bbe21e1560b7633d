"""pytest fixtures for plugins' tests: `box` runs a test on SQLite and on PostgreSQL.

Use it in a conftest.py: `pytest_plugins = ["kernel.testing.fixtures"]`.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from kernel.invariants import broken
from kernel.registry import Registry, discover
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box, open_box, prepare_template
from kernel.testing.servers import Postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Every plugin that is installed; a plugin that cannot be loaded fails the run."""
    found = discover()
    assert not found.set_aside, found.set_aside
    return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run's own."""
    with Postgres() as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def _postgres_template(postgres: Postgres, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = await postgres.create_database("template_box")
    home = str(tmp_path_factory.mktemp("home"))
    await prepare_template(Settings(home=home, database_url=url, secret_key=SECRET), registry, registry.plugins)
    return "template_box"


@pytest_asyncio.fixture(scope="session")
async def _sqlite_template(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "box.sqlite3"
    settings = Settings(home=str(path.parent), database_url=f"sqlite+aiosqlite:///{path}", secret_key=SECRET)
    await prepare_template(settings, registry, registry.plugins)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    name: str = request.param
    return name


@pytest_asyncio.fixture
async def box_settings(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of a fresh copy of the template; for tests that start processes of their own."""
    if database == "sqlite":
        path = tmp_path / "duka.sqlite3"
        shutil.copy(await _value(request, "_sqlite_template"), path)
        yield Settings(home=str(tmp_path), database_url=f"sqlite+aiosqlite:///{path}", secret_key=SECRET, pool_size=4)
        return
    template = await _value(request, "_postgres_template")
    server: Postgres = request.getfixturevalue("postgres")
    name = f"box_{next(_numbers)}"
    url = await server.create_database(name, template=template)
    yield Settings(home=str(tmp_path), database_url=url, secret_key=SECRET, pool_size=8)
    await server.drop_database(name)


@pytest_asyncio.fixture
async def box(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """Two businesses on a fresh database. Afterwards every invariant must hold."""
    made = await open_box(box_settings, registry)
    yield made
    faults = await broken(made.deployment)
    await made.close()
    assert not faults, faults


async def _value(request: pytest.FixtureRequest, name: str) -> str:
    found: str = request.getfixturevalue(name)
    return found
