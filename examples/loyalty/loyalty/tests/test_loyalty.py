"""Points, seen from outside."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
from loyalty.rules import earned, expired
from loyalty.testing import points_of

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.customers.testing import a_customer

SALES = "/api/v1/sales/sales"


def test_rules() -> None:
    assert [earned(total, 10000) for total in (0, 9999, 10000, 25000)] == [0, 0, 1, 2]
    assert [expired(*case) for case in ((10, 0, 10), (10, 4, 6), (10, 12, 3), (10, 0, 2))] == [10, 6, 0, 2]


async def balance(box: Box, customer: UUID) -> int:
    answer = await box.client("cashier").get(f"/api/v1/loyalty/customers/{customer}")
    assert answer.status_code == 200, answer.text
    points: int = answer.json()["points"]
    return points


async def entries(box: Box, customer: UUID) -> list[tuple[str, int]]:
    listed = await box.client("cashier").get(f"/api/v1/loyalty/customers/{customer}/entries")
    return [(one["kind"], one["points"]) for one in reversed(listed.json()["items"])]


async def spend(box: Box, customer: UUID | None, points: int, paid: str) -> httpx.Response:
    rice = await a_product(box, f"RICE-{points}-{paid}", price="200.00", track_stock=False)
    body: dict[str, Any] = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice)}],
        "customer_id": None if customer is None else str(customer),
        "ext": {"loyalty": {"points": points}},
        "payments": [{"method": "cash", "amount": paid}],
    }
    return await box.client("cashier").post(SALES, body)


async def test_points_are_earned_spent_and_given_back(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 30)
    assert await balance(box, customer) == 30
    sold = await spend(box, customer, 25, "175.00")
    assert sold.status_code == 201, sold.text
    assert (sold.json()["discount_total"], sold.json()["total"]) == ("25.00", "175.00")
    assert sold.json()["lines"][0]["steps"][-1]["reason"] == "25 points"
    assert await balance(box, customer) == 30 - 25 + 1
    voided = await box.client("owner").post(f"{SALES}/{sold.json()['id']}/void", {"reason": "wrong customer"})
    assert voided.status_code == 200, voided.text
    assert await balance(box, customer) == 30
    assert sorted(await entries(box, customer)) == [
        ("earned", -1),
        ("earned", 1),
        ("earned", 30),
        ("spent", -25),
        ("spent", 25),
    ]


async def test_nobody_spends_what_they_do_not_have(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 3)
    refused = await spend(box, customer, 4, "196.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-enough-points")
    assert (await spend(box, None, 1, "199.00")).json()["code"] == "points-of-nobody"
    assert await balance(box, customer) == 3


async def test_of_two_tills_that_spend_the_same_points_one_is_refused(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 10)
    told = await asyncio.gather(*(spend(box, customer, points, f"{200 - points}.00") for points in (8, 9)))
    assert sorted(one.status_code for one in told) == [201, 409]
    assert await balance(box, customer) in (10 - 8 + 1, 10 - 9 + 1)


async def test_points_expire_the_oldest_first(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 10)
    await spend(box, customer, 4, "196.00")
    box.clock.pass_by(days=200)
    await points_of(box, customer, 5)
    box.clock.pass_by(days=170)
    await box.run_jobs()
    assert await balance(box, customer) == 5
    assert ("expired", -7) in await entries(box, customer)


async def test_a_card_stands_with_the_customer(box: Box) -> None:
    customer = await a_customer(box)
    owner, path = box.client("owner"), f"/api/v1/customers/customers/{customer}"
    version = int((await owner.get(path)).headers["etag"].strip('"'))
    changed = await owner.patch(path, {"ext": {"loyalty": {"card": "MN-0042"}}}, version=version)
    assert changed.json()["ext"] == {"loyalty": {"card": "MN-0042"}}
    found = await owner.get("/api/v1/customers/customers", params={"ext.loyalty.card": "MN-0042"})
    assert [one["id"] for one in found.json()["items"]] == [path.rpartition("/")[2]]
    twice = await owner.post("/api/v1/customers/customers", {"name": "Otieno", "ext": {"loyalty": {"card": "MN-0042"}}})
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (409, "/ext/loyalty/card")
    assert (await owner.post("/api/v1/plugins/loyalty/disable")).status_code == 200
    assert (await owner.get(path)).json()["ext"] == {}
    assert (await owner.post("/api/v1/plugins/loyalty/enable")).status_code == 200
    assert (await owner.get(path)).json()["ext"] == {"loyalty": {"card": "MN-0042"}}


async def test_what_a_point_is_worth_is_for_the_business_to_say(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 30)
    said = {"values": {"worth_of_a_point": 200, "spent_for_a_point": 50}}
    assert (await box.client("owner").patch("/api/v1/settings/loyalty", said, version=0)).status_code == 200
    sold = await spend(box, customer, 25, "150.00")
    assert sold.json()["total"] == "150.00"
    assert await balance(box, customer) == 30 - 25 + 300


async def test_points_stand_in_the_console_on_pages_a_card_and_with_the_customer(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 30)
    browser = Browser(box, "manager")
    beside = await browser.get(f"/customers/customers/{customer}")
    assert f"/console/loyalty/customers/{customer}" in beside.links.values()
    assert "worth KSh\xa030.00" in beside.text
    listed = await browser.get("/customers/customers")
    assert "30" in listed.text.partition(str(customer))[2].partition("</tr>")[0]
    assert "Earned" in (await browser.get(f"/loyalty/customers/{customer}")).text
    assert "30" in (await browser.get("/card/loyalty/points")).text
    assert (await Browser(box, "stock_keeper").get("/loyalty/points")).status == 404


async def test_what_a_point_is_worth_is_set_by_a_form_and_shown_wherever_points_are(box: Box) -> None:
    customer = await a_customer(box)
    await points_of(box, customer, 30)
    browser, settings = Browser(box), "/settings/loyalty"
    assert "A point takes off</dt><dd>KSh\xa01.00" in (await browser.get("/loyalty/points")).text
    form = (await browser.get(settings)).form(settings)
    assert (await browser.submit(form, {"values.worth_of_a_point": "250"})).status == 200
    assert "A point takes off</dt><dd>KSh\xa02.50" in (await browser.get("/loyalty/points")).text
    assert "worth KSh\xa075.00" in (await browser.get(f"/customers/customers/{customer}")).text
    assert "/console/settings/loyalty" not in (await Browser(box, "cashier").get("/loyalty/points")).links.values()
