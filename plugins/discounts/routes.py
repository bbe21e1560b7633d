"""The API of promotions and coupons, below /api/v1/discounts."""

from __future__ import annotations

from uuid import UUID

from kernel.errors import AlreadyExists
from kernel.web import Scene, command, flow, query
from kernel.wire import Download, Page, Reply
from kernel.work import Work
from plugins.discounts.errors import AlreadyOver, CouponLimitFixed, FixedOnceActive, NotByCoupon, NotFromThisState
from plugins.discounts.schemas.coupons import (
    BatchChanged,
    CouponExport,
    CouponOut,
    CouponPatch,
    CouponQuery,
    CouponsIn,
    CouponsOut,
)
from plugins.discounts.schemas.promotions import (
    PromotionDetail,
    PromotionIn,
    PromotionOut,
    PromotionPatch,
    PromotionQuery,
)
from plugins.discounts.schemas.simulations import SimulationIn, SimulationOut
from plugins.discounts.services import coupon_lists, coupons
from plugins.discounts.services import promotions as services
from plugins.discounts.services.simulating import simulate

LONGEST_S = 120.0


@query("/promotions", permission="discounts.see")
async def list_promotions(work: Work, query: PromotionQuery) -> Page[PromotionOut]:
    """Promotions, newest first."""
    return await services.list_promotions(work, query)


@query("/promotions/{promotion_id}", permission="discounts.see")
async def get_promotion(work: Work, promotion_id: UUID) -> Reply[PromotionDetail]:
    """One promotion, with the sales it had a part in and what it took off them."""
    found, version = await services.find_promotion(work, promotion_id)
    return Reply(found, version=version, living=True)


@command("POST", "/promotions", permission="discounts.edit", errors=(AlreadyExists,))
async def add_promotion(work: Work, data: PromotionIn) -> Reply[PromotionOut]:
    """Draw up a promotion.

    It is a draft until it is activated. Say what it does by `effect`, or by `kind` and `value`; what it is for by
    `goods`, or by one product or category, which stands for all goods in it and below it.
    """
    made = await services.add_promotion(work, data)
    return Reply(made, version=1, location=f"/api/v1/discounts/promotions/{made.id}")


@command(
    "PATCH",
    "/promotions/{promotion_id}",
    permission="discounts.edit",
    errors=(AlreadyExists, FixedOnceActive, NotFromThisState),
)
async def change_promotion(work: Work, promotion_id: UUID, data: PromotionPatch) -> Reply[PromotionOut]:
    """Change a promotion.

    A draft changes as you like. Once active only its end does, since receipts refer to the rest.
    """
    changed, version = await services.change_promotion(work, promotion_id, data)
    return Reply(changed, version=version)


@command(
    "POST",
    "/promotions/{promotion_id}/activate",
    permission="discounts.edit",
    status=200,
    errors=(AlreadyOver, NotFromThisState),
)
async def activate_promotion(work: Work, promotion_id: UUID) -> Reply[PromotionOut]:
    """Activate a draft.

    From its start on it lowers the price of every cart that is priced.
    """
    active, version = await services.move_promotion(work, promotion_id, "activate")
    return Reply(active, version=version)


@command("POST", "/promotions/{promotion_id}/end", permission="discounts.edit", status=200, errors=(NotFromThisState,))
async def end_promotion(work: Work, promotion_id: UUID) -> Reply[PromotionOut]:
    """End a promotion for good.

    The next cart is priced without it; what it took off sales stays noted.
    """
    ended, version = await services.move_promotion(work, promotion_id, "end")
    return Reply(ended, version=version)


@command("POST", "/coupons", permission="discounts.edit", errors=(AlreadyExists, NotByCoupon))
async def make_coupons(work: Work, data: CouponsIn) -> CouponsOut:
    """Make coupons for a promotion that is asked for by coupon.

    One with a code of your own, or up to ten thousand with codes that nobody guesses; the answer shows the first
    hundred, the list of the batch all of them.
    """
    return await coupons.make_coupons(work, data)


@query("/coupons", permission="discounts.coupons")
async def list_coupons(work: Work, query: CouponQuery) -> Page[CouponOut]:
    """Coupons with their codes, in the order in which they were made."""
    return await coupon_lists.list_coupons(work, query)


@flow("GET", "/coupons/export", permission="discounts.coupons", longest_s=LONGEST_S)
async def export_coupons(scene: Scene, query: CouponExport) -> Download:
    """Coupons as CSV or XLSX, all or those that filters let through, in the order in which they were made.

    Times are by the clock of the business.
    """
    return await coupon_lists.export_coupons(scene, query)


@query("/coupons/{coupon_id}", permission="discounts.coupons")
async def get_coupon(work: Work, coupon_id: UUID) -> Reply[CouponOut]:
    """One coupon, and how often it is still good."""
    found, version = await coupon_lists.find_coupon(work, coupon_id)
    return Reply(found, version=version, living=True)


@command("PATCH", "/coupons/{coupon_id}", permission="discounts.edit", errors=(CouponLimitFixed,))
async def change_coupon(work: Work, coupon_id: UUID, data: CouponPatch) -> Reply[CouponOut]:
    """Withdraw a coupon, let it be good again, move its end, or change how often it is good.

    A raised limit counts for customers and days that have used some of it as well. No limit falls below what is used;
    one that a coupon was made without, or that was taken away, does not come, since nobody has counted.
    """
    changed, version = await coupons.change_coupon(work, coupon_id, data)
    return Reply(changed, version=version, living=True)


@command("POST", "/coupon-batches/{batch_id}/withdraw", permission="discounts.edit", status=200)
async def withdraw_batch(work: Work, batch_id: UUID) -> BatchChanged:
    """Withdraw all coupons that were made together, as one deed."""
    return await coupons.set_batch(work, batch_id, is_active=False)


@command("POST", "/coupon-batches/{batch_id}/restore", permission="discounts.edit", status=200)
async def restore_batch(work: Work, batch_id: UUID) -> BatchChanged:
    """Let all coupons that were made together be good again, also those that were withdrawn one by one."""
    return await coupons.set_batch(work, batch_id, is_active=True)


@query("/simulate", method="POST", permission="discounts.edit")
async def simulate_promotions(work: Work, data: SimulationIn) -> SimulationOut:
    """Try promotions on the newest sales.

    Answers what these would have come to had the promotions run, with revenue, margin and each sale that changes.
    Writes nothing.
    """
    return await simulate(work, data)
