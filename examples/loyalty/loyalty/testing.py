"""Builders for tests: points that were earned by buying."""

from __future__ import annotations

from uuid import UUID

from kernel.testing.box import Box
from plugins.catalog.testing import a_product
from plugins.sales.testing import a_sale


async def points_of(box: Box, customer_id: UUID, points: int, *, shop: str = "mama-njeri") -> None:
    """Let a customer earn points at the rate that a business begins with: one for each hundred spent."""
    product = await a_product(box, f"FOR-POINTS-{points}", price="100.00", track_stock=False, shop=shop)
    await a_sale(box, {product: str(points)}, customer_id=customer_id, shop=shop)


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """A customer with a card and points; `own` names them as requests do."""
    customer = {"name": "Grace Wambui", "ext": {"loyalty": {"card": f"{shop}-0042"}}}
    made = await box.client("owner", shop).post("/api/v1/customers/customers", customer)
    own["customer_id"] = made.json()["id"]
    await points_of(box, UUID(own["customer_id"]), 3, shop=shop)
