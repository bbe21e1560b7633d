"""The first steps: from nothing to a shop that sells, each step read from what there is."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.testing.box import PASSWORD, Box
from plugins.console.schemas import Elsewhere, Seen
from plugins.console.services import setup
from plugins.console.testing import Browser, a_newcomer

on_one = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved asks nothing of the database."""


async def begun(box: Box) -> Browser:
    """The browser of somebody who runs the deployment and has no business."""
    email, browser = await a_newcomer(box), Browser(box, None)
    page = await browser.get("/sign-in")
    await browser.submit(page.form("/console/sign-in"), {"username": email, "password": PASSWORD})
    return browser


async def test_a_shop_is_set_up_from_nothing_step_by_step(box: Box) -> None:
    browser = await begun(box)
    assert (await browser.http.get("/console/setup/products")).headers["location"] == "/console/setup/business"
    where = await browser.get("/setup/business?region=KE")
    country = await browser.submit(where.form("/businesses"), {"name": "Njeri's & Daughters"})
    assert country.answer.url.path == "/console/setup/country"
    assert "njeri-s-daughters" in (await browser.get("/setup/business")).text
    assert "Standard rate" in country.text, "the country's tax classes are there"
    assert "Set up your shop: 1 of 6" in (await browser.get("/block/console/setup")).text

    apps = await browser.submit(country.form("/settings/taxes"), {"values.tax_number": "P051234567X"})
    assert apps.answer.url.path == "/console/setup/apps"
    assert apps.text.index("M-PESA") < apps.text.index("For other countries") < apps.text.index("UPI")
    sheet = await browser.get(apps.links["Turn them on…"].removeprefix("/console"))
    await browser.submit(sheet.form("/plugins/sales/apply"))

    place = await browser.get("/setup/place")
    renamed = await browser.submit(place.form("/locations/*"), {"name": "Moi Avenue"})
    till = await browser.submit(renamed.form("/sales/registers"))
    assert "T1" in till.text

    goods = (await browser.get("/setup/products")).form("/catalog/products/several")
    rows = {"products.0.name:row": "Rice 2kg", "products.0.price:row": "dear"}
    refused = await browser.script(goods, rows)
    assert refused["problem"]["errors"][0]["pointer"] == "/products/0/price"
    listed = await browser.submit(
        goods, {**rows, "products.0.price:row": "380", "products.3.name": "Sukari", "products.3.price": "160"}
    )
    stocked = await browser.submit(listed.form("/inventory/receipts"), {"lines.0.quantity": "10"})
    assert len([one for one in stocked.forms if one.to == "/inventory/receipts"]) == 1, "one has none yet"

    people = await browser.get("/setup/people")
    left = await browser.submit(people.form("/settings/console"))
    assert left.answer.url.path == "/console/setup/done"
    assert "is ready" in left.text
    assert "Set up your shop" not in (await browser.get("/block/console/setup")).text, "all is done or left out"
    invited = await browser.submit(people.form("/users/invitations"), {"email": "achieng@first.example"})
    assert 'class="left"' not in invited.text, "what is done is not left out"


@on_one
async def test_what_is_put_away_is_asked_for_no_more(box: Box) -> None:
    owner = Browser(box)
    card = await owner.get("/block/console/setup")
    assert "2 of 6" in card.text or "3 of 6" in card.text, card.text
    await owner.submit(card.form("/settings/console"))
    assert "Set up your shop" not in (await owner.get("/block/console/setup")).text
    assert (await owner.get("/setup/products")).status == 200, "the way there stays"


@on_one
async def test_a_business_whose_console_is_off_is_told_so_and_turns_it_on(box: Box) -> None:
    assert (await box.client("owner").post("/api/v1/plugins/console/disable")).status_code == 200
    till, owner = await Browser(box, "cashier").get("/sales/sell"), await Browser(box).get("/")
    assert "The console is off here" in till.text
    assert not [one for one in till.forms if one.action == "/console/do"]
    back = await Browser(box).submit(owner.form("/plugins/console/enable"))
    assert back.status == 200
    assert 'class="d-nav"' in back.text


@on_one
async def test_nobody_else_sets_a_business_up(box: Box) -> None:
    till = Browser(box, "cashier")
    for path in ("/setup", "/setup/business", "/setup/people"):
        assert (await till.get(path)).status == 404, path
    assert (await Browser(box).get("/setup/nonsense")).status == 404


@pytest.mark.parametrize(("businesses", "leads"), [([], True), ([{"slug": "mama-njeri"}], False)])
async def test_operators_of_an_empty_deployment_are_led_to_the_first_step(businesses: list[Any], leads: bool) -> None:
    class Told(Seen):
        async def get(self, path: str, **query: Any) -> Any:
            return {"items": businesses}

    async def ask(*_: Any) -> Any:
        raise AssertionError

    seen = Told({"business": None, "is_operator": True, "support": None, "permissions": []}, {}, {}, "en", ask)
    if leads:
        with pytest.raises(Elsewhere, match="/setup"):
            await setup.begin(seen)
    else:
        assert await setup.begin(seen) == {}


def test_a_step_that_was_left_out_is_behind_one_until_it_is_done() -> None:
    nowhere = setup.nowhere()
    assert (nowhere["behind"], nowhere["next"]) == (0, "business")
    assert [setup.after(name) for name in ("business", "people", "done")] == ["country", "done", "done"]
