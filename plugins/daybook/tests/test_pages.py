"""Pages of the day book."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.daybook.testing import an_expense
from plugins.sales.testing import a_sale


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31", "2026-02-30", "x"])
async def test_a_day_without_one_before_or_after_it_is_today(box: Box, date: str) -> None:
    page = await Browser(box).get(f"/daybook/days?date={date}")
    assert page.status == 200
    assert f"{box.clock():%Y-%m-%d}" in page.text or page.text.count("date=") >= 2


async def test_a_day_adds_up_its_accounts_and_names_each_entry(box: Box) -> None:
    rice = await a_product(box, price="100.00", track_stock=False)
    await a_sale(box, {rice: "3"})
    taken_back = await a_sale(box, {rice: "1"}, method="card")
    voided = await box.client("manager").post(f"/api/v1/sales/sales/{taken_back.id}/void", {"reason": "wrong customer"})
    assert voided.status_code == 200, voided.text
    await an_expense(box, "35.00")
    text = (await Browser(box, "accountant").get("/daybook/days?date=2026-11-21")).text
    foot = text[text.index("<tfoot>") : text.index("</tfoot>")]
    assert [f"KSh\xa0{one}" in foot for one in ("0.00", "400.00", "135.00", "265.00")] == [True] * 4
    assert 'aria-label="Sold, less taken back"' in text
    assert all(one in text for one in ("Sale taken back", "wrong customer", "Money given back", "Expense", "Payment"))


async def test_an_expense_is_noted_from_the_account_that_paid_it(box: Box) -> None:
    browser = Browser(box, "accountant")
    form = (await browser.get("/daybook/expenses")).form("/daybook/expenses")
    said = {"location_id": str(await box.location()), "amount": "120.00", "category": "rent", "method": "bank_transfer"}
    await browser.submit(form, said)
    listed = (await box.client("accountant").get("/api/v1/daybook/expenses")).json()["items"]
    assert [(one["method"], one["amount"]) for one in listed] == [("bank_transfer", "120.00")]


async def test_an_expense_taken_back_on_another_day_is_not_offered_to_be_taken_back_again(box: Box) -> None:
    made = await an_expense(box)
    box.clock.pass_by(days=1)
    path = f"/api/v1/daybook/expenses/{made.id}/reverse"
    back = await box.client("manager").post(path, {"reason": "typed twice"})
    assert back.status_code == 201, back.text
    asked = {"business_date": str(made.business_date)}
    listed = (await box.client("accountant").get("/api/v1/daybook/expenses", params=asked)).json()["items"]
    assert [one["reversed_by_id"] for one in listed] == [back.json()["id"]]
    text = (await Browser(box, "accountant").get(f"/daybook/expenses?business_date={made.business_date}")).text
    assert "Was taken back" in text
    assert f"{made.id}/reverse" not in text
