"""Builders for other plugins' tests: stock that went through the use cases."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from msgspec import convert

from kernel.money import format_micro
from kernel.testing.box import Box
from kernel.work import Work
from plugins.inventory.models import Level
from plugins.inventory.schemas import ReceiptIn, ReceiptOut
from plugins.inventory.services import receive_goods


async def stock(
    where: Box | Work,
    product_id: UUID,
    location_id: UUID,
    quantity: str,
    *,
    unit_cost: str | None = None,
    shop: str = "mama-njeri",
) -> ReceiptOut:
    """Take goods in at a location: inside a deed, given its work, or in a deed of its own, given the box."""
    line = {"product_id": product_id, "quantity": quantity, "unit_cost": unit_cost}
    data = convert({"location_id": location_id, "lines": [line]}, ReceiptIn)
    if isinstance(where, Work):
        return await receive_goods(where, data)
    return await where.act(lambda work: receive_goods(work, data), shop=shop)


async def on_hand(box: Box, product_id: UUID, location_id: UUID, *, shop: str = "mama-njeri") -> str:
    """What stands of a product at a location, as a decimal string; "0" where none ever stood."""

    async def read(work: Work) -> int:
        found = await work.execute(
            sa.select(Level.on_hand).where(
                Level.business_id == work.business_id,
                Level.product_id == product_id,
                Level.location_id == location_id,
            )
        )
        return found.scalar() or 0

    return format_micro(await box.look(read, shop=shop))


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Ninety thousand of each product, and one of each lost."""
    owner, place = box.client("owner", shop), UUID(own["location_id"])
    for product in (own["other_product_id"], own["product_id"]):
        own["receipt_id"] = str((await stock(box, UUID(product), place, "90000", shop=shop)).id)
        lost = {"location_id": own["location_id"], "lines": [{"product_id": product, "quantity": "-1"}]}
        own["adjustment_id"] = (await owner.post("/api/v1/inventory/adjustments", lost | {"reason": "lost"})).json()[
            "id"
        ]
