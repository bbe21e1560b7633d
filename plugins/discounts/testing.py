"""Builders for other plugins' tests: promotions that go through the use cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import convert

from kernel.testing.box import Box
from kernel.work import Work
from plugins.discounts.schemas import PromotionIn
from plugins.discounts.services import add_promotion, move_promotion


async def a_promotion(
    where: Box | Work, name: str = "Rice week", value: str = "10", *, shop: str = "mama-njeri", **fields: Any
) -> UUID:
    """Draw up a promotion and activate it; a percentage unless `kind` says otherwise. Returns its id.

    fields: any of a promotion's, as on the wire; without product and category it is for the document.
    """
    if isinstance(where, Box):
        return await where.act(lambda work: a_promotion(work, name, value, **fields), shop=shop)
    data = convert({"name": name, "kind": "percent", "value": value, **fields}, PromotionIn)
    made = await add_promotion(where, data)
    await move_promotion(where, made.id, "activate")
    return made.id


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two drafts, which change no price."""
    for name in ("Week of rice", "Week of maize"):
        said = {"name": name, "kind": "percent", "value": "10", "product_id": own["product_id"]}
        data = convert(said, PromotionIn)
        own["promotion_id"] = str((await box.act(lambda work, data=data: add_promotion(work, data), shop=shop)).id)  # type: ignore[misc]
