"""The bell: what waits, for who may do something about it; what fails of it fails alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.schemas import Notice
from plugins.console.services import composing, noticing
from plugins.console.testing import Browser
from plugins.payments.testing import a_review

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


async def bell(browser: Browser) -> dict[str, Any]:
    """What the bell says."""
    answer = await browser.http.get("/console/bell")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_what_waits_is_counted_for_who_may_resolve_it_and_leads_there(box: Box) -> None:
    owner, cashier = Browser(box), Browser(box, "cashier")
    before = (await bell(owner))["count"]
    review = await a_review(box)
    rice = await a_product(box, sku="RICE-2KG", name="Rice 2kg", min_stock="5")
    assert (await bell(owner))["count"] == before + 3, "a review, what runs low, and an account without its keys"
    page = await owner.get("/notices")
    assert f"/console/payments/reviews/{review}" in page.links.values()
    assert page.links["Rice 2kg"] == f"/console/catalog/products/{rice}"
    theirs = await cashier.get("/notices")
    assert "/console/payments/reviews" not in theirs.text
    assert (await bell(Browser(box, "owner", "sharma-kirana")))["count"] == 0
    assert (await Browser(box, None).http.get("/console/bell")).status_code == 303


async def test_an_approval_is_asked_for_told_and_given(box: Box) -> None:
    soap = await a_product(box, sku="SOAP", price="100.00", track_stock=False)
    line = {"product_id": str(soap), "discount": {"percent": "20", "reason": "dented"}}
    cart = {"location_id": str(await box.location()), "lines": [line]}
    paid = {"payments": [{"method": "cash", "amount": "100.00"}]}
    asked = await box.client("cashier").post("/api/v1/sales/sales", cart | paid)
    assert asked.json()["code"] == "approval-required", asked.text
    manager = Browser(box, "owner")
    assert (await bell(manager))["presses"]
    form = (await manager.get("/approvals")).form("/approvals/*/approve")
    assert (await manager.submit(form, {"reason": "seen it"})).status == 200
    assert not (await bell(manager))["presses"]
    assert (await Browser(box, "cashier").get("/approvals")).status == 404


async def test_a_kind_that_fails_or_takes_too_long_says_so_in_its_place_alone(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_: Any) -> Any:
        raise ZeroDivisionError

    await a_review(box)
    browser = Browser(box)
    whole = await bell(browser)
    sound = composing.Composed.in_slot

    def in_slot(self: Any, kind: Any, slot: str, seen: Any) -> Any:
        for plugin, one in sound(self, kind, slot, seen):
            broken = isinstance(one, Notice) and one.name == "low"
            yield plugin, dataclasses.replace(one, read=failing) if broken else one

    monkeypatch.setattr(composing.Composed, "in_slot", in_slot)
    assert (await bell(browser))["count"] == whole["count"]
    page = await browser.get("/notices")
    assert page.status == 200
    assert "A part of inventory could not be shown." in page.text


async def test_a_bell_has_room_for_two_figures(database: str) -> None:
    assert [noticing.shown(one) for one in (0, 99, 100)] == ["0", "99", "99+"]
