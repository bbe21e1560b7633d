"""Support: an owner lets operators in, an operator goes in, everybody sees it, and it ends."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.auth import look
from kernel.auth.secrets.tokens import make_access_token, read_access_token
from kernel.db.tables import JobPayload
from kernel.testing.box import PASSWORD, Box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.console.services import rendering, sessions
from plugins.console.testing import Browser, a_newcomer
from tests.promises.pages import walked

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
THERE = "/operating/businesses/mama-njeri"
TOLD = ["Njeri", "Njeri"]
"""Who came, to each of the two people of a box who own the business."""


async def an_operator(box: Box) -> Browser:
    """An operator who works in no business, signed in as people are."""
    browser, email = Browser(box, None), await a_newcomer(box)
    form = (await browser.get("/sign-in")).form("/console/sign-in")
    assert (await browser.submit(form, {"username": email, "password": PASSWORD})).status == 200
    return browser


async def let_in(box: Box, role: str = "") -> None:
    """The owner lets operators in on their page. role: its code, "" for only to look."""
    owner = Browser(box)
    form = (await owner.get("/support")).form("/support-access")
    roles = (await box.client("owner").get("/api/v1/roles")).json()["items"]
    role_id = next((one["id"] for one in roles if one["code"] == role), "")
    done = await owner.submit(form, {"reason": "look at the stock", "role_id": role_id})
    assert "Support is let in until" in done.text


async def gone_in(operator: Browser) -> Any:
    """The operator goes in from the page of the business."""
    return await operator.submit((await operator.get(THERE)).form("/console/support/enter"))


async def letters(box: Box) -> list[str]:
    """The names that letters about support give, of all that were ordered."""

    async def read(work: Work) -> list[str]:
        rows = await work.execute(sa.select(JobPayload.payload).where(JobPayload.business_id == work.business_id))
        return [row.payload["thing"] for row in rows if row.payload.get("kind") == "support_entered"]

    return await look(box.deployment, box.shop.id, read)


def with_run_out_token(box: Box, browser: Browser) -> None:
    """Let the access token of a browser be one that has run out."""
    claims = read_access_token(browser.http.cookies["duka_access"], box.deployment.secret, box.clock())
    long_ago = box.clock() - dt.timedelta(hours=1)
    old = make_access_token(claims, box.deployment.secret, long_ago, dt.timedelta(minutes=15))
    browser.http.cookies.set("duka_access", old, domain="duka.test", path="/console")


async def test_nobody_goes_in_whom_no_owner_lets_in(box: Box) -> None:
    operator = await an_operator(box)
    page = await operator.get(THERE)
    assert "Its owner lets nobody in at present" in page.text
    assert not [one for one in page.forms if one.action == "/console/support/enter"]
    await let_in(box)
    form = (await operator.get(THERE)).form("/console/support/enter")
    owner = Browser(box)
    ending = next(one for one in (await owner.get("/support")).forms if dict(one.fields).get("_method") == "DELETE")
    assert "Support is let in until" not in (await owner.submit(ending)).text
    assert (await operator.submit(form)).status == 403
    assert (await Browser(box, "manager").get("/support")).status == 404


async def test_an_operator_goes_in_to_look_is_seen_and_changes_nothing(box: Box) -> None:
    rice = await a_product(box, sku="RICE-2KG", name="Rice 2kg")
    operator, owner = await an_operator(box), Browser(box)
    await let_in(box)
    inside = await gone_in(operator)
    assert "You are in Mama Njeri Stores for support" in inside.text
    assert "/console/operating" not in inside.links.values(), "from inside nobody operates"
    product = await operator.get(f"/catalog/products/{rice}")
    assert "Rice 2kg" in product.text
    assert "You are in Mama Njeri Stores" in product.text
    assert walked(product.text).deeds == [], "no button that would be refused"
    assert await letters(box) == TOLD
    waits = await owner.get("/notices")
    assert "Njeri came in" in waits.text
    assert "operating.enter_business" in (await owner.get("/support")).text
    left = await operator.submit((await operator.get("/")).form("/console/support/leave"))
    assert left.answer.url.path == f"/console{THERE}"
    assert "You are in Mama Njeri Stores" not in left.text
    assert (await operator.get(f"/catalog/products/{rice}")).status == 404


async def test_no_page_offers_a_deed_to_who_may_only_look(box: Box) -> None:
    operator = await an_operator(box)
    await let_in(box)
    await gone_in(operator)
    for path in ("/catalog/products", "/catalog/products/new", "/people", "/places", "/apps", "/settings", "/support"):
        page = await operator.get(path)
        offered = [one for one in walked(page.text).deeds if not one.path.startswith("/auth/")]
        assert not offered, path


async def test_the_proof_fails_where_forms_are_shown_to_who_may_only_look(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of what is asserted above."""
    monkeypatch.setattr(rendering.Rendering, "may_send", lambda _self, _to: True)
    operator = await an_operator(box)
    await let_in(box)
    await gone_in(operator)
    assert walked((await operator.get("/catalog/products/new")).text).deeds


async def test_an_operator_with_a_role_works_on_past_the_life_of_a_token(box: Box) -> None:
    operator = await an_operator(box)
    await let_in(box, "owner")
    await gone_in(operator)
    with_run_out_token(box, operator)
    page = await operator.get("/catalog/brands")
    assert "to look and change" in page.text
    made = await operator.submit(page.form("/catalog/brands"), {"name": "Ketepa"})
    assert "Ketepa" in made.text
    assert await letters(box) == TOLD, "one letter, however often the token is renewed"
    assert (await operator.get("/people")).status == 200
    assert not [one for one in (await operator.get("/people")).forms if one.to == "/users/invitations"]


async def test_a_form_of_a_shop_that_was_left_acts_nowhere_else(box: Box) -> None:
    operator = await an_operator(box)
    outside = (await operator.get("/operating/businesses/sharma-kirana")).form("/operating/businesses/*/suspend")
    await let_in(box, "owner")
    await gone_in(operator)
    form = (await operator.get("/catalog/brands")).form("/catalog/brands")
    assert (await operator.submit(outside, {"reason": "planted"})).status == 403
    assert (await box.client("owner").send("DELETE", "/api/v1/support-access")).status_code == 204
    assert (await operator.submit(form, {"name": "Ketepa"})).status == 403
    assert (await operator.get("/operating")).status == 200, "their own sign-in goes on"


async def test_what_ends_leads_back_to_the_page_of_the_business(box: Box) -> None:
    operator = await an_operator(box)
    await let_in(box)
    await gone_in(operator)
    assert (await box.client("owner").send("DELETE", "/api/v1/support-access")).status_code == 204
    answer = (await operator.get("/catalog/products")).answer
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console{THERE}")
    page = await operator.get(THERE)
    assert "Its owner lets nobody in at present" in page.text
    assert sessions.SUPPORT not in operator.http.cookies


async def test_a_forged_cookie_lets_nobody_in(box: Box) -> None:
    cashier = Browser(box, "cashier", "sharma-kirana")
    await let_in(box)
    cashier.http.cookies.set("duka_support", "mama-njeri", path="/console")
    assert "Mama Njeri" not in (await cashier.get("/")).text
