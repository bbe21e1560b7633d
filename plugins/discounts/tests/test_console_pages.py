"""Pages of promotions: drawn up by a form, tried, activated, ended; coupons made and withdrawn."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser

of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved asks nothing of the database."""
PROMOTIONS, COUPONS = "/discounts/promotions", "/discounts/coupons"


@of_no_database
async def test_a_promotion_is_drawn_up_tried_activated_and_ended_by_its_pages(box: Box) -> None:
    product = await a_product(box, sku="RICE-9", name="Basmati")
    browser = Browser(box)
    assert "Happy hour" in (await browser.get(f"{PROMOTIONS}/new")).text
    form = (await browser.get(f"{PROMOTIONS}/new?kind=happy")).form(PROMOTIONS)
    refused = await browser.script(form, {"name": "Evening", "effect.percent": "140"})
    assert refused["problem"]["errors"][0]["pointer"].startswith("/effect")
    times = {"when.from_time": "16:00", "when.until_time": "18:00", "ends_at": "2030-01-31T20:00"}
    made = await browser.submit(
        form, {"name": "Evening", "effect.percent": "20", "product_id": str(product), "limits.uses": "50", **times}
    )
    assert made.status == 200
    assert "16:00–18:00" in made.text
    here = made.answer.url.path.removeprefix("/console")
    kept = (await box.client("owner").get(f"/api/v1{here}")).json()
    assert kept["ends_at"] == "2030-01-31T17:00:00Z", "by the shop's clock"
    assert (kept["limits"]["uses"], kept["state"]) == (50, "draft")
    changed = await browser.submit((await browser.get(f"{here}/change")).form(here), {"effect.percent": "25"})
    assert "25" in changed.text
    assert "16:00–18:00" in changed.text, "what was not changed stays"
    assert "Nothing is written" in (await browser.get(f"{here}/try")).text
    active = await browser.submit(changed.form(f"{here}/activate"))
    assert all(one.to != f"{here}/activate" for one in active.forms)
    till = Browser(box, "cashier")
    seen = (await till.get(here)).forms
    assert all(one.action != "/console/do" for one in seen), "a cashier only looks"
    assert (await till.get(f"{PROMOTIONS}/new")).status == 404
    ended = await browser.submit(active.form(f"{here}/end"))
    assert "Ended" in ended.text
    assert "Evening" in (await browser.get(f"{PROMOTIONS}?state=ended")).text


@of_no_database
async def test_coupons_are_made_listed_and_withdrawn_by_their_pages(box: Box) -> None:
    browser = Browser(box)
    drawn = (await browser.get(f"{PROMOTIONS}/new?kind=percent&by_coupon=1")).form(PROMOTIONS)
    await browser.submit(drawn, {"name": "Welcome", "effect.percent": "5"})
    forms = [one for one in (await browser.get(f"{COUPONS}/new")).forms if one.to == COUPONS]
    own = await browser.submit(forms[0], {"code": "KARIBU"})
    assert "KARIBU" in own.text
    many = await browser.submit(forms[1], {"count": "3", "prefix": "XMAS"})
    assert many.text.count("<code>XMAS") == 3
    one = await browser.get(own.links["KARIBU"].removeprefix("/console"))
    here = one.answer.url.path.removeprefix("/console")
    withdraw = next(form for form in one.forms if ("is_active:bool", "false") in form.fields)
    assert withdraw.to == here
    assert "Withdrawn" in (await browser.submit(withdraw)).text
    assert (await Browser(box, "cashier").get(COUPONS)).status == 404, "codes are money"
