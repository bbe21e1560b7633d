"""The kernel's tests run on the kernel and two plugins of their own, so that they hold whatever else is installed."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from kernel.app.prepare import prepare
from kernel.auth.businesses.switching import disable, enable
from kernel.registry import Registry, load
from kernel.settings import Settings
from kernel.testing.box import SECRET, Box, open_box, prepare_template
from kernel.testing.checking import faults
from kernel.testing.servers import Postgres
from kernel.tests.shelves import fill, later, switch

T = TypeVar("T")
PROBES = ("stock", "till")


@pytest.fixture(scope="session")
def registry() -> Registry:
    packages = [f"kernel.tests.probes.{name}" for name in PROBES]
    names = {f"probe_{name}" for name in PROBES}
    return Registry([load(importlib.import_module(package).PLUGIN, package, names) for package in packages])


@pytest.fixture(scope="session")
def _postgres_template(postgres: Postgres, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = apart(postgres.create_database("template_kernel"))
    settings = Settings(home=str(tmp_path_factory.mktemp("home")), database_url=url, secret_key=SECRET)
    apart(prepare_template(settings, registry, registry.plugins))
    return "template_kernel"


@pytest.fixture(scope="session")
def _sqlite_template(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template_kernel") / "box.sqlite3"
    settings = Settings(home=str(path.parent), database_url=f"sqlite+aiosqlite:///{path}", secret_key=SECRET)
    apart(prepare_template(settings, registry, registry.plugins))
    return path


def apart(work: Coroutine[Any, Any, T]) -> T:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def shelves(registry: Registry) -> Registry:
    """The probes and a plugin that is thrown away, with a neighbour of nearly the same name."""
    packages = [f"kernel.tests.probes.{name}" for name in ("shelf", "shelf_extra")]
    more = [load(importlib.import_module(one).PLUGIN, one, set(registry.plugins)) for one in packages]
    return Registry([*registry.in_order(), *more])


@pytest_asyncio.fixture
async def shelf(box_settings: Settings, shelves: Registry) -> AsyncIterator[Box]:
    """A box with the shelf installed and filled, on for one shop and off again."""
    made = await open_box(box_settings, shelves)
    await prepare(made.deployment)
    await switch(made, enable)
    for shop in made.shops:
        await made.act(fill, shop=shop)
    await made.act(lambda work: later(work, "queued"))
    await switch(made, disable)
    yield made
    found = await faults(made.deployment)
    await made.close()
    assert not found, found
