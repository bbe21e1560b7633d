"""P33: what somebody typed is shown as what it is, on every page and in every letter, and never runs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html import escape, unescape
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from kernel.testing.box import Box
from plugins.console.services import rendering
from plugins.console.services.markdown import html_of
from plugins.console.testing import Browser
from tests.promises.hostile import PAYLOADS, Hostile, alive, sweep
from tests.promises.pages import LEADS_ON, address_of, composed_of, walked
from tests.proving import ON_SQLITE


async def shown(box: Box, paths: Iterable[str], payload: str) -> tuple[int, list[str]]:
    """Pages with what loads after them, each asked for a payload too. Returns texts found as text, and those alive."""
    browser, texts, live = Browser(box, "operator"), 0, []
    for path in paths:
        answers = [await browser.http.get(f"/console{path}", params={**_asked(path), "q": payload})]
        if answers[0].status_code == 422:  # no list is searched by such words: it says so
            answers.append(await browser.http.get(f"/console{path}", params=_asked(path)))
        assert answers[-1].status_code == (303 if path in LEADS_ON else 200), path
        answers += [await browser.http.get(one) for one in dict.fromkeys(walked(answers[-1].text).pieces)]
        for one in answers:
            read = alive(one.text)
            texts += read.texts
            live += [f"{path}: {found}" for found in read.found]
    return texts, live


def every_page(box: Box, own: dict[str, str]) -> list[str]:
    """Where all pages are."""
    return [address_of(placed, own) for placed in composed_of(box).pages]


def _asked(path: str) -> dict[str, str]:
    query = path.partition("?")[2]
    return dict(pair.split("=") for pair in query.split("&")) if query else {}


async def outside(box: Box, own: dict[str, str], payload: str) -> list[str]:
    """What is alive for people who are not signed in: payers, who signs in or goes astray, readers of letters."""
    browser = Browser(box, None)
    link = (await box.client("owner").get(f"/api/v1/payment_links/links/{own['link_id']}")).json()
    ours = {"Sec-Fetch-Site": "same-origin"}
    answers = [
        await browser.http.get(httpx.URL(link["address"]).path),
        await browser.http.get("/console/sign-in", params={"to": f"/{payload}"}),
        await browser.http.post("/console/sign-in", data={"username": payload, "_to": payload}, headers=ours),
        await Browser(box).http.get(f"/console/{quote(payload)}"),
        await Browser(box).http.get("/console/search", params={"q": payload}),
        await browser.http.get("/docs"),
    ]
    letters = [letter.get_body(("html",)) for letter in await box.letters()]
    texts = [one.text for one in answers] + [str(one.get_content()) for one in letters if one is not None]
    return [found for text in texts for found in alive(text).found if "style" not in found.partition(": ")[2]]


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_is_typed_is_text_on_every_page(box: Box) -> None:
    """Each text of a filled shop another payload."""
    own = await Hostile(box, "mama-njeri", 0).fill()
    texts, live = await shown(box, every_page(box, own), PAYLOADS[6])
    print(f"{texts} payloads stood on pages as text")
    live += await outside(box, own, PAYLOADS[4])
    assert not live, "\n".join(live)
    assert texts > 300


@pytest.mark.prove
@ON_SQLITE
@pytest.mark.parametrize("turn", range(len(PAYLOADS)))
async def test_every_payload_in_every_text_field_is_text_on_every_page(box: Box, turn: int) -> None:
    filling = Hostile(box, "mama-njeri", turn)
    own = await filling.fill()
    sent, taken = await sweep(box, filling)
    texts, live = await shown(box, every_page(box, own), PAYLOADS[turn])
    live += await outside(box, own, PAYLOADS[turn])
    print(f"{filling.said} words, {taken} of {sent} texts taken, {texts} stood on pages as text")
    assert not live, "\n".join(live)
    assert taken > 80
    assert texts > 300


@pytest.mark.parametrize("database", ["sqlite"])
async def test_templates_that_trust_a_text_are_caught(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: no page escapes what it shows."""
    made = rendering.environment_of

    def trusting(folders: Any) -> Any:
        environment = made(folders)
        environment.autoescape = False
        return environment

    monkeypatch.setattr("plugins.console.services.visiting.environment_of", trusting)
    monkeypatch.setattr("plugins.console.services.visiting._ENVIRONMENTS", {})
    filling = Hostile(box, "mama-njeri", 0)
    await filling.shelves()
    for path in ("/taxes/classes", "/catalog/brands", f"/taxes/classes/{filling.own['class_id']}"):
        _, live = await shown(box, [path], PAYLOADS[1])
        assert live, path


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_plugins_own_words_are_text_too(payload: str) -> None:
    said = "\n\n".join(
        (payload, f"# {payload}", f"- {payload}", f"| {payload} |\n|---|\n| {payload} |", f"`{payload}`")
    )
    assert not alive(str(html_of(f"{said}\n\n[x]({payload})\n\n**{payload}**"))).found


def test_each_payload_is_found_where_it_is_not_escaped() -> None:
    """The check itself."""
    assert [one for one in PAYLOADS if not any(map(_lives, _meanings(one)))] == []
    assert not alive("".join(f"<b title='{escape(one)}'>{escape(one)}</b>" for one in PAYLOADS)).found


def _meanings(payload: str) -> list[str]:
    """A payload, and what it is once somebody has decoded or reckoned it."""
    reckoned = re.sub(r"[$#]?{?{(% print )?7\*7( %)?}}?|<%= 7\*7 %>", "49", payload)
    unescaped = payload.replace("\\u003c", "<").replace("\\u003e", ">")
    return [payload, reckoned, unescaped, unescape(payload), unquote(payload), unicodedata.normalize("NFKC", payload)]


def _lives(text: str) -> bool:
    around = ("{}", '<b title="{}">', "<b title='{}'>", '<a href="{}">x</a>')
    return any(alive(one.format(text)).found for one in around)
