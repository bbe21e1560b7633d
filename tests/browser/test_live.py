"""The dashboard that stays open shows what is sold meanwhile."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from tests.browser.screens import Screens
from tests.browser.test_story import sold

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


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
