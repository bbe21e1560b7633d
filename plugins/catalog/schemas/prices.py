"""What travels of prices: lists and their rows, what is planned, why a price is what it is. Figures are texts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Quantity, UnitPrice
from kernel.wire import Code, Currency, ListQuery, Name, Request, Search

Scope = Literal["everybody", "location", "group", "customer"]
Channel = Literal["retail", "wholesale"]
State = Literal["running", "planned", "past"]
Instant = Annotated[dt.datetime, Meta(tz=True, examples=["2026-11-30T21:00:00Z"])]
Day = Annotated[dt.date, Meta(description="In the business's time zone.", examples=["2026-12-01"])]
ListName = Annotated[Name, Meta(description="Stands beside the prices it sets; unique.", examples=["Hotels"])]
Least = Annotated[
    Quantity,
    Meta(description="From how much of the product in a cart, or how many of the pack; 0: any.", examples=["12"]),
]
Since = Annotated[Instant, Meta(description="From when on; without it from now.")]
Until = Annotated[
    Instant | None,
    Meta(description="Up to when, not included; then goes on what was, or what was planned meanwhile."),
]
Change = Annotated[
    str,
    Meta(
        pattern=r"\A(?!-0(\.0*)?\Z)-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z",
        max_length=20,
        description="More, or with a minus less.",
        examples=["5", "-2.5"],
    ),
]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", examples=["9f86d081884c7d659a2feaa0c55ad015"])]

# Lists


class PriceListIn(Request, frozen=True, kw_only=True):
    """A price list to add: for everybody, or for the location, group of customers or customer that is named.

    Without `channel` it is for every channel; without days it is always in force. `valid_until` is its last day.
    Currency and tax are the business's; said otherwise, the list is refused.

    Based on the products' own prices of a channel (`based_on`) or on another list (`based_on_id`) it has a price for
    whatever those have one for, `percent` more or with a minus less, rounded to a multiple of `round_to`. Prices that
    are set on it go before.
    """

    id: UUID | None = None
    name: ListName
    location_id: UUID | None = None
    group_id: UUID | None = None
    customer_id: UUID | None = None
    channel: Channel | None = None
    currency: Currency | None = None
    prices_include_tax: bool | None = None
    based_on: Channel | None = None
    based_on_id: UUID | None = None
    percent: Change | None = None
    round_to: UnitPrice | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    is_active: bool = True


class PriceListPatch(Request, frozen=True, kw_only=True):
    """What changes of a price list. For whom it is, and what it is based on, stays: make another list."""

    name: ListName | UnsetType = UNSET
    channel: Channel | UnsetType | None = UNSET
    valid_from: Day | UnsetType | None = UNSET
    valid_until: Day | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class PriceListOut(Struct, frozen=True, kw_only=True):
    """A price list; in force from `starts_at` up to, not including, `ends_at`, while it is active."""

    id: UUID
    name: ListName
    scope: Scope
    location_id: UUID | None
    group_id: UUID | None
    customer_id: UUID | None
    channel: Channel | None
    currency: Currency
    prices_include_tax: bool
    based_on: Channel | None
    based_on_id: UUID | None
    percent: Change | None
    round_to: UnitPrice | None
    valid_from: Day | None
    valid_until: Day | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    is_active: bool
    created_at: dt.datetime


class PriceListQuery(ListQuery, frozen=True, kw_only=True):
    """Which lists."""

    is_active: bool | None = None


# Their prices


class PriceIn(Request, frozen=True, kw_only=True):
    """A price of a product, or of one of its packs: then `price` is of the whole pack, `min_quantity` counts packs."""

    product_id: UUID
    pack_id: UUID | None = None
    min_quantity: Least = "0"
    price: UnitPrice
    starts_at: Since | None = None
    until: Until = None


class PricesIn(Request, frozen=True, kw_only=True):
    """Prices to set, up to 1,000. Each holds up to its end, or else until the next that is planned for the same."""

    prices: Annotated[list[PriceIn], Meta(min_length=1, max_length=1000)]


class PricesSet(Struct, frozen=True):
    """How many prices were set, and how many were so already."""

    set: Annotated[int, Meta(examples=[12])]
    unchanged: Annotated[int, Meta(examples=[0])]


class PriceOut(Struct, frozen=True, kw_only=True):
    """A price on a list, from `starts_at` up to `ends_at`."""

    id: UUID
    product_id: UUID
    sku: Code
    name: Name
    pack_id: UUID | None
    min_quantity: Quantity
    price: UnitPrice
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    state: State
    created_at: dt.datetime
    created_by: UUID | None


class PriceQuery(ListQuery, frozen=True, kw_only=True):
    """Which prices of a list: those that run or are planned, unless `past` asks for what was before, too."""

    q: Search | None = None
    product_id: UUID | None = None
    past: bool = False


# A product's own prices


class BasePriceIn(Request, frozen=True, kw_only=True):
    """A change of a product's own price: at a future instant, or for a while, from then or from now on."""

    channel: Channel = "retail"
    price: UnitPrice
    starts_at: Annotated[Instant | None, Meta(description="Later than now; with an end it may be left out.")] = None
    until: Until = None


