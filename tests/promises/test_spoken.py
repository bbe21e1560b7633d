"""P43 in the console: a page speaks the language of its reader, whoever of the server made the words."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from kernel.web.languages import FOLDER, Languages
from plugins.console.testing import Browser
from tests.promises.filling import Filling
from tests.promises.pages import address_of, composed_of, permission_of, walked
from tests.promises.spoken import is_english, spoken, typed_in

ONE = pytest.mark.parametrize("database", ["sqlite"])
LANGUAGE = "hi"
NAMES = frozenset({"The Duka authors"})


@ONE
async def test_no_page_says_in_english_what_its_readers_language_has_words_for(box: Box) -> None:
    own = await Filling(box, "mama-njeri").fill()
    data = await typed_in(box)
    registry = box.deployment.registry
    languages = Languages([FOLDER, *(one.folder / "locale" for one in registry.in_order())])
    words, sentences = languages.catalogues[LANGUAGE].words, languages.sentences[LANGUAGE]
    owner, operator, wrong = Browser(box, "owner"), Browser(box, "operator"), []
    for browser in (owner, operator):
        browser.http.cookies.set("duka_language", LANGUAGE, path="/console")
    for placed in composed_of(box).pages:
        path = address_of(placed, own)
        reader = operator if permission_of(placed) == "operator" else owner
        page = (await reader.get(path)).text
        pieces = [(await reader.http.get(piece)).text for piece in dict.fromkeys(walked(page).pieces)]
        for text in dict.fromkeys(text for one in (page, *pieces) for text in spoken(one)):
            if all(part in data for part in text.rstrip(":").split(" > ")) or text in NAMES:
                continue
            if words.get(text, sentences.said(text)) != text:
                wrong.append(f"{path}: {text!r} has a translation")
            elif is_english(text):
                wrong.append(f"{path}: {text!r} is English")
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong)
