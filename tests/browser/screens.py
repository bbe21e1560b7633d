"""Screens: pages in Chromium, opened as the person of a role, watched for errors and for requests to the outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from kernel.testing.box import Box

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDE, PHONE = (1440, 900), (390, 844)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Screens:
    """Opens pages. complaints: errors of pages, and requests that left the server's own address."""

    def __init__(self, box: Box, browser: Browser, url: str) -> None:
        self.box, self.browser, self.url = box, browser, url
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []

    async def open(
        self,
        role: str | None = "owner",
        *,
        size: tuple[int, int] = WIDE,
        light: Literal["light", "dark"] = "light",
        language: str = "",
        shop: str = "mama-njeri",
    ) -> Page:
        """A page of somebody who is signed in (None: a stranger)."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=light, reduced_motion="reduce"
        )
        self._contexts.append(context)
        cookies: dict[str, str] = {"duka_language": language} if language else {}
        if token := self.box.client(role, shop).token:
            cookies["duka_access"] = token
        for name, value in cookies.items():
            await context.add_cookies([{"name": name, "value": value, "url": f"{self.url}/console", "httpOnly": True}])
        page = await context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)
        return page

    async def go(self, page: Page, path: str) -> Page:
        """Load a page below `/console`, and wait for the pieces that load after it."""
        await page.goto(f"{self.url}/console{path}", wait_until="load")
        await expect(page.locator(".d-skeleton, .htmx-request")).to_have_count(0, timeout=30_000)
        return page

    async def close(self) -> None:
        """Close every page."""
        for context in self._contexts:
            await context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"asked the outside for {request.url}")


async def axe(page: Page) -> list[str]:
    """What axe finds wrong with a page: rule and the first place of each."""
    await page.evaluate(AXE.read_text())
    found: dict[str, Any] = await page.evaluate(
        "async (rules) => { const said = await axe.run(document, {runOnly: {type: 'tag', values: rules}, "
        "resultTypes: ['violations'], preload: false}); return {violations: said.violations}; }",
        RULES,
    )
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in found["violations"]]


async def overflow(page: Page) -> int:
    """By how many pixels a page is wider than the screen."""
    wide: int = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(0, wide)
