"""The book as a table: its columns come to the figures of its days."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.daybook.testing import an_expense
from plugins.sales.testing import a_sale

EXPORT = "/api/v1/daybook/entries/export"
DAY = "2026-11-21"


async def a_day(box: Box) -> None:
    """A sale for 200, one for 100 that is taken back, and an expense of 35."""
    rice = await a_product(box, price="100.00", track_stock=False)
    await a_sale(box, {rice: "2"})
    taken_back = await a_sale(box, {rice: "1"}, method="card")
    voided = await box.client("manager").post(f"/api/v1/sales/sales/{taken_back.id}/void", {"reason": "=1+1"})
    assert voided.status_code == 200, voided.text
    await an_expense(box, "35.00")


async def another_place(box: Box) -> str:
    places: list[dict[str, str]] = (await box.client("owner").get("/api/v1/locations")).json()["items"]
    here = str(await box.location())
    return next(one["id"] for one in places if one["id"] != here)


async def rows(box: Box, **asked: str) -> list[dict[str, str]]:
    answer = await box.client("accountant").get(EXPORT, params={"from_date": DAY, "to_date": DAY} | asked)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_columns_of_the_book_come_to_the_figures_of_its_day(box: Box) -> None:
    await a_day(box)
    found = await rows(box)
    day = (await box.client("accountant").get(f"/api/v1/daybook/days/{DAY}")).json()
    sold, came, went = (sum(Decimal(row[name] or 0) for row in found) for name in ("sold", "in", "out"))
    assert sold == Decimal(day["sales_total"]) - Decimal(day["voids_total"]) == 200
    assert came == sum(Decimal(one["received"]) for one in day["accounts"]) == 300
    assert went == sum(Decimal(one["paid"]) for one in day["accounts"]) == 135
    assert {row["sold"] for row in found if row["kind"] == "void"} == {"-100.00"}, "a number, not a text"
    assert {row["words"] for row in found if row["kind"] == "void"} == {"'=1+1"}
    assert {row["words"] for row in found if row["kind"] == "sale"} == {"1 line, retail"}


async def test_the_book_holds_the_days_and_the_place_asked_for(box: Box) -> None:
    await a_day(box)
    box.clock.pass_by(days=1)
    await an_expense(box, "40.00")
    assert len(await rows(box)) == 7
    assert [row["out"] for row in await rows(box, from_date="2026-11-22", to_date="2026-12-31")] == ["40.00"]
    assert await rows(box, from_date="2025-12-01", to_date="2026-01-31") == []
    other = await another_place(box)
    assert await rows(box, location_id=other) == []


async def test_figures_of_the_book_are_numbers_in_a_workbook(box: Box) -> None:
    await a_day(box)
    asked = {"from_date": DAY, "to_date": DAY, "format": "xlsx"}
    answer = await box.client("accountant").get(EXPORT, params=asked)
    head, *body = load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    at = head.index("sold")
    assert sum(row[at] for row in body if row[at] not in (None, "")) == 200


@pytest.mark.parametrize(("first", "last"), [("2026-11-21", "2026-11-20"), ("2025-01-01", "2026-01-02")])
async def test_a_period_that_is_none_or_too_long_is_refused(box: Box, first: str, last: str) -> None:
    answer = await box.client("owner").get(EXPORT, params={"from_date": first, "to_date": last})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?to_date")
