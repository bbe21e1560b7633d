"""The dashboard that stays open shows what is sold meanwhile."""

from __future__ import annotations

import re

from playwright.async_api import expect

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from tests.browser.screens import Screens
from tests.browser.test_story import sold
from tests.proving import ON_SQLITE

pytestmark = ON_SQLITE


async def test_a_sale_elsewhere_appears_on_the_open_dashboard_and_an_arrangement_stays(
    box: Box, screens: Screens
) -> None:
    rice, place = await a_product(box, sku="RICE-2KG", price="380.00", track_stock=False), await box.location()
    page = await screens.open("owner")
    await screens.go(page, "/")
    figure = page.locator(".d-kpi .figure").first
    await expect(figure).to_have_text("KSh 0.00")
    await page.evaluate("window.isTheSame = true")
    await sold(box, screens, {"location_id": str(place), "lines": [{"product_id": str(rice), "quantity": "2"}]})
    await expect(figure).to_have_text("KSh 760.00", timeout=60_000)
    assert await page.evaluate("window.isTheSame"), "without loading the page anew"
    await page.get_by_role("link", name="Arrange").click()
    up = page.get_by_role("button", name="Up: Sales by hour")
    await up.focus()
    await page.keyboard.press("Enter")
    await page.locator("#sheet").get_by_role("button", name="Save").click()
    first = page.locator(".d-cards > *").first
    await expect(first).to_have_attribute("aria-label", "Sales by hour", timeout=60_000)


async def test_who_signs_out_in_one_tab_leaves_nothing_to_be_read_in_another(screens: Screens) -> None:
    left = await screens.go(await screens.open(), "/customers/customers")
    typed, asks = await left.context.new_page(), await left.context.new_page()
    await screens.go(typed, "/customers/customers/new")
    await typed.locator("main [name=name]").fill("Asha")
    await screens.go(asks, "/account")
    await asks.locator("form[action='/console/sign-out']").evaluate("form => form.submit()")
    await expect(asks).to_have_url(re.compile("/sign-in$"))
    for page in (left, typed):
        await page.bring_to_front()
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(left).to_have_url(re.compile("/sign-in"))
    await typed.wait_for_timeout(3000)
    await expect(typed.locator("main [name=name]")).to_have_value("Asha")
    screens.complaints = [one for one in screens.complaints if "401" not in one]
