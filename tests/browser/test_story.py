"""A shopkeeper's story in the browser: a sale looked into and taken back, two who change one product."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
from playwright.async_api import expect

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.inventory.testing import on_hand, stock
from tests.browser.screens import Screens
from tests.proving import ON_SQLITE

pytestmark = ON_SQLITE


async def sold(box: Box, screens: Screens, cart: dict[str, Any]) -> dict[str, Any]:
    """A sale by the served process, whose clock is the world's."""
    said = {"Authorization": f"Bearer {box.client('cashier').token}", "Idempotency-Key": uuid.uuid4().hex}
    paid = {**cart, "payments": [{"method": "cash", "amount": "760.00"}]}
    async with httpx.AsyncClient(base_url=screens.url, timeout=60) as http:
        answer = await http.post("/api/v1/sales/sales", json=paid, headers=said)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_sale_is_looked_into_and_taken_back_and_its_stock_is_there_again(box: Box, screens: Screens) -> None:
    rice, place = await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00"), await box.location()
    await stock(box, rice, place, "10")
    sale = await sold(box, screens, {"location_id": str(place), "lines": [{"product_id": str(rice), "quantity": "2"}]})
    page = await screens.open("owner")
    await screens.go(page, "/")
    await expect(page.locator(".d-kpi .figure").first).to_have_text("KSh 760.00")
    await screens.go(page, "/sales/sales")
    await page.get_by_role("link", name=sale["number"]).click()
    await page.locator("a[data-sheet]", has_text="Why?").click()
    await expect(page.locator("#sheet")).to_contain_text("380.00")
    await page.locator("#sheet [data-close]").click()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.locator("[name=reason]").fill("wrong customer")
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.locator(".d-note.bad")).to_contain_text("wrong customer")
    assert await on_hand(box, rice, place) == "10"
    await screens.go(page, "/daybook/days")
    await expect(page.get_by_role("region", name="Taken back", exact=True)).to_contain_text("760.00")


async def test_goods_that_come_are_scanned_into_stock_line_by_line(box: Box, screens: Screens) -> None:
    rice, place = await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00"), await box.location()
    salt = await a_product(box, sku="SALT-1KG", name="Salt 1kg", price="40.00")
    page = await screens.open("owner")
    await screens.go(page, "/inventory/receipts/new")
    await page.get_by_label("Place").select_option(str(place))
    await page.get_by_role("combobox", name="Product").fill("rice")
    await page.get_by_role("option", name="Rice 2kg").click()
    await page.keyboard.type("12")
    await page.get_by_role("button", name="One more line").click()
    await page.keyboard.type("SALT-1KG")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Quantity").nth(1)).to_be_focused()
    await page.keyboard.type("30")
    await page.get_by_role("button", name="Take in").click()
    await expect(page.locator(".d-toast")).to_contain_text("in stock")
    assert await on_hand(box, rice, place) == "12"
    assert await on_hand(box, salt, place) == "30"


async def test_of_two_who_change_one_product_the_second_is_told(box: Box, screens: Screens) -> None:
    rice = await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00")
    first, second = await screens.open("owner"), await screens.open("manager")
    for page in (first, second):
        await screens.go(page, f"/catalog/products/{rice}")
    form = "form[data-do]:has([name=name])"
    await first.locator(f"{form} [name=price]").first.fill("390.00")
    await first.locator(f"{form} button[type=submit]").first.click()
    await expect(first.locator(".d-toast")).to_contain_text("Saved")
    await second.locator(f"{form} [name=price]").first.fill("400.00")
    await second.locator(f"{form} button[type=submit]").first.click()
    await expect(second.locator(".d-problem")).to_be_visible()
    await screens.go(first, f"/catalog/products/{rice}")
    await expect(first.locator(f"{form} [name=price]").first).to_have_value("390.00")
