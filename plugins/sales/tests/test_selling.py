"""Selling through the API, on both databases."""

from __future__ import annotations

from kernel.testing.box import Box
from plugins.catalog.testing import a_product


async def test_a_cash_sale_is_priced_numbered_and_paid(box: Box) -> None:
    rice = await a_product(box, sku="RICE-2KG", price="380.00", track_stock=False)
    body = {
        "location_id": str(await box.location()),
        "lines": [{"product_id": str(rice), "quantity": "2"}],
        "payments": [{"method": "cash", "amount": "760.00", "tendered": "1000.00"}],
    }
    sold = await box.client("cashier").post("/api/v1/sales/sales", body)
    assert sold.status_code == 201, sold.text
    sale = sold.json()
    assert sale["number"] == "O1-2026-000001"
    assert (sale["total"], sale["tax_total"], sale["change"]) == ("760.00", "104.83", "240.00")
    assert sale["lines"][0]["net"] == "655.17"
    read = await box.client("manager").get(f"/api/v1/sales/sales/{sale['id']}")
    assert read.json() == sale | {"balance_due": "0.00"}
