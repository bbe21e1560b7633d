"""Sales at the prices of lists: the line says which, quantities count over lines, what is sold keeps its price."""

from __future__ import annotations

from typing import Any

from kernel.testing.box import Box
from plugins.catalog.testing import a_price_list, a_product, prices_on
from plugins.customers.testing import a_customer, a_group

SALES = "/api/v1/sales/sales"


async def quoted(box: Box, lines: list[dict[str, Any]], **cart: Any) -> list[dict[str, Any]]:
    """The lines of a quote."""
    said = {"location_id": str(await box.location()), "lines": lines, **cart}
    answer = await box.client("cashier").post("/api/v1/sales/quote", said)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["lines"]
    return found


async def test_a_line_costs_what_its_customers_list_says_and_tells_which(box: Box) -> None:
    rice = await a_product(
        box, price="100", track_stock=False, packs=[{"name": "Carton", "factor": "12", "barcode": "C"}]
    )
    group = await a_group(box)
    grace, asha = await a_customer(box, group_id=group), await a_customer(box, "Asha")
    hotels = await a_price_list(box, "Hotels", group_id=group)
    for price, least in ("95", "0"), ("90", "20"):
        await prices_on(box, hotels, rice, price, min_quantity=least)
    one, carton = {"product_id": str(rice)}, {"barcode": "C"}
    eight = one | {"quantity": "8"}
    assert [line["unit_price"] for line in await quoted(box, [one])] == ["100.00"]
    assert [line["unit_price"] for line in await quoted(box, [one], customer_id=str(asha))] == ["100.00"]
    few = await quoted(box, [one, carton], customer_id=str(grace))
    assert [line["unit_price"] for line in few] == ["95.00", "1140.00"]
    many = await quoted(box, [eight, carton], customer_id=str(grace))
    assert [line["unit_price"] for line in many] == ["90.00", "1080.00"]
    step = many[0]["steps"][0]
    assert (step["plugin"], step["rule"], step["after"]) == ("catalog", "Hotels price", "90.00")
    assert step["reason"] == "price list of the customer's group, from 20, since 2026-11-21 09:00Z"


async def test_what_is_sold_keeps_its_price_and_its_reason(box: Box) -> None:
    rice = await a_product(box, price="100", track_stock=False)
    everybody = await a_price_list(box)
    await prices_on(box, everybody, rice, "95")
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}]}
    paid = cart | {"payments": [{"method": "cash", "amount": "95.00"}]}
    sold = await box.client("cashier").post(SALES, paid)
    assert sold.status_code == 201, sold.text
    box.clock.pass_by(minutes=1)
    await prices_on(box, everybody, rice, "120")
    off = await box.client("owner").patch(
        f"/api/v1/catalog/price-lists/{everybody}", {"name": "Renamed", "is_active": False}, version=3
    )
    assert off.status_code == 200, off.text
    await box.client("owner").patch(f"/api/v1/catalog/products/{rice}", {"price": "200"}, version=1)
    assert [line["unit_price"] for line in await quoted(box, cart["lines"])] == ["200.00"]  # type: ignore[arg-type]
    kept = (await box.client("cashier").get(f"{SALES}/{sold.json()['id']}")).json()["lines"]
    assert kept == sold.json()["lines"]
    assert (kept[0]["unit_price"], kept[0]["steps"][0]["rule"]) == ("95.00", "Everybody price")


async def test_a_quote_of_a_price_that_ended_meanwhile_is_worth_nothing(box: Box) -> None:
    """P6: the price is that of the sale's own instant, at both edges of its span, also where it comes from another."""
    rice = await a_product(box, price="100", track_stock=False)
    owner, cashier = box.client("owner"), box.client("cashier")
    own = f"/api/v1/catalog/products/{rice}/prices"
    week = {"price": "90", "starts_at": "2026-11-21T09:00:10Z", "until": "2026-11-21T09:00:20Z"}
    assert (await owner.post(own, week)).status_code == 201
    half = {"name": "Half", "based_on": "retail", "percent": "-50"}
    assert (await owner.post("/api/v1/catalog/price-lists", half)).status_code == 201
    cart = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice)}]}
    for seconds, total in ((9, "50.00"), (1, "45.00"), (9, "45.00"), (1, "50.00")):
        box.clock.pass_by(seconds=seconds)
        (line,) = await quoted(box, cart["lines"])  # type: ignore[arg-type]
        assert line["total"] == total
    stale = cart | {"payments": [{"method": "cash", "amount": "45.00"}]}
    refused = await cashier.post(SALES, stale)
    assert (refused.status_code, refused.json()["code"]) == (422, "payment-short"), refused.text
    for wrong in ({"price": "45.00"}, {"percent": "-50"}, {"until": "2026-11-21T09:00:30Z"}):
        said = cart | {"lines": [cart["lines"][0] | wrong]}  # type: ignore[operator]
        assert (await cashier.post(SALES, said)).status_code == 422, wrong
