"""Pages of reports: what a month ends with, and the files of it."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import re
from decimal import Decimal

import pytest

from kernel.testing.box import Box
from plugins.analytics.with_console import month_before
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.sales.testing import a_sale

MONTH = "/analytics/month"


async def two_sales(box: Box) -> dt.date:
    """One for 760 at a till, and one for 50 of which 10 are given back; returns their business day."""
    rice = await a_product(box, sku="RICE", price="380.00", track_stock=False)
    milk = await a_product(box, sku="MILK", price="50.00", track_stock=False)
    sale = await a_sale(box, {rice: "2"}, role="cashier")
    milky = await a_sale(box, {milk: "1"}, method="card")
    back = {"payment_id": str(milky.payments[0].id), "amount": "10.00", "reason": "broken seal"}
    answer = await box.client("manager").post("/api/v1/payments/refunds", back)
    assert answer.status_code == 201, answer.text
    return sale.business_date


def files_of(text: str) -> list[str]:
    """The addresses of the files that a page offers, below `/api/v1`."""
    return [html.unescape(one) for one in re.findall(r'href="/console(/api/v1/[^"]+)" download', text)]


@pytest.mark.parametrize(
    ("day", "first", "last"), [("2026-03-31", "2026-02-01", "2026-02-28"), ("2026-01-01", "2025-12-01", "2025-12-31")]
)
def test_the_month_before_is_whole_also_over_the_years_end(day: str, first: str, last: str) -> None:
    assert tuple(map(str, month_before(dt.date.fromisoformat(day)))) == (first, last)


async def test_a_months_end_tells_taxes_and_money_and_why_they_differ_from_what_was_sold(box: Box) -> None:
    await two_sales(box)
    text = (await Browser(box, "accountant").get(f"{MONTH}?period=month")).text
    assert all(one in text for one in ("KSh\xa0810.00", "KSh\xa0800.00", "Taxes collected", "VAT 16"))
    assert "What came in is not what was sold" in text
    empty = (await Browser(box, "accountant").get(f"{MONTH}?from_date=2026-02-01&to_date=2026-02-28")).text
    assert "Nothing was sold in this period" in empty
    assert "What came in is not what was sold" not in empty


async def test_every_file_of_a_months_end_holds_the_period_and_the_place_of_the_page(box: Box) -> None:
    day = await two_sales(box)
    place = str(await box.location())
    browser = Browser(box, "accountant")
    text = (await browser.get(f"{MONTH}?from_date={day}&to_date={day}&location_id={place}")).text
    files = files_of(text)
    assert len(files) == 12
    for path in files:
        assert f"from_date={day}&to_date={day}&location_id={place}" in path
        answer = await box.client("accountant").get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
    book = await box.client("accountant").get(next(path for path in files if "daybook" in path and "xlsx" not in path))
    rows = list(csv.DictReader(io.StringIO(book.text)))
    assert sum(Decimal(row["sold"] or 0) for row in rows) == 810
    assert sum(Decimal(row["in"] or 0) - Decimal(row["out"] or 0) for row in rows) == 800


async def test_a_report_by_way_of_paying_tells_money_that_came_and_not_what_was_sold(box: Box) -> None:
    await two_sales(box)
    text = (await Browser(box).get("/analytics/sales?by=method&period=today")).text
    assert "Less what was given back" in text
    assert 'aria-label="Sold"' not in text


async def test_days_of_a_report_name_their_year(box: Box) -> None:
    day = await two_sales(box)
    text = (await Browser(box).get("/analytics/sales?by=day&period=today")).text
    assert f"{day:%A} {day.day} {day:%B} {day.year}" in text


async def test_last_month_is_a_period_of_reports(box: Box) -> None:
    await two_sales(box)
    box.clock.pass_by(days=31)
    text = (await Browser(box).get("/analytics/sales?by=day&period=last_month")).text
    assert "KSh\xa0810.00" in text


async def test_a_page_that_shows_the_first_rows_says_so_and_its_file_has_all(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = await two_sales(box)
    monkeypatch.setattr("plugins.analytics.services.reporting.MOST_ROWS", 1)
    monkeypatch.setattr("plugins.analytics.with_console.MOST_ROWS", 1)
    text = (await Browser(box).get("/analytics/sales?by=product&period=today")).text
    assert "These are the first 1 rows" in text
    asked = {"by": "product", "from_date": str(day), "to_date": str(day)}
    table = (await box.client("accountant").get("/api/v1/analytics/sales/csv", params=asked)).text
    *rows, whole = csv.DictReader(io.StringIO(table))
    assert sum(Decimal(row["total"]) for row in rows) == Decimal(whole["total"]) == 810


async def test_the_list_of_sales_leads_to_the_months_end(box: Box) -> None:
    assert 'href="/console/analytics/month"' in (await Browser(box, "accountant").get("/sales/sales")).text
