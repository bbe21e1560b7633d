"""P21 and P23 in the console: who is let in to which page, what the menu shows, and no button that would be refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from kernel.plugin import ROLES
from kernel.testing.box import Box
from kernel.web import IN_PERSON, PUBLIC, SIGNED_IN
from plugins.console import site
from plugins.console.testing import Browser
from tests.promises.filling import Filling
from tests.promises.pages import LEADS_ON, Api, address_of, composed_of, permission_of, walked
from tests.promises.test_roles import rights_of
from tests.proving import ON_SQLITE

PRINCIPALS: tuple[str | None, ...] = (*ROLES, "operator", None)
ABOVE = "/console/"
OWN = {*site.OPEN, *site.SIGNED_IN}
"""What the console answers by itself."""


@dataclass
class Round:
    """One walk through the console as somebody."""

    box: Box
    role: str | None
    held: frozenset[str]
    wrong: list[str] = field(default_factory=list)
    opened: int = 0
    deeds: int = 0
    links: int = 0

    def __post_init__(self) -> None:
        self.browser, self.composed, self.api = Browser(self.box, self.role), composed_of(self.box), Api.of(self.box)

    def may(self, permission: str) -> bool:
        """Whether the role holds what a page asks for."""
        return not permission or permission in self.held

    async def pages(self, own: dict[str, str], every: int, paths: Collection[str] = ()) -> None:
        """Ask for every page; on those that open, look at every button and link. every: open each so-manieth."""
        turn = PRINCIPALS.index(self.role)
        for place, placed in enumerate(self.composed.pages):
            path = address_of(placed, own)
            expected = 303 if self.role is None else 200 if self.may(permission_of(placed)) else 404
            if (paths and path not in paths) or (expected == 200 and (place + turn) % every):
                continue
            shown = await self.browser.get(path)
            if expected == 200 and path in LEADS_ON and shown.status == 303:
                shown = await self.browser.get(shown.answer.headers["location"].removeprefix("/console"))
            if shown.status != expected:
                self.wrong.append(f"{path} as {self.role}: {shown.status}, expected {expected}")
            elif expected == 200:
                self.opened += 1
                await self.look(path, shown.text)

    async def look(self, path: str, text: str) -> None:
        """Look at what a page offers, and at the pieces that load after it."""
        found = walked(text)
        for deed in found.deeds:
            self.deeds += 1
            needs = self.api.permission(deed.method, deed.path)
            if needs is None:
                self.wrong.append(f"{path}: a form to {deed.method} {deed.path}, which there is not")
            elif needs not in (PUBLIC, SIGNED_IN, IN_PERSON, *self.held):
                self.wrong.append(f"{path} as {self.role}: a form to {deed.method} {deed.path}, which asks for {needs}")
            if deed.then:
                self.leads(path, f"/console{deed.then}")
        for to in found.links:
            self.leads(path, to)
        for piece in dict.fromkeys(found.pieces):
            shown = await self.browser.http.get(piece)
            if shown.status_code != 200:
                self.wrong.append(f"{path} as {self.role}: the piece {piece} answers {shown.status_code}")
            await self.look(path, shown.text)

    def leads(self, path: str, to: str) -> None:
        """Whether a link leads somewhere that opens."""
        to = to.partition("?")[0].partition("#")[0]
        if not f"{to}/".startswith(ABOVE):
            return
        self.links += 1
        below = to.removeprefix("/console") or "/"
        if below.startswith("/api/v1/"):
            needs = self.api.permission("GET", below.removeprefix("/api/v1"))
        else:
            placed = self.composed.find(below.replace("{", "").replace("}", ""))
            needs = permission_of(placed[0]) if placed else "" if ("GET", below) in OWN else None
        if needs is None:
            self.wrong.append(f"{path}: a link to {to}, which there is not")
        elif needs not in ("", PUBLIC, SIGNED_IN, IN_PERSON, *self.held):
            self.wrong.append(f"{path} as {self.role}: a link to {to}, which asks for {needs}")

    async def menu(self) -> None:
        """The menu shows the entries whose pages open, and no other."""
        text = (await self.browser.get("/")).text
        text = text[text.index('<nav class="d-nav"') :]
        shown = {one.removeprefix("/console") or "/" for one in walked(text[: text.index("</nav>")]).links}
        opening = set()
        for nav in self.composed.navs:
            placed = self.composed.find(nav.to)
            if placed is None:
                self.wrong.append(f"the menu leads to {nav.to}, which there is not")
            elif self.may(permission_of(placed[0])):
                opening.add(nav.to)
        self.wrong += [f"the menu of {self.role} shows {one}, which does not open" for one in sorted(shown - opening)]
        self.wrong += [f"the menu of {self.role} lacks {one}, which opens" for one in sorted(opening - shown)]


async def walk(box: Box, role: str | None, own: dict[str, str], every: int = 1, paths: Collection[str] = ()) -> Round:
    """Walk through all of it as somebody."""
    made = Round(box, role, await rights_of(box, role))
    await made.pages(own, every, paths)
    if role is not None:
        await made.menu()
    return made


@ON_SQLITE
@pytest.mark.parametrize("every", [pytest.param(3, id="in turns"), pytest.param(1, id="all", marks=pytest.mark.prove)])
async def test_each_role_opens_exactly_its_pages_and_finds_no_button_that_would_be_refused(
    box: Box, every: int
) -> None:
    """In usual runs a page is opened by a third of the roles that may, and refused to all that may not."""
    own = await Filling(box, "mama-njeri").fill()
    wrong = []
    for role in PRINCIPALS:
        made = await walk(box, role, own, every)
        print(f"{role}: {made.opened} of {len(made.composed.pages)} pages, {made.deeds} forms, {made.links} links")
        wrong += made.wrong
        assert role is None or made.opened > 2
        assert len(made.composed.pages) > 90
    assert not wrong, "\n".join(wrong)


@ON_SQLITE
async def test_pages_that_forget_whom_they_are_for_are_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twins: a page and a form for everybody, an entry of the menu shown to who may not, one that is not."""
    own = await Filling(box, "mama-njeri").fill()
    broken = {"/people": "", "/inventory/adjustments/new": "", "/settings": "no.such"}
    found = composed_of(box)
    for place, one in enumerate(found.pages):
        if (path := address_of(one, own)) in broken:
            page = dataclasses.replace(one.page, permission=broken[path])
            found.pages[place] = dataclasses.replace(one, page=page)
    shown = dict.fromkeys(("/sales/registers", "/audit"), "")
    found.navs[:] = [dataclasses.replace(nav, permission=shown.get(nav.to, nav.permission)) for nav in found.navs]
    monkeypatch.setattr("plugins.console.services.visiting.composed_of", lambda *_: found)
    monkeypatch.setattr("tests.promises.test_pages.composed_of", lambda _: found)
    told = (await walk(box, "cashier", own, paths={"/people", "/inventory/adjustments/new", "/settings"})).wrong
    assert "/people as cashier: 403, expected 200" in told
    assert any("a form to POST /inventory/adjustments, which asks for inventory.adjust" in one for one in told)
    assert "the menu of cashier shows /sales/registers, which does not open" in told
    assert "the menu of cashier shows /audit, which does not open" in told
    told = (await walk(box, "owner", own, paths={"/settings"})).wrong
    assert told == ["the menu of owner shows /settings, which does not open"]


@ON_SQLITE
async def test_buttons_and_links_that_lead_nowhere_or_too_far_are_found(box: Box) -> None:
    """Broken twins of what stands on a page."""
    made = Round(box, "cashier", await rights_of(box, "cashier"))
    form = (
        '<form method="post" action="/console/do"><input name="_to" value="{}"><input name="_method" value="{}"></form>'
    )
    wrong = [
        form.format("/catalog/products", "POST"),
        form.format("/catalog/nothing", "POST"),
        form.format("/catalog/brands/1", "BREW"),
        '<input type="file" data-put="/catalog/imports">',
        '<a href="/console/roles?x=1">Roles</a>',
        '<a href="/console/nothing">Nothing</a>',
        '<a href="/console/api/v1/audit">The trail</a>',
        '<button hx-post="/console/api/v1/locations">Add</button>',
    ]
    for one in wrong:
        before = len(made.wrong)
        await made.look("/", one)
        assert len(made.wrong) == before + 1, one
    fine = [form.format("/sales/held", "POST"), '<a href="/console/sales/sell">Sell</a>', '<a href="/docs">API</a>']
    for one in fine:
        await made.look("/", one)
    assert len(made.wrong) == len(wrong)