class BasePriceOut(Struct, frozen=True, kw_only=True):
    """A product's own price over some time; `price` is null where there was no wholesale price."""

    id: UUID
    channel: Channel
    price: UnitPrice | None
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    state: State
    created_at: dt.datetime
    created_by: UUID | None


# Why


class PriceAsk(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For whom, where, when and of how much a price is asked; without `at` now, without a place that of nobody."""

    customer_id: UUID | None = None
    location_id: UUID | None = None
    channel: Channel = "retail"
    pack_id: UUID | None = None
    quantity: Annotated[Quantity, Meta(description="Of the product's unit, or of packs.")] = "1"
    at: Instant | None = None


class Considered(Struct, frozen=True, kw_only=True):
    """A list, and one of its prices where it has one of the product: the one that won, or why it did not."""

    list_id: UUID
    list: ListName
    scope: Scope
    price_id: UUID | None
    pack_id: UUID | None
    min_quantity: Quantity | None
    price: UnitPrice | None
    won: bool
    reason: str


class PriceWhy(Struct, frozen=True, kw_only=True):
    """A price before promotions and discounts, of a unit or a whole pack, and every list that was considered."""

    product_id: UUID
    pack_id: UUID | None
    price: UnitPrice
    rule: Annotated[str, Meta(examples=["Hotels"])]
    reason: str
    list_id: UUID | None
    price_id: UUID | None
    own_price: Annotated[UnitPrice, Meta(description="What it would cost without lists.")]
    at: dt.datetime
    considered: list[Considered]


# Changing many at once


class PriceEdit(Request, frozen=True, kw_only=True):
    """A change of many prices: by a percentage, an amount, or both in this order, rounded to a multiple of `round_to`.

    Without `price_list_id` the products' own prices in `channel`. `category_id` means all below it, too; of several
    conditions all must hold. At most 10,000 prices at once.
    """

    price_list_id: UUID | None = None
    channel: Channel = "retail"
    category_id: UUID | None = None
    brand_id: UUID | None = None
    product_ids: Annotated[list[UUID], Meta(max_length=1000)] = []
    percent: Change = "0"
    amount: Change = "0"
    round_to: UnitPrice | None = None
    starts_at: Since | None = None
    until: Until = None


class PriceEditApply(PriceEdit, frozen=True, kw_only=True):
    """The change as it was looked at; `digest` as the preview gave it."""

    digest: Digest


class Edited(Struct, frozen=True, kw_only=True):
    """A price before and after; on a list, with the pack and quantity it is for."""

    product_id: UUID
    sku: Code
    name: Name
    pack_id: UUID | None
    min_quantity: Quantity | None
    before: UnitPrice
    after: UnitPrice


class EditPreview(Struct, frozen=True, kw_only=True):
    """What a change would do: how many prices it concerns and changes, the first 200, and what to apply it by."""

    prices: int
    changed: int
    first: list[Edited]
    digest: Digest


class EditDone(EditPreview, frozen=True, kw_only=True):
    """A change that was applied; the audit trail knows it as `price_edit:` and its id."""

    id: UUID
