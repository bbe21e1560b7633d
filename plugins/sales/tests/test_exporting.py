"""Sales and their taxes as tables: their columns come to what the API tells of the same period and place."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.sales.testing import a_sale

EXPORT, TAXES = "/api/v1/sales/sales/export", "/api/v1/sales/tax-totals"
SUMS = ("net", "tax", "total", "discount", "voided_total")


async def two_sales_and_a_void(box: Box) -> dict[str, str]:
    """One for 760 and one for 50; one for 380 that is taken back. Returns the period, which is their day."""
    rice = await a_product(box, sku="RICE", price="380.00", track_stock=False)
    milk = await a_product(box, sku="MILK", price="50.00", track_stock=False)
    sale = await a_sale(box, {rice: "2"}, role="cashier")
    await a_sale(box, {milk: "1"}, role="manager")
    taken_back = await a_sale(box, {rice: "1"}, role="cashier")
    voided = await box.client("manager").post(f"/api/v1/sales/sales/{taken_back.id}/void", {"reason": "=SUM(A1)"})
    assert voided.status_code == 200, voided.text
    return {"from_date": str(sale.business_date), "to_date": str(sale.business_date)}


async def another_place(box: Box) -> str:
    places: list[dict[str, str]] = (await box.client("owner").get("/api/v1/locations")).json()["items"]
    here = str(await box.location())
    return next(one["id"] for one in places if one["id"] != here)


async def rows(box: Box, asked: dict[str, str], role: str = "accountant") -> list[dict[str, str]]:
    answer = await box.client(role).get(EXPORT, params=asked)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def sums(found: list[dict[str, str]]) -> dict[str, Decimal]:
    return {name: sum((Decimal(row[name]) for row in found), Decimal()) for name in SUMS}


async def test_columns_of_a_table_of_sales_come_to_the_taxes_and_the_list(box: Box) -> None:
    period = await two_sales_and_a_void(box)
    found, made = await rows(box, period), sums(await rows(box, period))
    assert (made["total"], made["voided_total"]) == (Decimal(810), Decimal(380))
    told = (await box.client("accountant").get(TAXES, params=period)).json()["categories"]
    assert [made[name] for name in SUMS[:3]] == [sum(Decimal(one[name]) for one in told) for name in SUMS[:3]]
    listed = (await box.client("accountant").get("/api/v1/sales/sales")).json()["items"]
    assert {(row["number"], row["status"]) for row in found} == {(one["number"], one["status"]) for one in listed}
    assert [(row["voided_by"] != "", row["void_reason"]) for row in found] == [(False, "")] * 2 + [(True, "'=SUM(A1)")]
    at = box.clock().astimezone(dt.timezone(dt.timedelta(hours=3)))
    assert found[0]["sold_at"] == f"{at:%Y-%m-%d %H:%M}", "by the clock on the shop's wall"


async def test_a_table_of_sales_holds_the_place_state_and_days_asked_for(box: Box) -> None:
    period = await two_sales_and_a_void(box)
    assert [row["status"] for row in await rows(box, period | {"status": "voided"})] == ["voided"]
    assert len(await rows(box, period | {"location_id": str(await box.location())})) == 3
    other = await another_place(box)
    assert await rows(box, period | {"location_id": other}) == []
    assert await rows(box, {"from_date": "2025-02-01", "to_date": "2025-02-28"}) == []


async def test_figures_are_numbers_in_a_workbook_and_texts_are_texts(box: Box) -> None:
    period = await two_sales_and_a_void(box)
    answer = await box.client("accountant").get(EXPORT, params=period | {"format": "xlsx"})
    assert answer.status_code == 200, answer.text
    head, *body = load_workbook(io.BytesIO(answer.content)).active.iter_rows()
    kinds = {str(cell.value): {row[at].data_type for row in body} for at, cell in enumerate(head)}
    assert {name for name, found in kinds.items() if "n" in found and name in SUMS} == set(SUMS)
    assert kinds["void_reason"] <= {"s", "n", "inlineStr"}
    assert "=SUM(A1)" not in {cell.value for row in body for cell in row}


async def test_taxes_as_a_table_end_their_categories_with_the_sum(box: Box) -> None:
    period = await two_sales_and_a_void(box)
    answer = await box.client("accountant").get(f"{TAXES}/csv", params=period)
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["kind"], row["total"]) for row in found] == [("category", "810.00"), ("total", "810.00"), ("tax", "")]
    assert found[1]["tax"] == found[2]["tax"] != "0.00"


@pytest.mark.parametrize(("first", "last"), [("2026-11-21", "2026-11-20"), ("2025-01-01", "2026-01-02")])
async def test_a_period_that_is_none_or_too_long_is_refused(box: Box, first: str, last: str) -> None:
    for path in (EXPORT, f"{TAXES}/csv"):
        answer = await box.client("owner").get(path, params={"from_date": first, "to_date": last})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?to_date")


async def test_who_is_tied_to_a_place_takes_its_sales_alone(box: Box) -> None:
    period = await two_sales_and_a_void(box)
    other = await another_place(box)
    owner, path = box.client("owner"), f"/api/v1/users/{box.people['mama-njeri', 'accountant'].id}/locations"
    headers = {"If-Match": (await owner.get(path)).headers["etag"]}
    tied = await owner.send("PATCH", path, json={"location_ids": [other]}, headers=headers)
    assert tied.status_code == 200, tied.text
    assert await rows(box, period) == []
