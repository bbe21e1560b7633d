"""What clients send and are answered, and the values that rules choose among."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Amount
from kernel.wire import ListQuery, Name, Request

Kind = Literal["percent", "amount_off", "set_price"]
Target = Literal["product", "category", "document"]
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
Priority = Annotated[int, Meta(ge=0, le=1000, description="The higher goes first.", examples=[10])]


# What prices need


class Offer(Struct, frozen=True):
    """A promotion that runs, as far as a price needs it. `value` is in the unit of its kind, see the model."""

    id: UUID
    name: str
    kind: Kind
    value: int
    priority: int
    exclusive: bool


class Offers(Struct, frozen=True):
    """The facts of one cart: what runs on its products and on their categories.

    own_prices: the retail and wholesale price of one unit of each product, by which a pack's price is told from it.
    Only the products of offers that set a price stand there.
    """

    by_product: dict[UUID, tuple[Offer, ...]]
    by_category: dict[UUID, tuple[Offer, ...]]
    own_prices: dict[UUID, tuple[int, ...]]
    on_document: tuple[Offer, ...] = ()


# What travels


class PromotionIn(Request, frozen=True):
    """A promotion to draw up: for one product, one category with all below it, or with neither the whole document.

    Without a start it runs from now on. A document has no unit, so no price can be set for it.
    """

    name: PromotionName
    kind: Kind
    value: Value
    product_id: UUID | None = None
    category_id: UUID | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    priority: Priority = 0
    exclusive: Annotated[bool, Meta(description="It joins no other promotion on the same line.")] = False


class PromotionPatch(Request, frozen=True):
    """What changes of a promotion. Once it is active only `ends_at` may."""

    name: PromotionName | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    value: Value | UnsetType = UNSET
    product_id: UUID | UnsetType | None = UNSET
    category_id: UUID | UnsetType | None = UNSET
    starts_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    exclusive: bool | UnsetType = UNSET


class PromotionOut(Struct, frozen=True, kw_only=True):
    """A promotion. It lowers prices while it is active and its time runs."""

    id: UUID
    name: PromotionName
    kind: Kind
    value: Value
    target: Target
    product_id: UUID | None
    category_id: UUID | None
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    priority: Priority
    exclusive: bool
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
