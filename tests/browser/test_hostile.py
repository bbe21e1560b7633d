"""P33 in a real browser: words of a shop that want to run do not, where scripts put them on the screen either."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Page, expect

from kernel.testing.box import PASSWORD, Box
from plugins.catalog.testing import a_product
from tests.browser.screens import Screens
from tests.promises.hostile import PAYLOADS, Hostile
from tests.promises.pages import address_of, composed_of
from tests.proving import ON_SQLITE

HEARS = "window.xss = (number) => { (window.heard ||= []).push(number); alert(number); };"


async def listening(screens: Screens, role: str = "operator") -> Page:
    """A page of somebody that tells of whatever runs: dialogs, calls, and what its policy had to stop."""
    page = await screens.open(role)
    await page.add_init_script(HEARS)

    async def heard(dialog: object) -> None:
        screens.complaints.append(f"a dialog: {dialog}")
        await dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", heard)
    return page


async def settled(screens: Screens, page: Page, url: str) -> None:
    """Open a page and wait for what it loads; nothing may have run."""
    await page.goto(url, wait_until="load")
    await expect(page.locator(".d-skeleton, .htmx-request")).to_have_count(0, timeout=30_000)
    assert await page.evaluate("window.heard || []") == [], url


@ON_SQLITE
async def test_what_scripts_show_of_a_shop_never_runs(box: Box, screens: Screens) -> None:
    """The till, what the search finds, a page with words of a shop, the payer's page."""
    own = await Hostile(box, "mama-njeri", 0).fill()
    for number in range(6):  # tags, and attributes that are left
        await a_product(box, sku=f"XSS-{number}", name=f"{PAYLOADS[number + 1]} rice", track_stock=False)
    page = await listening(screens)
    await settled(screens, page, f"{screens.url}/console/sales/sell")
    await expect(page.locator("#grid li").nth(3)).to_be_visible()
    await page.locator("#grid li button").first.click()
    await expect(page.locator("#lines li").first).to_be_visible()
    await page.locator("#held").click()
    await expect(page.locator("#dialog")).to_contain_text("xss")
    await page.keyboard.press("Escape")
    await settled(screens, page, f"{screens.url}/console/catalog/products")
    await page.locator("#find").fill("xss")
    await expect(page.locator("#found a").first).to_be_visible()
    await settled(screens, page, f"{screens.url}/console/inventory/receipts/{own['receipt_id']}")
    link = (await box.client("owner").get(f"/api/v1/payment_links/links/{own['link_id']}")).json()["address"]
    await settled(screens, page, f"{screens.url}{httpx.URL(link).path}")
    await markup_that_would_run_is_heard(screens)


async def markup_that_would_run_is_heard(screens: Screens) -> None:
    """The broken twin: a text put into a page as markup. The policy stops it, and the browser complains."""
    context = await screens.browser.new_context()  # of its own: of all others nothing may complain
    page = await context.new_page()
    await page.goto(f"{screens.url}/console/sign-in")
    async with page.expect_console_message(lambda said: said.type == "error" and "Security Policy" in said.text):
        await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b id=live onclick=xss(2)>')")
        await page.evaluate("document.getElementById('live').click()")
    await context.close()


@ON_SQLITE
@pytest.mark.prove
@pytest.mark.parametrize("turn", range(0, len(PAYLOADS), 5))
async def test_no_page_runs_any_payload(box: Box, screens: Screens, turn: int) -> None:
    own = await Hostile(box, "mama-njeri", turn).fill()
    page = await listening(screens)
    for placed in composed_of(box).pages:
        await settled(screens, page, f"{screens.url}/console{address_of(placed, own)}")
    screens.complaints[:] = [one for one in screens.complaints if "404" not in one]
    await settled(screens, page, f"{screens.url}/docs")
    await page.locator("[name=username]").fill("owner@mama-njeri.example")
    await page.locator("[name=password]").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator(".opblock-tag").first).to_be_visible(timeout=60_000)
