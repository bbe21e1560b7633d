"""Real Chromium before a served box. Where none is found these tests are skipped, aloud; CI demands one."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from kernel.testing.box import Box
from kernel.testing.served import Server, serving
from tests.browser.screens import Screens

expect.set_options(timeout=30_000)  # a busy machine is no fault of a page
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


def chromium() -> str:
    """The path of a Chromium that this machine has."""
    found = os.environ.get("DUKA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        said = "no Chromium is here: install Debian's package chromium, or name one by DUKA_CHROMIUM"
        if os.environ.get("DUKA_TEST_BROWSER") == "required":
            pytest.fail(said)
        pytest.skip(said)
    return found


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a worker."""
    path = chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        await opened.close()


@pytest.fixture
def served(box: Box) -> Iterator[Server]:
    """The box, served by a process of its own."""
    with serving(box.deployment.settings, extra={"DUKA_JOBS": "embedded"}) as [server]:
        yield server


@pytest_asyncio.fixture
async def screens(box: Box, browser: Browser, served: Server) -> AsyncIterator[Screens]:
    """Opens pages as somebody; at the end nothing may have been asked of the outside, nor any page have complained."""
    made = Screens(box, browser, served.url)
    yield made
    await asyncio.wait_for(made.close(), 30)
    assert made.complaints == []
