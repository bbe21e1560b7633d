"""A colleague approves at the till: a name, and digits pressed on a pad."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from kernel.testing.box import Box
from kernel.testing.served import Server, serving
from kernel.tests.at_tills import SECRET_DIGITS, set_pin
from plugins.catalog.testing import a_product
from tests.browser.screens import PHONE, Screens, overflow
from tests.proving import ON_SQLITE

pytestmark = ON_SQLITE
WRONG = "8053"


@pytest.fixture
def served(box: Box) -> Iterator[Server]:
    """The box, served where PINs approve in any sign-in."""
    extra = {"DUKA_JOBS": "embedded", "DUKA_COUNTER_APPROVALS": "sign-ins"}
    with serving(box.deployment.settings, extra=extra) as [server]:
        yield server


async def test_digits_pressed_on_the_pad_approve_what_the_cashier_may_not(box: Box, screens: Screens) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="400.00", barcodes=["6161100000018"], track_stock=False)
    for role in ("owner", "manager"):
        await set_pin(box, role)
    page = await screens.open("cashier", size=PHONE)
    await screens.go(page, "/sales/sell")
    await page.locator(".p-sales-tile").first.click()
    await page.locator("#bar").click()
    await page.locator("#discount").click()
    await page.locator("#less").fill("50")
    await page.locator("#reason").fill("torn bag")
    await page.keyboard.press("Enter")
    await page.locator("#pay").click()
    await page.locator("#amount").press("Enter")
    manager = box.people["mama-njeri", "manager"]
    badge = page.locator(f"[data-id='{manager.id}']")
    await badge.click()
    await expect(badge).to_have_attribute("aria-pressed", "true")
    assert await overflow(page) == 0
    pad = page.locator(".p-sales-pad")
    digits = page.locator("#approver-pin")
    for key in (*WRONG, "⌫"):
        await pad.get_by_text(key, exact=True).click()
    await expect(digits).to_have_value(WRONG[:-1])
    await pad.get_by_text(WRONG[-1], exact=True).click()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.locator("#dialog .d-note.bad")).to_be_visible()
    await expect(digits).to_have_value("")
    for key in SECRET_DIGITS:
        await pad.get_by_text(key, exact=True).click()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.locator("#dialog h2")).to_contain_text("2026")
    owner = box.client("owner")
    [sale] = (await owner.get("/api/v1/sales/sales")).json()["items"]
    [used] = (await owner.get("/api/v1/approvals?state=used")).json()["items"]
    assert (sale["total"], used["answered_by_name"]) == ("200.00", manager.name)
    screens.complaints = [one for one in screens.complaints if "status of 4" not in one]
