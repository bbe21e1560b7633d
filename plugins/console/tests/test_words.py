"""The words of pages in other languages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Formatter

import pytest

from kernel.registry import Registry
from plugins.console import listeners
from plugins.console.schemas import SECTIONS
from plugins.console.testing import words_missing
from plugins.console.testing.reading import read

CONSOLE = Path(listeners.__file__).parent
PLUGINS = CONSOLE.parent
SHELL = ("page.html", "shell.html", "sheet.html", "outside.html", "ui.html", "sign_in.html")
LANGUAGES = ("sw", "hi", "ar")


def words_of(catalogue: Path) -> Mapping[str, str]:
    """The words of a catalogue."""
    words: Mapping[str, str] = json.loads(catalogue.read_text("utf-8")).get("words", {})
    return words


def places_of(text: str) -> set[str]:
    """What is filled in where a text is shown."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def strays_of(words: Mapping[str, str]) -> list[str]:
    """The English of those that would be filled in with what nobody gives."""
    return [english for english, said in words.items() if not places_of(said) <= places_of(english)]


def twice_said(catalogues: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    """The English that is said in two ways in one language."""
    every: dict[str, set[str]] = {}
    for words in catalogues:
        for english, said in words.items():
            every.setdefault(english, set()).add(said)
    return {english: ways for english, ways in every.items() if len(ways) > 1}


def test_a_translation_is_filled_in_with_nothing_that_its_english_is_not_given() -> None:
    catalogues = {file: words_of(file) for file in PLUGINS.glob("*/locale/*.json")}
    assert CONSOLE / "locale" / "sw.json" in catalogues
    assert {str(file): strays for file, words in catalogues.items() if (strays := strays_of(words))} == {}


def test_a_place_that_was_translated_too_is_seen() -> None:
    assert strays_of({"{count} sales": "mauzo {idadi}", "Hello, {name}": "Habari, {name}"}) == ["{count} sales"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_around_every_page_is_whole_in_the_readers_language(language: str) -> None:
    said = {one for name in SHELL for one in read((CONSOLE / "templates" / name).read_text("utf-8")).words}
    assert {"Sign in", "Search", "Sign out"} <= said
    said |= {*SECTIONS.values(), *(one.title for one in listeners.console_nav())}
    assert said - set(words_of(CONSOLE / "locale" / f"{language}.json")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_title_and_button_of_every_plugin_has_words(registry: Registry, language: str) -> None:
    ours = [one for one in registry.in_order() if one.folder.parent == PLUGINS]
    assert {"sales", "taxes", "reconciliation"} <= {one.name for one in ours}
    assert {one.name: few for one in ours if (few := words_missing(one, registry, language)[:5])} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_english_is_said_in_one_way(language: str) -> None:
    assert twice_said(words_of(file) for file in PLUGINS.glob(f"*/locale/{language}.json")) == {}


def test_words_that_two_plugins_say_in_two_ways_are_seen() -> None:
    """The twin: which of the two a page shows would hang on the order of the plugins."""
    assert twice_said([{"Why": "Sababu"}, {"Why": "Kwa nini"}, {"Why": "Sababu"}]) == {"Why": {"Sababu", "Kwa nini"}}


def test_a_page_whose_words_nobody_knows_is_seen(registry: Registry) -> None:
    """The twin: no catalogue speaks French."""
    assert "Tax classes" in words_missing(registry.plugins["taxes"], registry, "fr")
