"""The page of money given back: by whom, why, and of the day asked for."""

from __future__ import annotations

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.console.testing import Browser
from plugins.sales.testing import a_sale


async def test_money_given_back_is_listed_with_who_gave_it_and_by_day(box: Box) -> None:
    rice = await a_product(box, price="380.00", track_stock=False)
    sale = await a_sale(box, {rice: "1"}, method="card")
    box.clock.pass_by(days=1)
    back = {"payment_id": str(sale.payments[0].id), "reason": "broken seal"}
    made = await box.client("manager").post("/api/v1/payments/refunds", back)
    assert made.status_code == 201, made.text
    browser = Browser(box, "accountant")
    text = (await browser.get(f"/payments/refunds?business_date={made.json()['business_date']}")).text
    assert "broken seal" in text
    assert f">{made.json()['by']}</td>" in text
    assert "broken seal" not in (await browser.get(f"/payments/refunds?business_date={sale.business_date}")).text
