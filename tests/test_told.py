"""What the server tells people has words in every language of the console: titles of faults, and sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.testing import telling
from kernel.web.languages import FOLDER
from kernel.web.sentences import Sentences, strays_of, taken_apart

PLUGINS = Path(__file__).parent.parent / "plugins"
OURS = sorted(one.parent.name for one in PLUGINS.glob("*/__init__.py"))
LANGUAGES = ("ar", "hi", "sw")
MADE_OF_SENTENCES = {"any 3 for 100", "buy 2, get 1 free", "It is active", "It is cancelled"}
"""Words of pages that are made as sentences are: examples of promotions, and states."""
SHARED = (FOLDER, *(one for one in PLUGINS.glob("*/locale")))


def catalogues(language: str) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Each catalogue of a language, by the name of whose it is."""
    for file in (FOLDER / f"{language}.json", *PLUGINS.glob(f"*/locale/{language}.json")):
        yield str(file), json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("package", ["kernel", *(f"plugins.{name}" for name in OURS)])
def test_what_is_told_has_words_in_every_language(package: str) -> None:
    own = FOLDER if package == "kernel" else PLUGINS / package.removeprefix("plugins.") / "locale"
    assert {file.stem for file in own.glob("*.json")} == set(LANGUAGES)
    assert telling.untold(package, own, SHARED) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_says_enough_to_be_found_and_is_filled_in_with_what_it_is_given(language: str) -> None:
    for file, held in catalogues(language):
        told = held.get("details", {})
        assert strays_of(told) == [], file
        strange = [one for one, said in told.items() if set(taken_apart(said).names) - set(taken_apart(one).names)]
        assert strange == [], file


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_sentence_is_told_in_one_way(language: str) -> None:
    ways: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for _, held in catalogues(language):
        for english, said in held.get("details", {}).items():
            ways.setdefault(taken_apart(english).pieces, set()).add(taken_apart(said).pieces)
    assert [one for one, said in ways.items() if len(said) > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_found_in_what_pages_say(language: str) -> None:
    """Somebody else's words that lack a translation stay English, and do not become half of another sentence."""
    words, told = set[str](), dict[str, str]()
    for _, held in catalogues(language):
        words |= held.get("words", {}).keys()
        told |= held.get("details", {})
    said = Sentences(told).said
    assert {one for one in words - told.keys() if said(one) != one} <= MADE_OF_SENTENCES


def test_what_nobody_has_words_for_is_seen(tmp_path: Path) -> None:
    """The twin: a language that was begun, and holds nothing."""
    (tmp_path / "fr.json").write_text("{}")
    missing = telling.untold("plugins.sales", tmp_path)["fr"]
    assert {"not-voidable", "The quantity is too large", "Nothing is sold at {location_name}"} <= set(missing)
