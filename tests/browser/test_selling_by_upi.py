"""The till in the browser takes UPI: a code to scan, then the number that the shop's own phone shows."""

from __future__ import annotations

import base64

import pytest
from playwright.async_api import expect

from kernel.testing.box import Box
from plugins.gateways_upi.testing import BARCODE, PAYMENTS, SHOP, an_upi_shop
from plugins.gateways_upi.tests.scanning import scanned
from tests.browser.screens import Screens

pytestmark = [pytest.mark.prove, pytest.mark.parametrize("database", ["sqlite", "postgresql"])]
PICTURE = "async (one) => btoa(String.fromCharCode(...new Uint8Array(await (await fetch(one.src)).arrayBuffer())))"


async def test_a_cashier_shows_a_code_and_types_the_number_of_the_money(box: Box, screens: Screens) -> None:
    shop = await an_upi_shop(box)
    page = await screens.open("cashier", shop=SHOP)
    await screens.go(page, "/sales/sell")
    await page.keyboard.type(BARCODE)
    await page.keyboard.press("Enter")
    await expect(page.locator("#pay")).to_be_enabled()
    await page.keyboard.press("F9")
    await page.get_by_role("button", name="UPI", exact=True).click()
    await page.get_by_role("button", name="Take payment").click()
    picture = page.locator("#dialog img")
    await expect(picture).to_be_visible(timeout=30_000)
    drawn = base64.b64decode(await picture.evaluate(PICTURE))
    assert "&am=250.00&cu=INR" in scanned(drawn, "image/svg+xml")
    assert await picture.evaluate("(one) => one.decode().then(() => one.naturalWidth > 100)")
    await page.locator("#number").fill("4263 0000 0001")
    await page.get_by_role("button", name="It has come").click()
    await expect(page.locator("#dialog h2")).to_contain_text("26", timeout=30_000)
    [sold] = (await shop.as_("owner").get("/api/v1/sales/sales")).json()["items"]
    [paid] = (await shop.as_("owner").get(f"{PAYMENTS}/payments")).json()["items"]
    assert (sold["status"], paid["reference"], paid["flags"]) == ("completed", "426300000001", ["unverified"])
