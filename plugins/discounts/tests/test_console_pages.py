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


@of_no_database
async def test_a_basket_is_told_which_promotions_act_and_why_the_others_do_not(box: Box) -> None:
    rice, soap = await a_product(box, sku="RICE-9", name="Basmati"), await a_product(box, sku="SOAP-9", name="Soap")
    owner, since = box.client("owner"), {"starts_at": "2020-01-01T00:00:00Z"}
    made = [
        {"name": "Rice week", "effect": {"kind": "percent", "percent": "5"}, "product_id": str(rice)},
        {"name": "Rice feast", "effect": {"kind": "tiers", "tiers": [{"least": "5", "percent": "50"}]}},
        {"name": "Soap days", "effect": {"kind": "percent", "percent": "9"}, "product_id": str(soap)},
    ]
    made[1]["goods"] = {"product_ids": [str(rice)]}
    for one in made:
        answer = await owner.post("/api/v1/discounts/promotions", one | since)
        assert answer.status_code == 201, answer.text
        await owner.post(f"/api/v1/discounts/promotions/{answer.json()['id']}/activate")
    await owner.post("/api/v1/discounts/promotions", {**made[0], **since, "name": "Idea"})
    browser = Browser(box)
    assert "Put something in the basket" in (await browser.get("/discounts/why-not")).text
    told = (await browser.get(f"/discounts/why-not?product0={rice}&quantity0=2")).text
    rows = {name: told[told.index(f">{name}</a>") :].split("</li>")[0] for name in ("Rice week", "Rice feast", "Idea")}
    rows["Soap days"] = told[told.index(">Soap days</a>") :].split("</li>")[0]
    assert "It acts" in rows["Rice week"]
    assert "3 more for" in rows["Rice feast"]
    assert "none of its goods" in rows["Soap days"]
    assert "it is a draft" in rows["Idea"]
    wrong = (await browser.get(f"/discounts/why-not?product0={rice}&quantity0=0")).text
    assert "d-note bad" in wrong
