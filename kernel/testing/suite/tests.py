"""The class that plugins' tests inherit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from kernel.registry import Loaded, Registry
from kernel.testing.box import Box
from kernel.testing.suite import living, outliving, schema, still

NewDatabase = Callable[[], str]


class PluginSuite:
    """What holds for every plugin. Set `plugin` to its name."""

    plugin: ClassVar[str] = ""
    short_lists: ClassVar[Mapping[str, str]] = {}
    """Path of a list that cannot hold two rows in a test → why; its statements are not counted."""

    @pytest.fixture
    def loaded(self, registry: Registry) -> Loaded:
        """The plugin under test."""
        if self.plugin not in registry.plugins:
            there = ", ".join(registry.plugins)
            pytest.fail(
                f"no plugin called {self.plugin!r} is installed; install it (`duka plugin env .`, or pip install -e .)"
                f" and say its name, plugin = …. Installed: {there}",
                pytrace=False,
            )
        return registry.plugins[self.plugin]

    def test_it_keeps_to_the_anatomy(self, loaded: Loaded) -> None:
        """Files, imports, sizes, docstrings."""
        _none(still.anatomy(loaded))

    def test_what_it_owns_bears_its_name(self, loaded: Loaded) -> None:
        """Tables, jobs, permissions, revisions."""
        _none([*still.prefixes(loaded), *schema.named(loaded)])

    def test_every_route_asks_for_a_permission_and_says_what_it_takes(self, loaded: Loaded, registry: Registry) -> None:
        """Permissions, summaries, examples."""
        _none(still.routes(loaded, registry))

    def test_the_hooks_it_calls_are_documented(self, loaded: Loaded) -> None:
        """When, Answer, Errors, Since, Not for."""
        _none(still.hooks_called(loaded))

    def test_its_settings_have_titles_and_sound_defaults(self, loaded: Loaded) -> None:
        """The Struct of settings."""
        _none(still.settings(loaded))

    def test_every_column_says_what_it_holds_of_people(self, loaded: Loaded, registry: Registry) -> None:
        """Personal data."""
        _none(still.personal_data(loaded, registry))

    def test_it_keeps_the_rules_of_those_it_stands_on(self, loaded: Loaded, registry: Registry) -> None:
        """Those of their `testing.py`; the console's are for pages, cards, blocks, columns, buttons and words."""
        _none(still.rules_of_others(loaded, registry))

    def test_migrations_lead_from_every_revision_to_what_the_models_say(
        self, loaded: Loaded, registry: Registry, new_database: NewDatabase
    ) -> None:
        """From nothing, and from each revision; there are no downgrades."""
        known = schema.revisions(loaded)
        if not known:
            return
        newest = new_database()
        wanted = asyncio.run(schema.upgrade(newest, loaded, registry, None))
        _none(asyncio.run(schema.faults(newest, loaded, registry)))
        for stop in known[:-1]:
            reached = asyncio.run(schema.upgrade(new_database(), loaded, registry, stop))
            _none([] if reached == wanted else [f"upgraded from {stop} the schema is not what it is from nothing"])

    async def test_its_settings_come_back_as_they_went(self, box: Box, loaded: Loaded) -> None:
        """Set by the API, read by it and by the plugin."""
        _none(await living.settings(box, loaded))

    async def test_its_data_outlives_being_switched_off(self, box: Box, loaded: Loaded) -> None:
        """On, used, off, on."""
        _none(await living.life_cycle(box, loaded))

    async def test_its_rows_outlive_an_upgrade_from_every_revision(
        self, box: Box, loaded: Loaded, new_database: NewDatabase
    ) -> None:
        """Rows of a filled shop, put into the tables of each earlier revision."""
        _none(await outliving.upgrades(box, loaded, new_database))

    async def test_its_data_comes_back_after_being_uninstalled(self, box: Box, loaded: Loaded, tmp_path: Path) -> None:
        """Used, off, uninstalled, restored, on; of a plugin on which no other stands."""
        _none(await outliving.uninstalling(box, loaded, tmp_path / f"{loaded.name}.zip"))

    async def test_switched_off_it_answers_nothing(self, box: Box, loaded: Loaded) -> None:
        """Routes, hooks, jobs."""
        _none(await living.off(box, loaded))

    async def test_no_row_of_another_business_is_reached(self, box: Box, loaded: Loaded) -> None:
        """Ids of theirs in every place of every route."""
        _none(await living.tenants(box, loaded))

    @pytest.mark.parametrize("database", ["sqlite"])
    async def test_lists_ask_no_question_for_each_row(self, box: Box, loaded: Loaded) -> None:
        """Statements are counted on SQLite, where each is seen; they are the same on PostgreSQL."""
        _none(await living.lists(box, loaded, self.short_lists))

    @pytest.mark.parametrize("database", ["sqlite"])
    async def test_what_it_gives_those_it_stands_on_works_there(self, box: Box, loaded: Loaded) -> None:
        """Tried by them in a filled shop; the console shows each page and card to the owner."""
        _none(await living.trials_of_others(box, loaded))

    async def test_its_answers_to_hooks_keep_to_their_time(self, box: Box, loaded: Loaded) -> None:
        """Mean time over a filled shop and some carts."""
        _none(await living.hook_budgets(box, loaded))


def _none(found: Iterable[str]) -> None:
    said = list(found)
    if said:
        pytest.fail("\n".join(f"- {one}" for one in said), pytrace=False)
