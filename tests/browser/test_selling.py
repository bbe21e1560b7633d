"""The till in the browser: exact cash in three keys after scanning, and nothing sold twice."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from tests.browser.screens import Screens

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


async def test_a_cashier_sells_for_exact_cash_with_three_keys_after_scanning(box: Box, screens: Screens) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", barcodes=["6161100000018"], track_stock=False)
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    for _ in range(2):
        await page.keyboard.type("6161100000018")
        await page.keyboard.press("Enter")
        await expect(page.locator("#scan")).to_have_value("")
    await expect(page.locator("#due")).to_have_text("KES 760.00")
    await page.keyboard.press("F9")
    await expect(page.locator("#amount")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog h2")).to_contain_text("2026")
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog")).not_to_be_visible()
    await expect(page.locator("#pay")).to_be_disabled()
    sold = (await box.client("owner").get("/api/v1/sales/sales")).json()["items"]
    assert [one["total"] for one in sold] == ["760.00"]


async def test_a_lost_answer_and_hasty_keys_sell_once(box: Box, screens: Screens) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", barcodes=["6161100000018"], track_stock=False)
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    await page.keyboard.type("6161100000018")
    await page.keyboard.press("Enter")
    await expect(page.locator("#pay")).to_be_enabled()
    lost: list[object] = []

    async def lose(route: object, request: object) -> None:
        if not lost:
            lost.append(await route.fetch())  # type: ignore[attr-defined]
            await route.abort()  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await page.route("**/api/v1/sales/sales", lose)
    await page.keyboard.press("F9")
    await expect(page.locator("#amount")).to_be_focused()
    for _ in range(4):
        await page.keyboard.press("Enter")
    await expect(page.locator("#dialog .d-note.bad, #dialog h2:has-text('2026')").first).to_be_visible()
    if await page.locator("#amount").count():
        await page.locator("#amount").press("Enter")
    await expect(page.locator("#dialog h2")).to_contain_text("2026")
    sold = (await box.client("owner").get("/api/v1/sales/sales")).json()["items"]
    assert len(sold) == 1
    assert lost
    screens.complaints = [one for one in screens.complaints if "ERR_FAILED" not in one]
