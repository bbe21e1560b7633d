"""Every page the menu leads to: no error, nothing asked of the outside, no sideways scroll, no complaint of axe."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser as Plain
from tests.browser.screens import PHONE, WIDE, Screens, axe, overflow
from tests.promises.filling import Filling
from tests.promises.pages import LEADS_ON, address_of, composed_of
from tests.proving import ON_SQLITE

Mode = tuple[tuple[int, int], Literal["light", "dark"], str]
MODES: list[Mode] = [(WIDE, "light", "en"), (PHONE, "dark", "sw"), (PHONE, "light", "ar"), (WIDE, "dark", "hi")]
EVERY_MODE = pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode[0][0]}-{mode[1]}-{mode[2]}")


async def paths_of(box: Box, role: str) -> list[str]:
    """The pages of somebody's menu, in its order."""
    page = await Plain(box, role).get("/")
    menu = page.text[page.text.index('<nav class="d-nav"') : page.text.index("</nav>")]
    return [path.removeprefix("/console") or "/" for path in re.findall(r'href="(/console[^"]*)"', menu)]


@ON_SQLITE
async def test_every_page_is_whole_on_a_wide_screen_and_on_a_phone(box: Box, screens: Screens) -> None:
    """Each page in one of the modes in turn; `every_mode` has them all. Operators who own a shop have every entry."""
    await a_product(box, sku="RICE-2KG", name="Rice 2kg")
    paths = await paths_of(box, "operator")
    assert len(paths) > 30
    for turn, mode in enumerate(MODES):
        await _whole(screens, "operator", paths[turn :: len(MODES)], mode)


async def every_path(box: Box) -> list[str]:
    """All pages of the console, of a shop that has everything."""
    own = await Filling(box, "mama-njeri").fill()
    return sorted({address_of(one, own) for one in composed_of(box).pages} - LEADS_ON)


@ON_SQLITE
async def test_no_page_is_wider_than_a_phone(box: Box, screens: Screens) -> None:
    """A third of all pages; of a full shop each in every mode is proved below."""
    page = await screens.open("operator", size=PHONE, language="ar")
    wrong, paths = [], await every_path(box)
    assert len(paths) > 90
    for path in paths[::3]:
        await screens.go(page, path)
        if wide := await overflow(page):
            wrong.append(f"{path}: {wide} pixels wider than the screen")
    assert not wrong, "\n".join(wrong)


@ON_SQLITE
@pytest.mark.prove
@EVERY_MODE
async def test_every_page_of_a_full_shop_is_whole_in_every_mode(box: Box, screens: Screens, mode: Mode) -> None:
    await _whole(screens, "operator", await every_path(box), mode)


@ON_SQLITE
@pytest.mark.prove
@EVERY_MODE
@pytest.mark.parametrize("role", ["owner", "cashier", "accountant", "operator"])
async def test_every_page_is_whole_in_every_mode(box: Box, screens: Screens, role: str, mode: Mode) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg")
    await _whole(screens, role, await paths_of(box, role), mode)


async def _whole(screens: Screens, role: str, paths: Iterable[str], mode: Mode) -> None:
    size, light, language = mode
    page = await screens.open(role, size=size, light=light, language=language)
    wrong = []
    for path in paths:
        await screens.go(page, path)
        if wide := await overflow(page):
            wrong.append(f"{path} {mode}: {wide} pixels wider than the screen")
        wrong += [f"{path} {mode}: {one}" for one in await axe(page)]
    await page.context.close()
    assert not wrong, "\n".join(wrong)
