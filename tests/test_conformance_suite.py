"""Every bundled plugin keeps the rules that third parties' plugins keep; on PostgreSQL at full figures."""

from collections.abc import Mapping
from typing import ClassVar

import pytest

from kernel.registry import Loaded, Registry, discover
from kernel.testing.suite import PluginSuite

BUNDLED = list(discover().plugins)


class TestBundledPlugins(PluginSuite):
    short_lists: ClassVar[Mapping[str, str]] = {
        "/api/v1/catalog/imports": "each import starts a process: too slow for every stocked shop"
    }

    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
    def database(self, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(params=BUNDLED)
    def loaded(self, request: pytest.FixtureRequest, registry: Registry) -> Loaded:
        return registry.plugins[request.param]
