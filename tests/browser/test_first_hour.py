"""The first hour of a shop in the browser: from an account and nothing else to a sale with a coupon, taken back."""

from __future__ import annotations

from playwright.async_api import Page, expect

from kernel.testing.box import PASSWORD, Box
from plugins.console.testing import a_newcomer
from tests.browser.screens import Screens
from tests.proving import ON_SQLITE

pytestmark = ON_SQLITE


async def press(page: Page, button: str, leads: str) -> None:
    """Press a button and wait for where it leads."""
    await page.get_by_role("button", name=button, exact=True).click()
    await page.wait_for_url(f"**{leads}", wait_until="load")


async def apply_plan(page: Page, link: str, leads: str) -> None:
    """Look at a plan in its sheet, and apply it."""
    await page.get_by_role("link", name=link).first.click()
    await expect(page.locator("#sheet .d-note.ok")).to_contain_text("Safe to apply")
    async with page.expect_navigation(url=f"**{leads}", wait_until="load"):
        await page.locator("#sheet button[type=submit]").click()


async def set_up(page: Page) -> None:
    """Everything from the sign-in to goods on the shelves."""
    await page.get_by_role("link", name="Kenya").click()
    await page.locator("[name=name]").fill("Njeri Stores")
    await press(page, "Make the business", "/setup/country")
    await page.locator("[name='values.tax_number']").fill("P051234567X")
    await press(page, "We are registered", "/setup/apps")
    await apply_plan(page, "Turn them on…", "/setup/apps")
    await page.get_by_role("link", name="Next").click()
    async with page.expect_navigation(wait_until="load"):
        await page.get_by_role("button", name="Add the till").click()
    await page.get_by_role("link", name="Next").click()
    await page.locator("[name='products.0.name:row']").fill("Rice 2kg")
    await page.locator("[name='products.0.price:row']").fill("380")
    async with page.expect_navigation(wait_until="load"):
        await page.get_by_role("button", name="Save the products").click()
    await page.locator("[name='lines.0.quantity:row']").fill("10")
    async with page.expect_navigation(wait_until="load"):
        await page.get_by_role("button", name="Take it in").click()


async def draw_up_a_coupon(page: Page, screens: Screens) -> None:
    """Discounts turned on by their plan, and a tenth off for who has the word."""
    await screens.go(page, "/apps?q=promotions")
    await apply_plan(page, "Turn on…", "/apps")
    await screens.go(page, "/discounts/promotions/new?kind=percent&by_coupon=1")
    await page.locator("[name=name]").fill("Opening")
    await page.locator("[name='effect.percent']").fill("10")
    await press(page, "Save as a draft", "/discounts/promotions/*")
    await page.get_by_role("button", name="Activate").click()
    await expect(page.locator("dt", has_text="Activated")).to_be_visible()
    await screens.go(page, "/discounts/coupons/new")
    await page.locator("#one-code").fill("KARIBU")
    await press(page, "Make it", "/discounts/coupons?batch_id=*")


async def sell(page: Page, screens: Screens) -> None:
    """Two bags of rice with the coupon, for exact cash."""
    await screens.go(page, "/sales/sell")
    for _ in range(2):
        await page.locator("#grid button", has_text="Rice 2kg").click()
    await expect(page.locator("#due")).to_have_text("KSh 760.00")
    await page.locator("#coupon").click()
    await page.locator("#code").fill("karibu")
    await page.keyboard.press("Enter")
    await expect(page.locator("#due")).to_have_text("KSh 684.00")
    await page.locator("#pay").click()
    await expect(page.locator("#amount")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog h2")).to_contain_text("T1")


async def test_a_shop_opens_sells_with_a_coupon_and_takes_it_back(box: Box, screens: Screens) -> None:
    email, page = await a_newcomer(box), await screens.open(None)
    page.on("dialog", lambda dialog: dialog.accept())
    await screens.go(page, "/setup")
    await page.locator("[name=username]").fill(email)
    await page.locator("[name=password]").fill(PASSWORD)
    await press(page, "Sign in", "/setup/business")
    await set_up(page)
    await draw_up_a_coupon(page, screens)
    await sell(page, screens)

    await screens.go(page, "/")
    await expect(page.locator(".d-kpi .figure").first).to_have_text("KSh 684.00")
    await expect(page.get_by_role("region", name="Set up your shop")).to_contain_text("5 of 6")
    await screens.go(page, "/sales/sales")
    await page.locator("#rows a[href*='/sales/sales/']").first.click()
    await page.locator("a[data-sheet]", has_text="Why?").click()
    await expect(page.locator("#sheet")).to_contain_text("Opening")
    await page.locator("#sheet [data-close]").click()
    await page.locator("[name=reason]").fill("only trying")
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.locator(".d-note.bad")).to_contain_text("only trying")
    await screens.go(page, "/inventory/levels")
    await expect(page.locator("#rows tbody tr", has_text="Rice 2kg")).to_contain_text("10")
    await screens.go(page, "/daybook/days")
    await expect(page.get_by_role("region", name="Taken back", exact=True)).to_contain_text("684.00")
