"""The terms of a promotion as they are stored and as rules read them: what it does, on which goods, when, how often.

Amounts are minor units; prices, percentages and quantities are scaled by MICRO; counts of units are plain numbers.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from kernel.money import MICRO

HUNDRED: Final = 100 * MICRO


class Goods(Struct, frozen=True, omit_defaults=True):
    """Goods by product, by category with all below it, by brand, or by tag; any of them will do."""

    product_ids: tuple[UUID, ...] = ()
    category_ids: tuple[UUID, ...] = ()
    brand_ids: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()


# What a promotion does


class PercentOff(Struct, frozen=True, tag_field="kind", tag="percent"):
    """A percentage off each line, or off the document."""

    percent: int


class AmountOff(Struct, frozen=True, tag_field="kind", tag="amount_off"):
    """An amount off each unit, or once off the document."""

    amount: int


class NewPrice(Struct, frozen=True, tag_field="kind", tag="set_price"):
    """Another price of the product's own unit; nothing becomes dearer by it."""

    price: int


class BuyGet(Struct, frozen=True, tag_field="kind", tag="buy_get", omit_defaults=True):
    """Who buys some units gets others for less: of the same product, or of the goods in `gets`."""

    buy: int
    get: int
    percent: int = HUNDRED
    gets: Goods | None = None
    most_sets: int | None = None


class AnyFor(Struct, frozen=True, tag_field="kind", tag="any_for", omit_defaults=True):
    """Any so many units together for an amount."""

    count: int
    amount: int
    most_sets: int | None = None


class CheapestFree(Struct, frozen=True, tag_field="kind", tag="cheapest_free", omit_defaults=True):
    """Of every so many units the cheapest cost less, or nothing."""

    count: int
    free: int = 1
    percent: int = HUNDRED
    most_sets: int | None = None


class Tier(Struct, frozen=True, omit_defaults=True):
    """From a quantity on: a percentage or an amount off each unit, or a unit price; exactly one of them."""

    least: int
    percent: int | None = None
    amount: int | None = None
    price: int | None = None


class Tiers(Struct, frozen=True, tag_field="kind", tag="tiers", omit_defaults=True):
    """The more is bought the less each costs: of each product by itself, or of all the goods together."""

    tiers: tuple[Tier, ...]
    together: bool = False


class Part(Struct, frozen=True):
    """So many units of a product in a bundle."""

    product_id: UUID
    count: int


class Bundle(Struct, frozen=True, tag_field="kind", tag="bundle", omit_defaults=True):
    """Some products together for an amount, or for a percentage less; exactly one of the two."""

    parts: tuple[Part, ...]
    amount: int | None = None
    percent: int | None = None
    most_sets: int | None = None


Effect = PercentOff | AmountOff | NewPrice | BuyGet | AnyFor | CheapestFree | Tiers | Bundle
Sets = BuyGet | AnyFor | CheapestFree | Bundle

# When and how often


class When(Struct, frozen=True, omit_defaults=True):
    """What must hold of a cart. Days are 1 (Monday) to 7, times minutes of the shop's clock; a night may pass midnight.

    least_quantity, least_amount: of the goods of the promotion; of the whole cart if it is for the document.
    most_units: at most so many units of each product in one sale, over all its lines.
    """

    least_quantity: int = 0
    least_amount: int = 0
    most_units: int | None = None
    days: tuple[int, ...] = ()
    from_time: int | None = None
    until_time: int | None = None
    group_ids: tuple[UUID, ...] = ()
    first_purchase: bool = False
    channels: tuple[str, ...] = ()
    location_ids: tuple[UUID, ...] = ()


class Limits(Struct, frozen=True, omit_defaults=True):
    """How much of it there is: sales, minor units, sales of one customer."""

    uses: int | None = None
    spend: int | None = None
    per_customer: int | None = None


class Terms(Struct, frozen=True, omit_defaults=True):
    """All of it. `goods` None: all goods; for a percentage or an amount, the document as a whole.

    label: what it counts as; joins: the labels it goes together with, None any.
    """

    effect: Effect
    goods: Goods | None = None
    when: When = When()
    limits: Limits = Limits()
    label: str = ""
    joins: tuple[str, ...] | None = None

    @property
    def is_for_document(self) -> bool:
        """Whether it comes off the whole rather than off goods."""
        return self.goods is None and isinstance(self.effect, PercentOff | AmountOff)

    @property
    def is_limited(self) -> bool:
        """Whether its uses are counted."""
        return self.limits != Limits() or self.when.first_purchase

    @property
    def per_customer(self) -> int | None:
        """How many sales of one customer it is for."""
        return 1 if self.when.first_purchase else self.limits.per_customer


def read_terms(stored: Any) -> Terms:
    """Terms as they were stored."""
    return msgspec.convert(stored, Terms)


# What prices need


class Offer(Struct, frozen=True):
    """A promotion that runs, as far as a price needs it.

    code: the coupon by which it is asked for; empty: it comes by itself. closed: why it is not for this cart's
    customer, hour or place, in words; empty if it is. spend_left: what is left of its budget, in minor units.
    """

    id: UUID
    name: str
    priority: int
    exclusive: bool
    terms: Terms
    code: str = ""
    closed: str = ""
    spend_left: int | None = None


class Offers(Struct, frozen=True):
    """The facts of one cart: what runs at its instant. worked_out: what they came to, kept for whoever asks again."""

    offers: tuple[Offer, ...]
    worked_out: dict[tuple[int, ...], Any] = msgspec.field(default_factory=dict)


class Circumstances(Struct, frozen=True):
    """What an offer may ask of a cart besides its goods. local: its instant by the shop's clock."""

    local: dt.datetime
    channel: str
    location_id: UUID
    customer_id: UUID | None = None
    group_id: UUID | None = None
    has_bought: bool = False
