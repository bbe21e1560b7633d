"""Words that want to be more than words: fifty payloads, a shop filled with them, and what of them came alive."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import msgspec

from kernel.testing.box import Box
from kernel.web import OPERATOR, Route
from tests.promises.bodies import plain_body, put, spots
from tests.promises.filling import Filling

PAYLOADS: Final[tuple[str, ...]] = (
    "<script>xss(1)</script>", "<img src=x onerror=xss(2)>", "<svg onload=xss(3)>", "<svg/onload=xss(4)>",
    '"><script>xss(5)</script>', "'><script>xss(6)</script>", '" onmouseover="xss(7)', "' onmouseover='xss(8)",
    '" autofocus onfocus="xss(9)', "<body onload=xss(10)>", "<iframe src=javascript:xss(11)>", "javascript:xss(12)",
    "<a href=javascript:xss(13)>x</a>", "<details open ontoggle=xss(14)>", "<video><source onerror=xss(15)>",
    "<input autofocus onfocus=xss(16)>", "<math><a xlink:href=javascript:xss(17)>x", "</title><script>xss(18)</script>",
    "</textarea><script>xss(19)</script>", "</script><script>xss(20)</script>", "<!--><img src=x onerror=xss(21)>-->",
    "<ScRiPt>xss(22)</sCrIpT>", "<scr<script>ipt>xss(23)</script>", "<img src=x onerror='xss(24)'//",
    "<style>*{background:url(//xss25)}</style>", "<base href=//xss26>", "<meta http-equiv=refresh content=0;//xss27>",
    "<link rel=stylesheet href=//xss28>", "<object data=javascript:xss(29)>", "<embed src=javascript:xss(30)>",
    "<form action=javascript:xss(31)><button>x", "<button formaction=javascript:xss(32)>x",
    "<b hx-get=/xss33 hx-trigger=load>", '" hx-get="/xss34" hx-trigger="load', "<b hx-on:load=xss(35)>",
    "<template><script>xss(36)</script></template>", "<iframe srcdoc='<script>xss(37)</script>'>",
    "{{7*7}}xss38", "${7*7}xss39", "{% print 7*7 %}xss40", "<%= 7*7 %>xss41", "#{7*7}xss42",
    "&lt;script&gt;xss(43)&lt;/script&gt;", "&#60;img src=x onerror=xss(44)&#62;", "%3Cscript%3Exss(45)%3C/script%3E",
    "\\u003cscript\\u003exss(46)\\u003c/script\\u003e", "\uff1cscript\uff1exss(47)\uff1c/script\uff1e",
    "'-xss(48)-'", '";xss(49);//', "`><xss id=xss50 tabindex=1 onfocus=xss(50)>",
)  # fmt: skip
WORD: Final = "xss"
HARMLESS: Final = frozenset(
    {
        *(
            "value",
            "alt",
            "title",
            "aria-label",
            "placeholder",
            "data-confirm",
            "data-said",
            "data-config",
            "data-copy",
        ),
        *("content", "label"),
    }
)
"""Attributes whose text is text, whatever it says."""
_ADDRESSES: Final = frozenset({"href", "src", "action", "formaction", "data", "xlink:href", "poster", "hx-get"})
_LIVE: Final = re.compile(r"\s*(javascript|vbscript|data\s*:\s*text)", re.IGNORECASE)
_OURS: Final = re.compile(r"/console|/static/|\?|mailto:|tel:|/pay/")
_UNTOUCHED: Final = ("auth.", "plugins.", "operating", "support", "sales.import")
"""Operations that would end what the others need: sign-ins, plugins, businesses."""


class Hostile(Filling):
    """Fills a shop with payloads in place of words, each text another; turn: with which of them it begins."""

    def __init__(self, box: Box, shop: str, turn: int) -> None:
        super().__init__(box, shop)
        self.turn, self.said = turn, 0

    async def fill(self) -> dict[str, str]:
        """Make everything, and every text that a request may have, as far as it is taken."""
        return await self._fill()

    def text(self, words: str) -> str:
        """The next payload, with words that make it one of its kind."""
        self.said += 1
        return f"{self.next()} {words}"

    def next(self) -> str:
        """The next payload."""
        self.turn += 1
        return PAYLOADS[self.turn % len(PAYLOADS)]


async def sweep(box: Box, filling: Hostile) -> tuple[int, int]:
    """Send every request that writes with a payload in each text that may hold one. Returns texts sent and taken."""
    sent = taken = 0
    for number, route in enumerate(box.app.routes):
        if route.body is None or route.operation.startswith(_UNTOUCHED) or route.method not in ("POST", "PUT", "PATCH"):
            continue
        for place, pointer in enumerate(spots(route.body, str)):
            token = f"h{number}-{place}"
            try:
                body = put(route, plain_body(route, filling.own, token), pointer, filling.next(), filling.own, token)
                msgspec.convert(body, route.body)
            except (msgspec.ValidationError, AssertionError, LookupError, StopIteration, TypeError):
                continue  # no text, but a code, a number or an address: it takes no payload
            sent += 1
            answer = await _send(box, route, body, filling.own)
            assert answer.status_code < 500, f"{route.operation} {pointer}: {answer.text}"
            taken += answer.status_code < 300
    return sent, taken


async def _send(box: Box, route: Route, body: Any, own: dict[str, str]) -> Any:
    client = box.client("operator" if route.permission == OPERATOR else "owner")
    path = re.sub(r"{(\w+)}", lambda found: own.get(found[1], "0"), route.path)
    if route.method == "POST":
        return await client.post(path, body)
    tag = (await client.get(path)).headers.get("etag")
    return await client.send(route.method, path, json=body, headers={"If-Match": tag} if tag else {})


@dataclass
class Alive(HTMLParser):
    """Reads a page as a browser does, and tells what of a payload became more than text."""

    found: list[str] = field(default_factory=list)
    texts: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        shown = f"<{tag} {said}>"
        if WORD in tag or tag in ("base", "object", "embed", "iframe", "style"):
            self.found.append(shown)
        if tag == "script" and not said.get("src", "").startswith("/static/"):
            self.found.append(shown)
        for name, value in said.items():
            if self._is_live(name, value):
                self.found.append(f"{shown}: {name}")
            self.texts += name in HARMLESS and WORD in value

    @staticmethod
    def _is_live(name: str, value: str) -> bool:
        if WORD in name or name.startswith(("on", "hx-on")) or name in ("style", "srcdoc"):
            return True
        if name in _ADDRESSES and (_LIVE.match(value) or (WORD in value and not _OURS.match(value))):
            return True
        return WORD in value and name not in HARMLESS | _ADDRESSES

    def handle_data(self, data: str) -> None:
        self.texts += WORD in data
        if f"49{WORD}" in data or (self.cdata_elem and WORD in data):
            self.found.append(f"{self.cdata_elem or 'reckoned'}: {data[:80]}")


def alive(text: str) -> Alive:
    """What of a page's payloads is alive; texts: how many stand there as the text that they are."""
    read = Alive()
    read.feed(text)
    read.close()
    return read
