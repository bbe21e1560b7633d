"""Pages of payment links: one is made by its form, shown with its code, sent again and cancelled."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.console.testing import Browser

LINKS = "/payment_links/links"


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
async def test_a_link_is_made_shown_given_another_address_and_cancelled_by_its_pages(box: Box) -> None:
    till, owner = Browser(box, "cashier"), Browser(box)
    form = (await till.get(f"{LINKS}/new")).form(LINKS)
    made = await till.submit(form, {"amount": "1500", "words": "School shoes", "expires_at": "2026-12-01T18:00"})
    assert made.status == 200, made.text
    here = made.answer.url.path.removeprefix("/console")
    kept = (await box.client("owner").get(f"/api/v1{here}")).json()
    assert kept["address"] in made.text
    assert (kept["amount"], kept["expires_at"]) == ("1500.00", "2026-12-01T15:00:00Z")
    picture = await till.http.get(f"/console/api/v1{here}/picture?kind=svg&px=5")
    assert picture.headers["content-type"].startswith("image/svg")
    assert all(one.to != f"{here}/cancel" for one in made.forms), "a cashier cancels none"
    moved = await till.submit(made.form(f"{here}/resend"))
    assert kept["address"] not in moved.text
    gone = await owner.submit((await owner.get(here)).form(f"{here}/cancel"), {"reason": "asked for too much"})
    assert "asked for too much" in gone.text
    assert all(one.to != f"{here}/cancel" for one in gone.forms)
    assert kept["number"] in (await owner.get(f"{LINKS}?state=cancelled")).text
    assert (await Browser(box, "stock_keeper").get(LINKS)).status == 404
