"""What clients send and are answered of promotions."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Amount
from kernel.wire import ListQuery, Name, Request
from plugins.discounts.schemas.effects import EffectIn, GoodsIn, Kind, Label, LimitsIn, WhenIn

Target = Literal["product", "category", "document", "goods"]
State = Literal["draft", "active", "ended"]

PromotionName = Annotated[
    Name, Meta(description="Stands beside the price it explains; no two are the same.", examples=["Rice week 47"])
]
Value = Annotated[
    str,
    Meta(
        pattern=r"\A(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z",
        max_length=19,
        description="By kind: percent, at most 100; an amount off each unit, or off the document; a new unit price.",
        examples=["10"],
    ),
]
Moment = Annotated[dt.datetime, Meta(tz=True, examples=["2026-11-21T00:00:00Z"])]
SimpleKind = Literal["percent", "amount_off", "set_price"]
Joins = (
    Annotated[
        list[Label],
        Meta(max_length=20, description="The labels it goes together with; null: any. The other must agree as well."),
    ]
    | None
)
Priority = Annotated[int, Meta(ge=0, le=1000, description="The higher goes first.", examples=[10])]


class PromotionIn(Request, frozen=True):
    """A promotion to draw up. Without a start it runs from now on.

    What it does is said by `effect`; for a percentage, an amount or a price, `kind` and `value` are the short form of
    it. What it is for is said by `goods`, whose short form are `product_id` and `category_id`. With none of them it is
    for all goods; a percentage or an amount then comes off the document as a whole.
    """

    name: PromotionName
    kind: SimpleKind | None = None
    value: Value | None = None
    product_id: UUID | None = None
    category_id: UUID | None = None
    effect: EffectIn | None = None
    goods: GoodsIn | None = None
    when: WhenIn | None = None
    limits: LimitsIn | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    priority: Priority = 0
    exclusive: Annotated[bool, Meta(description="It joins no other promotion on the same line.")] = False
    label: Annotated[Label | None, Meta(description="What it counts as, for the `joins` of others.")] = None
    joins: Joins = None
    by_coupon: Annotated[bool, Meta(description="Only for carts with one of its coupons.")] = False


class PromotionPatch(Request, frozen=True):
    """What changes of a promotion. Once it is active only `ends_at` may."""

    name: PromotionName | UnsetType = UNSET
    kind: SimpleKind | UnsetType = UNSET
    value: Value | UnsetType = UNSET
    product_id: UUID | UnsetType | None = UNSET
    category_id: UUID | UnsetType | None = UNSET
    effect: EffectIn | UnsetType = UNSET
    goods: GoodsIn | UnsetType | None = UNSET
    when: WhenIn | UnsetType = UNSET
    limits: LimitsIn | UnsetType = UNSET
    starts_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    exclusive: bool | UnsetType = UNSET
    label: Label | UnsetType | None = UNSET
    joins: Joins | UnsetType = UNSET
    by_coupon: bool | UnsetType = UNSET


class PromotionOut(Struct, frozen=True, kw_only=True):
    """A promotion. It lowers prices while it is active and its time runs.

    `value`, `product_id` and `category_id` are null where one figure or one thing does not say it all. `words`: what it
    does, as tills show it.
    """

    id: UUID
    name: PromotionName
    kind: Kind
    value: Value | None
    target: Target
    product_id: UUID | None
    category_id: UUID | None
    effect: EffectIn
    goods: GoodsIn | None
    when: WhenIn
    limits: LimitsIn
    words: Annotated[str, Meta(examples=["any 3 for KSh 100.00"])]
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    priority: Priority
    exclusive: bool
    label: Label | None
    joins: Joins
    by_coupon: bool
    state: State
    created_at: dt.datetime
    activated_at: dt.datetime | None
    ended_at: dt.datetime | None


class PromotionDetail(PromotionOut, frozen=True, kw_only=True):
    """A promotion, with the sales it had a part in and what it took off them; voided sales do not count."""

    sales: Annotated[int, Meta(examples=[17])]
    given: Annotated[Amount, Meta(description="All it took off.", examples=["1240.00"])]


class PromotionQuery(ListQuery, frozen=True):
    """Which promotions, newest first."""

    state: State | None = None
    kind: Kind | None = None
    product_id: UUID | None = None
    category_id: UUID | None = None
