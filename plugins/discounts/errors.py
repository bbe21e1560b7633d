"""What can stand in the way of a promotion or a coupon."""

from __future__ import annotations

from kernel.errors import Conflict, Invalid


class FixedOnceActive(Conflict):
    """What a promotion is called, takes off and is for stays as it was activated: sales refer to it."""

    code, title = "promotion-fixed", "This can no longer be changed"


class NotFromThisState(Conflict):
    """The promotion's state does not allow this step."""

    code, title = "promotion-state", "The promotion is not in a state for this"


class AlreadyOver(Conflict):
    """The promotion's last moment has passed before it was activated."""

    code, title = "promotion-over", "The promotion's time is over"


class PromotionUsedUp(Conflict):
    """The last of a limited promotion went to another sale meanwhile: price the cart again."""

    code, title = "promotion-used-up", "The promotion is used up"


class CouponUnknown(Invalid):
    """There is no such coupon here."""

    code, title = "coupon-unknown", "There is no such coupon"


class CouponExpired(Invalid):
    """The coupon's time, or that of its promotion, is over or has not begun, or it was withdrawn."""

    code, title = "coupon-expired", "The coupon is not valid now"


class CouponUsedUp(Conflict):
    """The coupon was used as often as it may be: in all, today, or by this customer."""

    code, title = "coupon-used-up", "The coupon is used up"


class CouponLimitFixed(Conflict):
    """The limit would be lower than what is used already, or was never counted."""

    code, title = "coupon-limit", "The coupon's limit cannot be that"


class CouponNotForCustomer(Invalid):
    """The coupon is for somebody else, or for customers who are named."""

    code, title = "coupon-not-for-customer", "The coupon is not for this customer"


class CouponNotApplicable(Invalid):
    """The cart does not have what the coupon is for; the detail says what is missing."""

    code, title = "coupon-not-applicable", "The coupon does nothing for this cart"


class NotByCoupon(Conflict):
    """Coupons are made for promotions that are asked for by coupon, and have not ended."""

    code, title = "not-by-coupon", "This promotion takes no coupons"
