"""Hasty clicks and outdated pages in the browser: a deed is done once, a plan that no longer holds is shown anew."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, Response, Route, expect

import plugins.console
from kernel.testing.box import Box
from plugins.catalog.testing import a_brand
from tests.browser.screens import Screens
from tests.proving import ON_SQLITE

TWICE = "(button) => { button.click(); button.click(); }"
GUARD = """  if (form.getAttribute("aria-busy") === "true") return;\n"""
SCRIPT = Path(plugins.console.__file__).parent / "static" / "duka.js"


async def sent_by(page: Page) -> list[str]:
    """What a page sends from now on that writes."""
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.on("dialog", lambda dialog: dialog.accept())
    return sent


@ON_SQLITE
async def test_two_clicks_send_a_form_once_and_an_outdated_plan_is_shown_anew(box: Box, screens: Screens) -> None:
    """A page's form, one in a sheet, one whose answer is shown once, and a button that asks and acts by itself."""
    owner = box.client("owner")
    brand = await a_brand(box, "Tilda")
    page = await screens.open("owner")
    sent = await sent_by(page)
    await screens.go(page, "/customers/customers/new")
    await page.locator("[name=name]").first.fill("Amina")
    await page.locator("main form[data-do] button[type=submit]").first.evaluate(TWICE)
    await expect(page.locator(".d-toast")).to_be_visible()
    assert [one["name"] for one in (await owner.get("/api/v1/customers/customers")).json()["items"]] == ["Amina"]
    await screens.go(page, "/catalog/brands")
    await page.locator(f"a[data-sheet][href$='{brand}']").first.click()
    await page.locator("#sheet [name=name]").fill("Tilda Pure")
    await page.locator("#sheet button[type=submit]").evaluate(TWICE)
    await expect(page.locator(".d-toast")).to_be_visible()
    assert (await owner.get(f"/api/v1/catalog/brands/{brand}")).headers["etag"] == '"2"'
    await screens.go(page, "/keys")
    await page.locator("form[data-shows] [name=name]").fill("Website")
    await page.locator("form[data-shows] [name='scopes:list'][type=checkbox]").first.evaluate("(box) => box.click()")
    await page.locator("form[data-shows] button[type=submit]").evaluate(TWICE)
    await expect(page.locator("#key")).to_be_visible()
    assert len((await owner.get("/api/v1/keys")).json()["items"]) == 1
    await screens.go(page, "/keys")
    await page.locator("form.d-inline button").first.evaluate(TWICE)
    await expect(page.locator(".d-toast")).to_be_visible()
    assert len(sent) == 4, sent
    await outdated_plan(box, screens, page)


async def outdated_plan(box: Box, screens: Screens, page: Page) -> None:
    """A plan that no longer holds is answered by the new one, and nothing is done until that is applied."""
    owner = box.client("owner")
    await screens.go(page, "/apps/discounts")
    await page.locator("a[data-sheet][href$='/apps/discounts/disable']").first.click()
    sheet = page.locator("#sheet")
    seen = await sheet.locator("[name=hash]").input_value()
    off = (await owner.post("/api/v1/plugins/analytics/plan", {"action": "disable"})).json()
    said = {"action": "disable", "hash": off["hash"]}
    assert (await owner.post("/api/v1/plugins/analytics/apply", said)).status_code == 200
    await sheet.locator("button[type=submit]").click()
    await expect(sheet.locator(".d-problem")).to_be_visible()
    assert await sheet.locator("[name=hash]").input_value() != seen
    assert (await owner.get("/api/v1/plugins/discounts")).json()["state"] == "enabled"
    await sheet.locator("button[type=submit]").click()
    await expect(page.locator(".d-toast")).to_be_visible()
    assert (await owner.get("/api/v1/plugins/discounts")).json()["state"] != "enabled"


@ON_SQLITE
async def test_a_script_that_sends_twice_is_held_by_the_key_and_caught_without_it(box: Box, screens: Screens) -> None:
    """The broken twins: a script without its guard, and a form without its key besides."""
    source = SCRIPT.read_text()
    assert GUARD in source

    async def unguarded(route: Route) -> None:
        await route.fulfill(body=source.replace(GUARD, ""), content_type="text/javascript")

    page, answers = await screens.open("owner"), asyncio.Queue[Response]()
    page.on("response", lambda one: answers.put_nowait(one) if one.request.method == "POST" else None)
    await page.route(re.compile(r"/console/duka\.js"), unguarded)
    for name, taken in (("Amina", "_then"), ("Baraka", "_key")):
        await screens.go(page, "/customers/customers/new")
        form = page.locator("main form[data-do]").first
        await form.evaluate("(form) => { form.dataset.stay = ''; form.querySelector('[name=_then]').remove(); }")
        if taken == "_key":
            await form.locator("[name=_key]").evaluate("(key) => key.remove()")
        await form.locator("[name=name]").fill(name)
        await form.locator("button[type=submit]").evaluate(TWICE)
        for _ in "12":
            await asyncio.wait_for(answers.get(), 60)
    made = (await box.client("owner").get("/api/v1/customers/customers")).json()["items"]
    assert sorted(one["name"] for one in made) == ["Amina", "Baraka", "Baraka"]
