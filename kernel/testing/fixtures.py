"""pytest fixtures for plugins' tests: `box` runs a test on SQLite and on PostgreSQL.

Use it in a conftest.py: `pytest_plugins = ["kernel.testing.fixtures"]`.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
import redis

from kernel.invariants import broken
from kernel.registry import Registry, discover
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box, open_box, prepare_template
from kernel.testing.servers import Postgres
from kernel.testing.servers import Redis as RedisServer

T = TypeVar("T")
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


@pytest.fixture(scope="session")
def _postgres_template(postgres: Postgres, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = _apart(postgres.create_database("template_box"))
    home = str(tmp_path_factory.mktemp("home"))
    settings = Settings(home=home, database_url=url, secret_key=SECRET)
    _apart(prepare_template(settings, registry, registry.plugins))
    return "template_box"


@pytest.fixture(scope="session")
def _sqlite_template(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "box.sqlite3"
    settings = Settings(home=str(path.parent), database_url=f"sqlite+aiosqlite:///{path}", secret_key=SECRET)
    _apart(prepare_template(settings, registry, registry.plugins))
    return path


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(_redis_server: RedisServer) -> str:
    """The URL of an empty Redis of this run's own."""
    with redis.Redis.from_url(_redis_server.url()) as client:
        client.flushall()
    return _redis_server.url()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def box_settings(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh copy of the template; for tests that start processes of their own."""
    if database == "sqlite":
        path = tmp_path / "duka.sqlite3"
        shutil.copy(request.getfixturevalue("_sqlite_template"), path)
        yield Settings(home=str(tmp_path), database_url=f"sqlite+aiosqlite:///{path}", secret_key=SECRET, pool_size=4)
        return
    template: str = request.getfixturevalue("_postgres_template")
    server: Postgres = request.getfixturevalue("postgres")
    name = f"box_{next(_numbers)}"
    url = _apart(server.create_database(name, template=template))
    yield Settings(home=str(tmp_path), database_url=url, secret_key=SECRET, pool_size=8)
    _apart(server.drop_database(name))


@pytest_asyncio.fixture
async def box(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """Two businesses on a fresh database. Afterwards every invariant must hold."""
    made = await open_box(box_settings, registry)
    yield made
    faults = await broken(made.deployment)
    await made.close()
    assert not faults, faults


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a loop and thread of its own, whatever loop the tests run in."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
