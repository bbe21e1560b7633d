"""What pages weigh as they are served: compressed, their files kept for good. Bytes are no timing: the limits hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest

from kernel.testing.box import Box
from kernel.testing.filling import fill_shop
from plugins.console.testing import Browser

COLD, WARM = 110 * 1024, 10 * 1024
"""Bytes on the wire with all headers: on a first visit, and with the files kept."""
_KNOWN: Final = 2
"""Bytes of a header line that came before on the same connection (HTTP/2, RFC 7541), as the deployment serves pages."""
BESIDES: Final[Mapping[str, tuple[str, ...]]] = {
    "/console/sales/sell": ("/console/api/v1/catalog/products?is_active=true&limit=48",),
}
"""What scripts of a page ask for at once."""
_TAG: Final = re.compile(r"<(?:link|script|use|img)\b[^>]*?\b(?:href|src)=\"(/[^\"#]+)")
_PIECE: Final = re.compile(r'hx-get="([^"]+)" hx-trigger="load')
_IN_CSS: Final = re.compile(r'url\("([^"]+)"\)')
STATIC: Final = Path(__file__).parents[1] / "static"


async def test_every_page_of_the_menu_keeps_to_its_weight(box: Box) -> None:
    await fill_shop(box)
    scales = Scales(Browser(box, "operator").http)
    told = [(path, *await scales.weigh(path)) for path in await scales.menu()]
    assert len(told) > 30, "an operator who owns the shop has the longest menu"
    heaviest, busiest = max(told, key=lambda one: one[1]), max(told, key=lambda one: one[2])
    print(f"cold at most {heaviest[1]:,} bytes ({heaviest[0]}), warm at most {busiest[2]:,} ({busiest[0]})")
    assert heaviest[1] <= COLD, heaviest
    assert busiest[2] <= WARM, busiest


async def test_pages_that_go_out_as_they_are_are_found_too_heavy(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr("kernel.web.packing.takes_gzip", lambda _: False)
    cold, warm = await Scales(Browser(box).http).weigh("/console/roles")
    assert cold > COLD
    assert warm > WARM


def test_a_file_that_a_style_sheet_names_is_named_by_its_digest() -> None:
    """Else it would be loaded twice: once as the page preloads it, once as the style sheet asks for it."""
    named = [one for sheet in STATIC.glob("*.css") for one in _IN_CSS.findall(sheet.read_text())]
    assert named
    for one in named:
        path, _, digest = one.partition("?v=")
        assert digest == hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12], one


class Scales:
    """Weighs pages for one reader."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self._files: dict[str, httpx.Response] = {}

    async def menu(self) -> list[str]:
        """The addresses of the menu."""
        text = (await self.http.get("/console")).text
        return re.findall(r'href="(/console[^"]*)"', text[text.index('<nav class="d-nav"') : text.index("</nav>")])

    async def weigh(self, path: str) -> tuple[int, int]:
        """Bytes of a page with all it loads: cold, and with its files kept."""
        page = await self.http.get(path)
        assert page.status_code == 200, path
        others = [await self.http.get(one) for one in (*_PIECE.findall(page.text), *BESIDES.get(path, ()))]
        assert {one.status_code for one in others} <= {200}, path
        files = await self._all_of(_TAG.findall(page.text))
        known: set[tuple[bytes, bytes]] = set()
        warm = sum(_bytes(one, known) for one in (page, *others))
        return warm + sum(_bytes(one, known) for one in files), warm

    async def _all_of(self, named: Iterable[str]) -> list[httpx.Response]:
        """Files, and those that they name in turn. Each may be kept for good."""
        wanted = list(dict.fromkeys(named))
        for one in wanted:
            answer = await self._file(one)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable", one
            if "css" in answer.headers["content-type"]:
                here = httpx.URL(f"http://duka.test{one}")
                below = [here.join(inner).raw_path.decode() for inner in _IN_CSS.findall(answer.text)]
                wanted += [inner for inner in below if inner not in wanted]
        return [self._files[one] for one in wanted]

    async def _file(self, path: str) -> httpx.Response:
        if path not in self._files:
            self._files[path] = await self.http.get(path)
            assert self._files[path].status_code == 200, path
        return self._files[path]


def _bytes(answer: httpx.Response, known: set[tuple[bytes, bytes]]) -> int:
    """What an answer takes on the wire: its headers with a date, and the body as it was sent."""
    lines = [(b":status", b"200"), (b"date", b"Sat, 21 Nov 2026 09:00:00 GMT"), *answer.headers.raw]
    headers = sum(_KNOWN if line in known else len(line[0]) + len(line[1]) + 4 for line in lines)
    known.update(lines)
    return headers + answer.num_bytes_downloaded


@pytest.fixture
def database() -> str:
    """What is weighed asks nothing of the database."""
    return "sqlite"
