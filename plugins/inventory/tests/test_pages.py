"""Pages of stock: what was corrected is found by those who may not correct."""

from __future__ import annotations

from kernel.testing.box import Box
from plugins.console.testing import Browser


async def test_the_accountant_finds_corrections_of_stock_from_its_page(box: Box) -> None:
    page = await Browser(box, "accountant").get("/inventory/levels")
    assert 'href="/console/inventory/adjustments"' in page.text
