"""Pages of gateways: accounts without their secrets, money that a person decides about, switches of operators."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel.work import Work
from plugins.console.testing import Browser
from plugins.payments.models import Account, Health
from plugins.payments.services import line
from plugins.payments.testing import a_gateway_payment, a_review
from plugins.payments.testing.toy_box import ToyBox
from plugins.payments.testing.toy_provider import SECRET

of_no_database = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
"""What is proved asks nothing of the database."""
FARES = "/api/v1/operating/payments/fares"


@of_no_database
async def test_an_account_is_set_up_by_its_form_and_its_secret_never_comes_back(toy: ToyBox) -> None:
    box, browser = toy.box, Browser(toy.box)
    line.lead_to(box.deployment, toy.provider.app)
    form = (await browser.get("/payments/accounts/new?gateway=toy")).form("/payments/accounts")
    refused = await browser.script(form, {"label": "Counter"})
    assert refused["problem"]["errors"][0]["pointer"] == "/config/secret"
    made = await browser.submit(form, {"label": "Counter", "config.secret": SECRET})
    assert made.status == 200
    here = made.answer.url.path.removeprefix("/console")
    checks = made.form(f"{here}/check")
    tried = await browser.submit(checks)
    assert "The account is open" in tried.text
    renamed = await browser.submit(tried.form(here), {"label": "Till 2"})
    assert "Till 2" in renamed.text
    again = await browser.submit(renamed.form(f"{here}/check"))
    assert "The account is open" in again.text, "the secret that was left empty is kept"
    listed = await browser.get("/payments/gateways")
    assert "Till 2" in listed.text
    assert all(SECRET not in page.text for page in (made, tried, renamed, again, listed))
    assert (await Browser(box, "cashier").get("/payments/gateways")).status == 404


@of_no_database
async def test_money_is_decided_about_once_on_its_page(toy: ToyBox) -> None:
    review = await a_review(toy.box)
    browser = Browser(toy.box)
    assert review in (await browser.get("/payments/reviews")).text
    form = (await browser.get(f"/payments/reviews/{review}")).form(f"/payments/reviews/{review}/resolve")
    done = await browser.script(form, {"action": "accept", "note:opt": "kept"})
    assert done["answer"]["state"] == "resolved"
    late = await browser.script(form, {"action": "accept", "_key": "another-key-of-twenty"})
    assert late["problem"]["code"] == "review-closed"
    assert review not in (await browser.get("/payments/reviews")).text


@of_no_database
async def test_operators_switch_a_gateway_in_the_matrix_as_they_saw_it(toy: ToyBox) -> None:
    operator = Browser(toy.box, "operator")
    page = await operator.get("/payments/operating?mode=test")
    switch = page.form("/operating/payments/regions/KE/toy/test")
    assert (await operator.script(switch))["answer"]["is_on"] is False
    stale = await operator.script(switch, {"_key": "another-key-of-twenty"})
    assert stale["problem"]["code"] == "precondition-failed"
    sheet = await operator.get("/payments/operating/KE/toy/test")
    said = {"is_on:bool": "true", "canary_percent:intnull": "10", "position:int": "2"}
    trial = await operator.script(sheet.form("/operating/payments/regions/KE/toy/test"), said)
    assert (trial["answer"]["canary_percent"], trial["answer"]["position"]) == (10, 2)
    assert (await Browser(toy.box).get("/payments/operating")).status == 404


async def test_fares_are_sums_over_businesses_for_operators_alone(toy: ToyBox) -> None:
    box, operator = toy.box, toy.box.client("operator")

    async def told() -> dict[str, int]:
        items = (await operator.get(FARES)).json()["items"]
        here = [one for one in items if (one["gateway"], one["region"], one["mode"]) == ("toy", "KE", "test")]
        return here[0] if here else {"accounts": 0, "resting": 0, "payments": 0, "paid": 0}

    before = await told()
    await a_gateway_payment(box)
    await a_review(box)
    after = await told()
    assert (after["payments"] - before["payments"], after["paid"] - before["paid"]) == (2, 1)
    assert after["accounts"] >= 1
    assert after["resting"] == 0
    assert (await box.client("owner").get(FARES)).status_code in (403, 404)


@of_no_database
async def test_the_bell_tells_of_an_account_that_is_unwell_until_it_is_well(toy: ToyBox) -> None:
    box, owner = toy.box, Browser(toy.box)
    assert "Gateways that need you" not in (await owner.get("/notices")).text

    async def failing(work: Work, times: int) -> None:
        accounts = (await work.execute(sa.select(Account.id).where(Account.business_id == work.business_id))).all()
        await work.execute(sa.delete(Health).where(Health.business_id == work.business_id))
        row = {"business_id": work.business_id, "kind": "ask", "failed_in_a_row": times, "closings": 1}
        await work.execute(sa.insert(Health), [row | {"account_id": one.id} for one in accounts])

    await box.act(lambda work: failing(work, 3))
    waits = await owner.get("/notices")
    assert "The provider does not answer" in waits.text
    assert "Gateways that need you" not in (await Browser(box, "cashier").get("/notices")).text
    await box.act(lambda work: failing(work, 0))
    assert "Gateways that need you" not in (await owner.get("/notices")).text

    async def without_key(work: Work) -> None:
        await work.execute(sa.update(Account).where(Account.business_id == work.business_id).values(config={}))

    await box.act(without_key)
    assert "A key is missing" in (await owner.get("/notices")).text
