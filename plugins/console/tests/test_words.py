"""The words of pages in other languages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

import jinja2
import pytest
from jinja2 import nodes

from plugins.console import listeners
from plugins.console.schemas import SECTIONS

CONSOLE = Path(listeners.__file__).parent
PLUGINS = CONSOLE.parent
SHELL = ("page.html", "shell.html", "sheet.html", "outside.html", "ui.html", "sign_in.html")
READ = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=True)


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


def said_by(template: str) -> Iterator[str]:
    """The English that a template hands to `_`."""
    for call in READ.parse(template).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            yield from (one.value for one in _texts(call.args[0]))


def _texts(node: nodes.Node) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const):
        yield node
    elif isinstance(node, nodes.CondExpr):
        yield from _texts(node.expr1)
        if node.expr2 is not None:
            yield from _texts(node.expr2)


def test_a_translation_is_filled_in_with_nothing_that_its_english_is_not_given() -> None:
    catalogues = {file: words_of(file) for file in PLUGINS.glob("*/locale/*.json")}
    assert CONSOLE / "locale" / "sw.json" in catalogues
    assert {str(file): strays for file, words in catalogues.items() if (strays := strays_of(words))} == {}


def test_a_place_that_was_translated_too_is_seen() -> None:
    assert strays_of({"{count} sales": "mauzo {idadi}", "Hello, {name}": "Habari, {name}"}) == ["{count} sales"]


@pytest.mark.parametrize("language", ["sw", "hi", "ar"])
def test_what_stands_around_every_page_is_whole_in_the_readers_language(language: str) -> None:
    said = {one for name in SHELL for one in said_by((CONSOLE / "templates" / name).read_text("utf-8"))}
    assert {"Sign in", "Search", "Sign out"} <= said
    said |= {*SECTIONS.values(), *(one.title for one in listeners.console_nav())}
    assert said - set(words_of(CONSOLE / "locale" / f"{language}.json")) == set()
