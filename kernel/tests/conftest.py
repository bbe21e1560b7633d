"""The kernel's tests run on the kernel and two plugins of their own, so that they hold whatever else is installed."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kernel.registry import Registry, load
from kernel.settings import Settings
from kernel.testing.box import SECRET, prepare_template
from kernel.testing.servers import Postgres

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
