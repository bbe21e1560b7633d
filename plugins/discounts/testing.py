"""Builders for other plugins' tests: promotions that go through the use cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import convert

from kernel.testing.box import Box
from kernel.work import Work
from plugins.discounts.schemas.coupons import CouponsIn
from plugins.discounts.schemas.promotions import PromotionIn
from plugins.discounts.services.coupons import make_coupons
from plugins.discounts.services.promotions import add_promotion, move_promotion


async def a_promotion(
    where: Box | Work, name: str = "Rice week", value: str = "10", *, shop: str = "mama-njeri", **fields: Any
) -> UUID:
    """Draw up a promotion and activate it; a percentage unless `kind` says otherwise. Returns its id.

    fields: any of a promotion's, as on the wire; without product and category it is for the document.
    """
    if isinstance(where, Box):
        return await where.act(lambda work: a_promotion(work, name, value, **fields), shop=shop)
    short = {} if "effect" in fields else {"kind": "percent", "value": value}
    data = convert({"name": name, **short, **fields}, PromotionIn)
    made = await add_promotion(where, data)
    await move_promotion(where, made.id, "activate")
    return made.id


async def coupons(where: Box | Work, promotion: UUID, *, shop: str = "mama-njeri", **fields: Any) -> list[str]:
    """Make coupons for a promotion; the codes of the first hundred. fields: as on the wire."""
    if isinstance(where, Box):
        return await where.act(lambda work: coupons(work, promotion, **fields), shop=shop)
    return (await make_coupons(where, convert({"promotion_id": str(promotion), **fields}, CouponsIn))).codes


async def fill(box: Box, shop: str, own: dict[str, str]) -> None:
    """Two drafts, which change no price, and two coupons of a third."""
    for name in ("Week of rice", "Week of maize"):
        said = {"name": name, "kind": "percent", "value": "10", "product_id": own["product_id"]}
        data = convert(said, PromotionIn)
        own["promotion_id"] = str((await box.act(lambda work, data=data: add_promotion(work, data), shop=shop)).id)  # type: ignore[misc]
    third = PromotionIn(name="Week of coupons", kind="percent", value="10", by_coupon=True)
    of_coupons = (await box.act(lambda work: add_promotion(work, third), shop=shop)).id
    await coupons(box, of_coupons, count=2, shop=shop)
    own["promotion_ids"] = own["promotion_id"] = str(of_coupons)
    listed = await box.client("owner", shop).get("/api/v1/discounts/coupons")
    own["coupon_id"] = listed.json()["items"][0]["id"]
    own["batch_id"] = listed.json()["items"][0]["batch_id"]
