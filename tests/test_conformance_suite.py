"""Every bundled plugin keeps the rules that third parties' plugins keep; on PostgreSQL at full figures."""

from collections.abc import Mapping
from typing import ClassVar

import pytest

from kernel.registry import Loaded, Registry, discover
from kernel.testing.box import Box
from kernel.testing.suite import PluginSuite
from kernel.testing.suite.tests import NewDatabase

BUNDLED = list(discover().plugins)


class TestBundledPlugins(PluginSuite):
    short_lists: ClassVar[Mapping[str, str]] = {
        "/api/v1/catalog/imports": "each import starts a process: too slow for every stocked shop"
    }

    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
    def database(self, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.mark.prove
    async def test_its_rows_outlive_an_upgrade_from_every_revision(
        self, box: Box, loaded: Loaded, new_database: NewDatabase
    ) -> None:
        """A database for each revision there ever was."""
        await super().test_its_rows_outlive_an_upgrade_from_every_revision(box, loaded, new_database)

    @pytest.mark.prove
    @pytest.mark.parametrize("database", ["sqlite"])
    async def test_what_it_gives_those_it_stands_on_works_there(self, box: Box, loaded: Loaded) -> None:
        """A filled shop for each plugin; a browser sees the same pages in every run."""
        await super().test_what_it_gives_those_it_stands_on_works_there(box, loaded)

    @pytest.fixture(params=BUNDLED)
    def loaded(self, request: pytest.FixtureRequest, registry: Registry) -> Loaded:
        return registry.plugins[request.param]
