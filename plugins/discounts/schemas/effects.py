"""The terms of a promotion as they travel: what it does, on which goods, when and how often; figures are texts."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, Percent, Quantity, UnitPrice
from plugins.catalog.api import Tag

Kind = Literal["percent", "amount_off", "set_price", "buy_get", "any_for", "cheapest_free", "tiers", "bundle"]
Count = Annotated[int, Meta(ge=1, le=1000, examples=[3])]
Most = Annotated[int, Meta(ge=1, le=10**6, description="At most so many sets in one sale.", examples=[5])]
Ids = Annotated[list[UUID], Meta(max_length=200)]
Clock = Annotated[
    str,
    Meta(
        pattern=r"\A(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z",
        max_length=5,
        description="By the shop's clock.",
        examples=["16:00"],
    ),
]
Label = Annotated[str, Meta(pattern=r"\A[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z", max_length=40, examples=["seasonal"])]
Day = Annotated[int, Meta(ge=1, le=7, description="1 is Monday.", examples=[5])]
Uses = Annotated[int, Meta(ge=1, le=10**9, examples=[500])]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown fields are refused."""


class GoodsIn(_Part, frozen=True):
    """Goods by product, by category with all below it, by brand, or by tag; any of them will do."""

    product_ids: Ids = []
    category_ids: Ids = []
    brand_ids: Ids = []
    tags: Annotated[list[Tag], Meta(max_length=200)] = []


class PercentOffIn(_Part, frozen=True, tag_field="kind", tag="percent"):
    """A percentage off each line; without goods off the document."""

    percent: Percent


class AmountOffIn(_Part, frozen=True, tag_field="kind", tag="amount_off"):
    """An amount off each unit; without goods once off the document."""

    amount: Amount


class NewPriceIn(_Part, frozen=True, tag_field="kind", tag="set_price"):
    """Another unit price; nothing becomes dearer by it, and lines sold in packs keep theirs."""

    price: UnitPrice


class BuyGetIn(_Part, frozen=True, tag_field="kind", tag="buy_get"):
    """Who buys so many gets so many for less: of the same product, or of the goods in `gets`."""

    buy: Count
    get: Count = 1
    percent: Percent = "100"
    gets: GoodsIn | None = None
    most_sets: Most | None = None


class AnyForIn(_Part, frozen=True, tag_field="kind", tag="any_for"):
    """Any so many units together for an amount."""

    count: Count
    amount: Amount
    most_sets: Most | None = None


class CheapestFreeIn(_Part, frozen=True, tag_field="kind", tag="cheapest_free"):
    """Of every `count` units the cheapest cost less; at 100 percent they are free."""

    count: Count
    free: Count = 1
    percent: Percent = "100"
    most_sets: Most | None = None


class TierIn(_Part, frozen=True):
    """From a quantity on: a percentage or an amount off each unit, or a unit price; exactly one of them."""

    least: Quantity
    percent: Percent | None = None
    amount: Amount | None = None
    price: UnitPrice | None = None


class TiersIn(_Part, frozen=True, tag_field="kind", tag="tiers"):
    """The more is bought the less each costs: of each product by itself, or of all the goods together."""

    tiers: Annotated[list[TierIn], Meta(min_length=1, max_length=20)]
    together: bool = False


class PartIn(_Part, frozen=True):
    """So many units of a product in a bundle."""

    product_id: UUID
    count: Count = 1


class BundleIn(_Part, frozen=True, tag_field="kind", tag="bundle"):
    """Some products together for an amount, or for a percentage less; exactly one of the two."""

    parts: Annotated[list[PartIn], Meta(min_length=1, max_length=20)]
    amount: Amount | None = None
    percent: Percent | None = None
    most_sets: Most | None = None


EffectIn = PercentOffIn | AmountOffIn | NewPriceIn | BuyGetIn | AnyForIn | CheapestFreeIn | TiersIn | BundleIn


class WhenIn(_Part, frozen=True):
    """What must hold of a cart. A time that ends before it begins runs past midnight.

    `least_quantity` and `least_amount` are of the promotion's goods, after the offers that act before it; for the
    document, of the whole cart. `most_units`: at most so many of each product in one sale, summed over its lines.
    """

    least_quantity: Quantity = "0"
    least_amount: Amount = "0"
    most_units: Quantity | None = None
    days: Annotated[list[Day], Meta(max_length=7)] = []
    from_time: Clock | None = None
    until_time: Clock | None = None
    group_ids: Annotated[Ids, Meta(description="Groups of customers.")] = []
    first_purchase: bool = False
    channels: Annotated[list[Literal["retail", "wholesale"]], Meta(max_length=2)] = []
    location_ids: Ids = []


class LimitsIn(_Part, frozen=True):
    """How much of it there is, over all sales: how many sales, how much money, how many sales of one customer."""

    uses: Uses | None = None
    spend: Amount | None = None
    per_customer: Uses | None = None
