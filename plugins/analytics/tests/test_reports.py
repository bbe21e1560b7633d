"""Reports add up what was sold, in each way to the same sum."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kernel.testing.box import Box
from plugins.analytics.services import reporting
from plugins.catalog.testing import a_product
from plugins.sales.testing import a_sale

REPORT = "/api/v1/analytics/sales"
BYS = ["day", "hour", "weekday", "product", "cashier", "location", "method"]


async def three_sales(box: Box) -> dt.date:
    """One for 760 and one for 50 in cash, one by card for 380 that is taken back; returns their business day."""
    rice = await a_product(box, sku="RICE-2KG", name="Rice 2kg", price="380.00", track_stock=False)
    milk = await a_product(box, sku="MILK", name="=Milk", price="50.00", track_stock=False)
    first = await a_sale(box, {rice: "2"}, role="cashier")
    await a_sale(box, {milk: "1"}, role="manager")
    taken_back = await a_sale(box, {rice: "1"}, method="card", role="cashier")
    voided = await box.client("owner").post(f"/api/v1/sales/sales/{taken_back.id}/void", {"reason": "wrong customer"})
    assert voided.status_code == 200, voided.text
    return first.business_date


async def report(box: Box, day: dt.date, by: str, role: str = "owner", **more: Any) -> dict[str, Any]:
    asked = {"by": by, "from_date": str(day), "to_date": str(day), **more}
    answer = await box.client(role).get(REPORT, params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_each_way_of_adding_up_comes_to_what_was_sold(box: Box) -> None:
    day = await three_sales(box)
    made = {by: await report(box, day, by) for by in BYS}
    assert {by: one["total"] for by, one in made.items()} == dict.fromkeys(BYS, "810.00")
    assert {one["tax"] for by, one in made.items() if by != "method"} == {made["day"]["tax"]}
    assert [(row["label"], row["quantity"], row["total"]) for row in made["product"]["rows"]] == [
        ("Rice 2kg", "2", "760.00"),
        ("=Milk", "1", "50.00"),
    ]
    assert [(row["key"], row["total"]) for row in made["method"]["rows"]] == [("cash", "810.00"), ("card", "0.00")]
    assert made["day"]["count"] == 2, "what was voided counts for nothing"
    averages = {by: one["average"] for by, one in made.items()}
    assert averages == dict.fromkeys(BYS, "405.00") | {"method": None}
    hour = f"{box.clock().astimezone(dt.timezone(dt.timedelta(hours=3))).hour:02}:00"
    assert [row["label"] for row in made["hour"]["rows"]] == [hour], "of the clock in Nairobi"


@pytest.mark.parametrize(("total", "count", "average"), [(3001, 3, "10.00"), (3002, 3, "10.01"), (1, 2, "0.01")])
def test_an_average_is_rounded_half_up_to_the_smallest_coin(total: int, count: int, average: str) -> None:
    assert reporting._average("day", reporting.Sum("", "", count, total), 2) == average
    assert reporting._average("day", reporting.Sum("", "", 0, 0), 2) is None


async def test_a_report_as_csv_ends_with_its_sums_and_holds_no_formula(box: Box) -> None:
    day = await three_sales(box)
    asked = {"by": "product", "from_date": str(day), "to_date": str(day)}
    answer = await box.client("accountant").get(f"{REPORT}/csv", params=asked)
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert lines[0] == "key,label,count,quantity,total,tax,discount"
    assert "'=Milk" in lines[2]
    assert lines[-1].startswith(",total,2,,810.00,")


async def test_what_came_to_less_than_nothing_is_a_number_in_a_csv(box: Box) -> None:
    rice = await a_product(box, price="380.00", track_stock=False)
    sale = await a_sale(box, {rice: "1"}, method="card")
    box.clock.pass_by(days=1)
    back = {"payment_id": str(sale.payments[0].id), "reason": "broken seal"}
    answer = await box.client("manager").post("/api/v1/payments/refunds", back)
    assert answer.status_code == 201, answer.text
    day = answer.json()["business_date"]
    asked = {"by": "method", "from_date": day, "to_date": day}
    lines = (await box.client("accountant").get(f"{REPORT}/csv", params=asked)).text.splitlines()
    assert lines[1:] == ["card,card,0,,-380.00,,", ",total,0,,-380.00,,"]


@pytest.mark.parametrize(("first", "last"), [("2026-11-21", "2026-11-20"), ("2025-01-01", "2026-01-02")])
async def test_a_period_that_is_none_or_too_long_is_refused(box: Box, first: str, last: str) -> None:
    answer = await box.client("owner").get(REPORT, params={"by": "day", "from_date": first, "to_date": last})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "?to_date"


async def test_a_cashier_sees_no_report_and_another_business_nothing_of_it(box: Box) -> None:
    day = await three_sales(box)
    asked = {"by": "day", "from_date": str(day), "to_date": str(day)}
    assert (await box.client("cashier").get(REPORT, params=asked)).status_code == 403
    theirs = (await box.client("owner", "sharma-kirana").get(REPORT, params=asked)).json()
    assert (theirs["rows"], theirs["count"]) == ([], 0)
