"""The till in the browser: exact cash in three keys after scanning, and nothing sold twice."""

from __future__ import annotations

from playwright.async_api import Page, expect

from kernel.testing.box import PASSWORD, Box
from plugins.catalog.testing import a_product
from plugins.customers.testing import a_customer
from tests.browser.screens import PHONE, Screens, overflow
from tests.proving import ON_SQLITE

pytestmark = ON_SQLITE


async def test_a_cashier_sells_for_exact_cash_with_three_keys_after_scanning(box: Box, screens: Screens) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", barcodes=["6161100000018"], track_stock=False)
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    for _ in range(2):
        await page.keyboard.type("6161100000018")
        await page.keyboard.press("Enter")
        await expect(page.locator("#scan")).to_have_value("")
    await expect(page.locator("#due")).to_have_text("KSh 760.00")
    await page.keyboard.press("F9")
    await expect(page.locator("#amount")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog h2")).to_contain_text("2026")
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog")).not_to_be_visible()
    await expect(page.locator("#pay")).to_be_disabled()
    sold = (await box.client("owner").get("/api/v1/sales/sales")).json()["items"]
    assert [one["total"] for one in sold] == ["760.00"]


async def scan(page: Page, *codes: str) -> None:
    """As a scanner types: at once, with Enter, waiting for nothing."""
    for code in codes:
        await page.keyboard.type(code)
        await page.keyboard.press("Enter")


async def test_a_queue_is_served_by_scanner_and_keys_alone_and_nothing_scanned_is_lost(
    box: Box, screens: Screens
) -> None:
    """Paying is pressed before the last goods are looked up; the next customer's before the sale is shut."""
    rice, flour = "6161100000018", "6161100000025"
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", barcodes=[rice], track_stock=False)
    await a_product(box, sku="FLOUR-2KG", name="Flour 2kg", price="190.00", barcodes=[flour], track_stock=False)
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    for number in range(3):
        await scan(page, rice, flour, flour)
        await page.keyboard.press("F9")
        await expect(page.locator("#amount")).to_have_value("760.00")
        await page.keyboard.press("Enter")
        await expect(page.locator("#sold")).to_be_visible()
        if number == 1:
            await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog")).not_to_be_visible()
    sold = (await box.client("owner").get("/api/v1/sales/sales")).json()["items"]
    assert [one["total"] for one in sold] == ["760.00"] * 3


async def test_a_customer_is_found_and_taken_with_keys_alone(box: Box, screens: Screens) -> None:
    for name in ("Grace Wambui", "Grace Akinyi"):
        await a_customer(box, name)
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    await page.keyboard.press("F2")
    await expect(page.locator("#who")).to_be_focused()
    await page.keyboard.type("grace w")
    await page.keyboard.press("Enter")
    await expect(page.locator("#customer-name")).to_have_text("Grace Wambui")
    await page.keyboard.press("F2")
    await expect(page.locator("#who")).to_be_focused()
    await page.keyboard.type("grace")
    await page.keyboard.press("Enter")
    choices = page.locator(".p-sales-choice")
    await expect(choices.nth(0)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(choices.nth(1)).to_be_focused()
    chosen = await choices.nth(1).locator("b").inner_text()
    await page.keyboard.press("Enter")
    await expect(page.locator("#customer-name")).to_have_text(chosen)


async def test_a_barcode_read_while_paying_is_no_cash(box: Box, screens: Screens) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", barcodes=["12345670"], track_stock=False)
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    await scan(page, "12345670")
    await page.keyboard.press("F9")
    await expect(page.locator("#amount")).to_be_focused()
    await scan(page, "12345670")
    await expect(page.locator("#over")).to_contain_text("reads like a barcode")
    assert (await box.client("owner").get("/api/v1/sales/sales")).json()["items"] == []
    await page.locator("#amount").fill("1000")
    await page.keyboard.press("Enter")
    await expect(page.locator("#sold")).to_contain_text("620.00")


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


async def test_a_coupon_and_a_discount_beyond_the_limit_which_a_colleague_approves_here(
    box: Box, screens: Screens
) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="400.00", barcodes=["6161100000018"], track_stock=False)
    owner = box.client("owner")
    promotion = {
        "name": "Karibu",
        "effect": {"kind": "percent", "percent": "5"},
        "by_coupon": True,
        "starts_at": "2020-01-01T00:00:00Z",
    }
    made = (await owner.post("/api/v1/discounts/promotions", json=promotion)).json()["id"]
    await owner.post(f"/api/v1/discounts/promotions/{made}/activate")
    coupon = {"promotion_id": made, "code": "KARIBU-5"}
    assert (await owner.post("/api/v1/discounts/coupons", json=coupon)).status_code == 201
    page = await screens.open("cashier")
    await screens.go(page, "/sales/sell")
    await page.keyboard.type("6161100000018")
    await page.keyboard.press("Enter")
    await expect(page.locator("#due")).to_have_text("KSh 400.00")
    await page.keyboard.press("F7")
    await page.locator("#code").fill("nothing")
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog .wrong")).to_have_text("nothing is no coupon of this shop")
    await page.keyboard.press("Escape")
    await page.keyboard.type("KARIBU-5")
    await page.keyboard.press("Enter")
    await expect(page.locator("#due")).to_have_text("KSh 380.00")
    await page.keyboard.press("F4")
    await page.locator("#less").fill("50")
    await page.locator("#reason").fill("torn bag")
    await page.keyboard.press("Enter")
    await expect(page.locator("#due")).to_have_text("KSh 190.00")
    await page.keyboard.press("F9")
    await page.locator("#amount").press("Enter")
    await page.locator("#approver").fill("owner@mama-njeri.example")
    await page.locator("#approver-password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("#dialog h2")).to_contain_text("2026")
    [sale] = (await owner.get("/api/v1/sales/sales")).json()["items"]
    [asked] = (await owner.get("/api/v1/approvals?state=used")).json()["items"]
    assert (sale["total"], asked["action"]) == ("190.00", "sales.discount_percent")
    screens.complaints = [one for one in screens.complaints if "status of 4" not in one]


async def test_on_a_phone_the_cart_is_a_sheet_behind_a_bar_and_cash_gives_change(box: Box, screens: Screens) -> None:
    await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", track_stock=False)
    page = await screens.open("cashier", size=PHONE)
    await screens.go(page, "/sales/sell")
    await page.locator(".p-sales-tile").first.click()
    await expect(page.locator("#cart")).not_to_be_visible()
    await expect(page.locator("#bar")).to_contain_text("KSh 380.00")
    await page.locator("#bar").click()
    assert await overflow(page) == 0
    await page.locator("#pay").click()
    assert await overflow(page) == 0
    await page.get_by_role("button", name="400", exact=True).click()
    await expect(page.locator("#dialog .p-sales-big")).to_have_text("KSh 20.00")
    await page.get_by_role("button", name="New sale").click()
    await expect(page.locator("#cart")).not_to_be_visible()
    await expect(page.locator("#count")).to_have_text("0")
