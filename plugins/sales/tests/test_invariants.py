"""What must hold of sales is found out when it does not: each rule is broken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.db.tables import Series
from kernel.invariants import broken
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import open_box
from kernel.work import Work
from plugins.catalog.testing import a_product
from plugins.sales.models import Sale, SaleLine


def _a_crooked_line() -> sa.Insert:
    """A second line of each sale, a unit more than its total: lines of sales are never changed."""
    line = SaleLine.__table__
    changed = {"line": sa.literal(2), "net": line.c.net + 1}
    return sa.insert(line).from_select(list(line.c), sa.select(*(changed.get(one.name, one) for one in line.c)))  # type: ignore[arg-type]


_series = Series.series.startswith("sale:")
BREAKS: dict[str, Callable[[], sa.Update | sa.Insert]] = {
    "a sale's totals are the sums of its lines": lambda: sa.update(Sale).values(tax_total=Sale.tax_total + 1),
    "net and tax of every line make its total": _a_crooked_line,
    "a sale with a number of its own is paid to the last unit": lambda: sa.update(Sale).values(paid=Sale.paid - 1),
    "what is pending or expired goes by its order number": lambda: sa.update(Sale).values(status="pending"),
    "sale numbers run from 1 without a gap": lambda: sa.update(Series).where(_series).values(last=Series.last + 1),
    "order numbers run from 1 without a gap": lambda: (
        sa.update(Series).where(_series).values(series=sa.func.replace(Series.series, "sale:", "order:"))
    ),
}


@pytest.mark.parametrize("rule", BREAKS)
async def test_a_sale_that_does_not_hold_is_found(box_settings: Settings, registry: Registry, rule: str) -> None:
    box = await open_box(box_settings, registry)
    rice = await a_product(box, price="100.00", track_stock=False)
    payments: list[dict[str, Any]] = [{"method": "cash", "amount": "100.00"}]
    body = {"location_id": str(await box.location()), "lines": [{"product_id": str(rice), "quantity": "1"}]}
    for _ in range(2):
        sold = await box.client("cashier").post("/api/v1/sales/sales", body | {"payments": payments})
        assert sold.status_code == 201, sold.text
    assert await broken(box.deployment) == []

    async def harm(work: Work) -> None:
        await work.execute(BREAKS[rule]())

    await box.act(harm)
    faults = await broken(box.deployment)
    await box.close()
    assert any(fault.startswith(rule) for fault in faults), faults
