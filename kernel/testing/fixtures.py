"""pytest fixtures for plugins' tests: `box` runs a test on SQLite and on PostgreSQL.

Where pyproject.toml offers a plugin to Duka, `kernel.testing.pytest_plugin` brings them; elsewhere say it in a
conftest.py: `pytest_plugins = ["kernel.testing.fixtures"]`. Where no PostgreSQL is found its half is skipped, aloud;
with DUKA_TEST_POSTGRES=required it fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
import redis
from argon2 import PasswordHasher

from kernel.auth.secrets import passwords
from kernel.registry import Registry, discover
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box, Client, Clock, open_box, prepare_template
from kernel.testing.checking import faults
from kernel.testing.filling import Stocked, fill_shop
from kernel.testing.recycling import Copies, copied
from kernel.testing.servers import Postgres, no_postgres
from kernel.testing.servers import Redis as RedisServer
from kernel.web import streams

T = TypeVar("T")
POSTGRES = "DUKA_TEST_POSTGRES"
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords as quickly as argon2 can: how hard they are to guess is no matter of tests.

    Processes that tests start hash as ever, and know these hashes, for a hash names its figures.
    """
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", quick)
        patch.setattr(passwords, "_NOBODY", quick.hash("a password that no account has"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _short_streams() -> Iterator[None]:
    """Let streams end soon: whoever probes every route waits for each answer to end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "LONGEST_S", 0.3)
        yield


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Every plugin that is installed; a plugin that cannot be loaded fails the run."""
    found = discover()
    assert not found.set_aside, found.set_aside
    return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run's own; where there are no programs of it, who asks for it is skipped."""
    if (why := no_postgres()) and os.environ.get(POSTGRES) != "required":
        pytest.skip(f"SQLite only! {why}")
    with Postgres() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, where nobody can miss it, that half of the tests did not run."""
    skipped = [one for one in terminalreporter.stats.get("skipped", ()) if "SQLite only!" in str(one.longrepr)]
    if skipped:
        terminalreporter.section("Duka: PostgreSQL was not tested", red=True, bold=True)
        terminalreporter.write_line(f"{len(skipped)} tests ran on SQLite alone. {no_postgres()}")


@pytest.fixture(scope="session")
def _postgres_copies(postgres: Postgres) -> Iterator[Copies]:
    with Copies(postgres) as copies:
        yield copies


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
    with _copy_of_template(database, request, tmp_path) as settings:
        yield settings


@pytest.fixture
def new_database(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes empty databases: each call answers the URL of another."""
    made: list[str] = []

    def make() -> str:
        name = f"new_{next(_numbers)}"
        if database == "sqlite":
            return f"sqlite+aiosqlite:///{tmp_path / name}.sqlite3"
        made.append(name)
        server: Postgres = request.getfixturevalue("postgres")
        return _apart(server.create_database(name))

    yield make
    for name in made:
        _apart(request.getfixturevalue("postgres").drop_database(name))


@pytest_asyncio.fixture
async def box(box_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """Two businesses on a fresh database. Afterwards every invariant must hold."""
    made = await open_box(box_settings, registry)
    yield made
    found = await faults(made.deployment)
    await made.close()
    assert not found, found


@pytest_asyncio.fixture
async def stocked(box: Box) -> Stocked:
    """One or two of everything in the first shop of the box, by name: `stocked["product_id"]`."""
    return await fill_shop(box)


@pytest.fixture
def clock(box: Box) -> Clock:
    """The box's clock, which stands still: `clock.pass_by(hours=2)`."""
    return box.clock


@pytest.fixture
def owner(box: Box) -> Client:
    """The owner of the first shop, calling the API."""
    return box.client("owner")


@pytest.fixture
def manager(box: Box) -> Client:
    """Its manager."""
    return box.client("manager")


@pytest.fixture
def cashier(box: Box) -> Client:
    """Its cashier."""
    return box.client("cashier")


@pytest.fixture
def stock_keeper(box: Box) -> Client:
    """Its stock keeper."""
    return box.client("stock_keeper")


@pytest.fixture
def accountant(box: Box) -> Client:
    """Its accountant."""
    return box.client("accountant")


@pytest.fixture
def anonymous(box: Box) -> Client:
    """Somebody who is not signed in."""
    return box.client(None)


@pytest.fixture
def twin_settings(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a second copy of the template, beside the box's."""
    folder = tmp_path / "twin"
    folder.mkdir()
    with _copy_of_template(database, request, folder) as settings:
        yield settings


@pytest_asyncio.fixture
async def twin_box(twin_settings: Settings, registry: Registry) -> AsyncIterator[Box]:
    """A second box that begins as the first, with the same businesses, people and ids: for what must end alike."""
    made = await open_box(twin_settings, registry)
    yield made
    await made.close()


@contextlib.contextmanager
def _copy_of_template(database: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Settings]:
    if database == "sqlite":
        with copied(request.getfixturevalue("_sqlite_template"), folder / "duka.sqlite3") as url:
            yield Settings(home=str(folder), database_url=url, secret_key=SECRET, pool_size=4)
        return
    template: str = request.getfixturevalue("_postgres_template")
    copies: Copies = request.getfixturevalue("_postgres_copies")
    url = copies.take(template)
    yield Settings(home=str(folder), database_url=url, secret_key=SECRET, pool_size=8)
    copies.give_back(url)


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a loop and thread of its own, whatever loop the tests run in."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
