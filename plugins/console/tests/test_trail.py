"""The trail in the console: what was done in words, narrowed by what a row says, verified, and each thing's history."""

from __future__ import annotations

import random
import re

import pytest
import sqlalchemy as sa

from kernel.audit import Verifier
from kernel.auth.identity import standing_of_business
from kernel.testing.box import Box
from kernel.tests.trails import AUDIT, a_long_trail, as_the_owner_of_the_database
from kernel.web import PUBLIC
from plugins.catalog.testing import a_product
from plugins.console.services.audit import changed, deed_of
from plugins.console.testing import Browser


async def a_change(box: Box) -> str:
    """A product whose price was changed; its id."""
    product = str(await a_product(box, price="90.00"))
    said = await box.client("owner").patch(f"/api/v1/catalog/products/{product}", {"price": "95.50"}, version=1)
    assert said.status_code == 200, said.text
    return product


async def test_a_row_says_what_was_done_before_and_after_and_leads_to_what_it_is_about(box: Box) -> None:
    product, browser = await a_change(box), Browser(box)
    page = (await browser.get("/audit")).text
    assert "Change product" in page
    [row, *_] = re.findall(r"/console(/audit/[0-9a-f-]{36})", page)
    shown = (await browser.get(row)).text
    for words in ("KSh\xa090.00", "KSh\xa095.50", f'href="/console/catalog/products/{product}"'):
        assert words in shown, words


async def test_a_page_of_a_thing_leads_to_its_history_and_only_for_who_may_read_the_trail(box: Box) -> None:
    product = await a_change(box)
    link = f"/audit?subject=product%3A{product}"
    page = (await Browser(box).get(f"/catalog/products/{product}")).text
    assert f'href="/console{link}"' in page
    history = (await Browser(box).get(link)).text
    assert history.count("data-sheet>Change product") == 1
    assert history.count("<td><a ") == 2, "it was made, and changed"
    assert link not in (await Browser(box, "cashier").get(f"/catalog/products/{product}")).text


async def test_the_page_tells_whether_the_chain_is_whole_and_has_it_verified(box: Box) -> None:
    trail = await a_long_trail(box, random.Random(3))
    browser, verifier = Browser(box), Verifier(box.deployment, standing_of_business)
    await verifier.verify_due()
    assert "Whole when it was verified" in (await browser.get("/audit")).text
    page = (await browser.submit((await browser.get("/audit")).form("/audit/verification"))).text
    assert "Every row is being held against its seal" in page
    assert 'hx-trigger="every 2s"' in page
    async with as_the_owner_of_the_database(box) as connection:
        await connection.execute(sa.update(AUDIT).where(AUDIT.c.id == trail.row(7)["id"]).values(reason="as if"))
    await verifier.verify_asked()
    assert "The trail is not as it was sealed" in (await browser.get("/audit")).text


@pytest.mark.parametrize("name", ["price", "wholesale_price", "min_quantity"])
def test_prices_and_quantities_of_the_trail_are_read_in_millionths(name: str) -> None:
    [(_, _, before, after)] = changed({"before": {name: 90_500_000}, "after": {name: None}})
    assert (before, after) == ("90.5", None)


@pytest.mark.parametrize("language", ["sw", "hi", "ar"])
def test_every_deed_is_said_in_the_readers_language(box: Box, language: str) -> None:
    words = box.app.gate.languages.catalogues[language].words
    noted = [one for one in box.app.routes if one.kind in ("command", "flow") and one.permission != PUBLIC]
    deeds = {deed_of(one.operation)[1] for one in noted if one.method != "GET" and not one.plugin.startswith("probe")}
    assert len(deeds) > 100
    assert sorted(deeds - set(words)) == []


def test_deeds_are_said_in_words() -> None:
    assert deed_of("sales.void_sale") == ("Sales", "Void sale")
    assert deed_of("agent_float.close_day") == ("Agent float", "Close day")
    assert deed_of("demo") == ("", "Demo")
