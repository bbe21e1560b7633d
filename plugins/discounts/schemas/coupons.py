"""What clients send and are answered of coupons, and what a cart carries of them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.wire import ListQuery, Request
from plugins.discounts.schemas.effects import Uses
from plugins.discounts.schemas.promotions import Moment
from plugins.discounts.schemas.terms import Offer

MOST_AT_ONCE = 10_000
CouponCode = Annotated[
    str,
    Meta(
        pattern=r"\A[A-Za-z0-9][A-Za-z0-9 -]{1,38}[A-Za-z0-9]\Z",
        max_length=40,
        description="Capitals, spaces and dashes make no difference.",
        examples=["KARIBU"],
    ),
]
Prefix = Annotated[str, Meta(pattern=r"\A[A-Z0-9]{0,12}\Z", max_length=12, examples=["XMAS"])]


class CouponsOfCart(Struct, frozen=True, forbid_unknown_fields=True):
    """In a cart's `ext.discounts`: the coupons that the customer hands over."""

    coupon_codes: Annotated[list[CouponCode], Meta(max_length=10)] = []


class OnTrial(CouponsOfCart, frozen=True):
    """The same of a cart on which promotions are tried, which no client can send."""

    offers: tuple[Offer, ...] = ()


class CouponsIn(Request, frozen=True):
    """Coupons to make for a promotion: one by its own code, or many with codes that nobody can guess.

    A coupon that is made up is good for one sale unless `uses` says otherwise; one with a code of its own has no end.
    """

    promotion_id: UUID
    code: CouponCode | None = None
    count: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE, examples=[1000])] = 1
    prefix: Prefix = ""
    uses: Uses | None = None
    per_customer: Uses | None = None
    per_day: Uses | None = None
    customer_id: Annotated[UUID | None, Meta(description="Only for this customer.")] = None
    expires_at: Moment | None = None


class CouponsOut(Struct, frozen=True):
    """Coupons that were made together; list them by their batch."""

    batch_id: UUID
    promotion_id: UUID
    count: int
    codes: Annotated[list[str], Meta(description="The first hundred.", examples=[["XMAS-7F3K-Q9TX-2M"]])]


CouponState = Annotated[
    Literal["unused", "partly_used", "used_up", "expired", "withdrawn"],
    Meta(
        description="The last that holds. `expired` where its promotion has ended, too; one without a limit in all is "
        "`partly_used` once a sale had it, be it voided since.",
        examples=["unused"],
    ),
]


class CouponOut(Struct, frozen=True):
    """A coupon. `remaining`: how often it is still good in all; null without end."""

    id: UUID
    promotion_id: UUID
    batch_id: UUID
    code: Annotated[str, Meta(examples=["XMAS-7F3K-Q9TX-2M"])]
    customer_id: UUID | None
    uses: int | None
    remaining: int | None
    per_customer: int | None
    per_day: int | None
    expires_at: dt.datetime | None
    is_active: bool
    created_at: dt.datetime
    state: CouponState


class BatchChanged(Struct, frozen=True):
    """Of coupons that were made together, how many changed, and how many were so already."""

    batch_id: UUID
    changed: Annotated[int, Meta(examples=[998])]
    unchanged: Annotated[int, Meta(examples=[2])]


class CouponPatch(Request, frozen=True):
    """What changes of a coupon: it is withdrawn, its end is moved, or it is good for more.

    A limit is never lowered below what is used; null takes it away for good.
    """

    is_active: bool | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    uses: Uses | UnsetType | None = UNSET
    per_customer: Uses | UnsetType | None = UNSET
    per_day: Uses | UnsetType | None = UNSET


class CouponQuery(ListQuery, frozen=True):
    """Which coupons, in the order in which they were made."""

    promotion_id: UUID | None = None
    batch_id: UUID | None = None
    code: CouponCode | None = None
    state: CouponState | None = None


class CouponExport(Request, frozen=True, kw_only=True):
    """Which coupons, as their list has it, and as what kind of file."""

    promotion_id: UUID | None = None
    batch_id: UUID | None = None
    state: CouponState | None = None
    format: Literal["csv", "xlsx"] = "csv"
