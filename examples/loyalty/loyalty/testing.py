"""Builders for tests: points that were earned by buying."""

from __future__ import annotations

from uuid import UUID

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.customers.testing import a_customer
from plugins.sales.testing import a_sale


async def points_of(box: Box, customer_id: UUID, points: int, *, shop: str = "mama-njeri") -> None:
    """Let a customer earn points at the rate that a business begins with: one for each hundred spent."""
    product = await a_product(box, f"FOR-POINTS-{points}", price="100.00", track_stock=False, shop=shop)
    await a_sale(box, {product: str(points)}, customer_id=customer_id, shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """A customer with points; `own` names them as requests do."""
    customer = await a_customer(box, shop=shop)
    await points_of(box, customer, 3, shop=shop)
    own["customer_id"] = str(customer)
