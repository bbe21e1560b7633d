"""The place that pages look at: chosen once, kept in the browser, and said otherwise by a page."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import httpx
import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.services.at_place import PLACE
from plugins.console.testing import Browser
from plugins.inventory.testing import stock

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


async def choose(browser: Browser, place: str) -> httpx.Response:
    """Press the button of a place, seen from the list of stock."""
    page = await browser.get("/look?to=/inventory/levels")
    sent = {**dict(page.form("/console/look").fields), "place": place}
    return await browser.http.post("/console/look", data=sent, headers={"Sec-Fetch-Site": "same-origin"})


async def test_a_place_is_chosen_and_pages_show_what_is_there_until_they_say_otherwise(box: Box) -> None:
    rice = await a_product(box, sku="RICE-2KG", name="Rice 2kg")
    salt = await a_product(box, sku="SALT-1KG", name="Salt 1kg")
    here, there = await box.location("kilimani"), await box.location("store")
    await stock(box, rice, here, "10")
    await stock(box, salt, there, "20")
    browser = Browser(box)
    assert {"Rice 2kg", "Salt 1kg"} <= set((await browser.get("/inventory/levels")).links)
    landed = await choose(browser, str(here))
    assert landed.headers["location"] == "/console/inventory/levels"
    page = await browser.get("/inventory/levels")
    assert "Rice 2kg" in page.links
    assert "Salt 1kg" not in page.links
    assert "Kilimani" in page.text
    page = await browser.get("/inventory/levels?location_id=")
    assert {"Rice 2kg", "Salt 1kg"} <= set(page.links), "a page that says all places shows all"
    await choose(browser, "")
    assert "Salt 1kg" in (await browser.get("/inventory/levels")).links


async def test_a_place_of_another_business_is_not_chosen_and_what_a_cookie_says_wrongly_is_not_heard(box: Box) -> None:
    browser = Browser(box)
    foreign = await box.location(shop="sharma-kirana")
    assert (await choose(browser, str(foreign))).status_code == 404
    assert PLACE not in browser.http.cookies
    for wrong in ("%", "bm9uc2Vuc2U=", "WzEsMiwzXQ==", "MQ=="):
        browser.http.cookies.set(PLACE, wrong, path="/console")
        assert (await browser.get("/inventory/levels")).status == 200


@pytest.mark.parametrize("said", [["\\ud800", "Kilimani"], ["x", "\\ud800"], ["x", "\\udc00\\ud800"]])
async def test_a_place_of_a_cookie_that_no_page_can_say_is_not_heard(box: Box, said: list[str]) -> None:
    browser = Browser(box)
    inside = f'["{box.shop.id}", "{said[0]}", "{said[1]}"]'
    browser.http.cookies.set(PLACE, urlsafe_b64encode(inside.encode()).decode(), path="/console")
    assert (await browser.get("/inventory/levels")).status == 200


async def test_what_stands_below_a_place_is_no_place(box: Box) -> None:
    browser, here = Browser(box), await box.location("kilimani")
    for below in ("settings", "../locations"):
        assert (await choose(browser, f"{here}/{below}")).status_code == 404
    assert PLACE not in browser.http.cookies


async def test_what_pages_say_of_a_place_is_their_own(box: Box) -> None:
    browser = Browser(box)
    kilimani = await box.location()
    assert 'value="Kilimani"' in (await browser.get(f"/places/{kilimani}")).text
