"""Which price is in force: of lists and their rows the one that wins, and why the others do not.

Prices and quantities are scaled by `money.MICRO`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from msgspec import Struct

from kernel.money import MICRO, format_micro, round_ratio

SCOPES: Final = ("customer", "group", "location", "everybody")
"""For whom a list is, those that go before others first; a product's own price comes last."""
_RANK: Final[Mapping[str, int]] = MappingProxyType({scope: -place for place, scope in enumerate(SCOPES)})
_EVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


class ListFacts(Struct, frozen=True):
    """A price list as far as choosing needs it; names are those of its row."""

    id: UUID
    name: str
    scope: str
    location_id: UUID | None
    group_id: UUID | None
    customer_id: UUID | None
    channel: str | None
    currency: str
    prices_include_tax: bool
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    is_active: bool
    based_on: str | None = None
    based_on_id: UUID | None = None
    percent: int | None = None
    round_to: int | None = None

    @property
    def is_based(self) -> bool:
        """Whether it has prices that it takes from others."""
        return self.percent is not None


class Buying(Struct, frozen=True):
    """For whom, where, in which channel and when a price is asked, and how the business writes prices."""

    at: dt.datetime
    channel: str
    currency: str
    prices_include_tax: bool
    location_id: UUID | None = None
    customer_id: UUID | None = None
    group_id: UUID | None = None


class Listed(Struct, frozen=True):
    """A row of a list that is in force: the price of a unit, or of a whole pack where it names one."""

    id: UUID
    list: ListFacts
    pack_id: UUID | None
    min_quantity: int
    price: int
    starts_at: dt.datetime


class OwnPrice(Struct, frozen=True):
    """What a unit of a product costs by itself; and the pack that is asked for, with its own price if it has one."""

    retail: int
    wholesale: int | None
    pack_id: UUID | None = None
    pack_name: str = ""
    factor: int = MICRO
    pack_price: int | None = None


class Based(Struct, frozen=True):
    """A list that is based on others' prices, beside these for one product: the rows of the list it is based on.

    below: the same of that list, where it is based on others' prices in its turn. All that is based on the products'
    own prices ends there.
    """

    list: ListFacts
    base: ListFacts | None = None
    rows: tuple[Listed, ...] = ()
    below: Based | None = None


class Chosen(Struct, frozen=True):
    """The price of a unit or a whole pack, the rule it comes from, and why; the list it is of, and the row, if any."""

    price: int
    rule: str
    reason: str
    row: Listed | None = None
    list: ListFacts | None = None


def why_not(one: ListFacts, buying: Buying) -> str | None:
    """Why a list is not for this buyer, place, channel or time; None where it is."""
    reasons = (
        (not one.is_active, "It is switched off"),
        (one.starts_at is not None and buying.at < one.starts_at, "It has not begun"),
        (one.ends_at is not None and buying.at >= one.ends_at, "It is over"),
        (one.channel is not None and one.channel != buying.channel, f"It is for {one.channel}"),
        (one.scope == "location" and one.location_id != buying.location_id, "It is for another location"),
        (one.scope == "group" and one.group_id != buying.group_id, "It is for another group of customers"),
        (one.scope == "customer" and one.customer_id != buying.customer_id, "It is for another customer"),
        (one.currency != buying.currency, f"It is in {one.currency}"),
        (one.prices_include_tax != buying.prices_include_tax, "It counts tax otherwise than the business"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def in_force(lists: Iterable[ListFacts], buying: Buying) -> tuple[ListFacts, ...]:
    """The lists that are for this buyer, place, channel and time."""
    return tuple(one for one in lists if why_not(one, buying) is None)


def not_reached(row: Listed, own: OwnPrice, quantity: int) -> str | None:
    """Why a row is not for what is bought; None where it is.

    quantity: of the product in the whole cart, in its own unit. A pack with a price of its own is priced by rows that
    name it; one without costs its factor times the unit, so rows of the unit count for it.
    """
    if row.pack_id != own.pack_id:
        if row.pack_id is not None:
            return "It is the price of a pack that is not bought"
        if own.pack_price is not None:
            return f"{own.pack_name} has a price of its own"
    least = row.min_quantity if row.pack_id is None else round_ratio(row.min_quantity * own.factor, MICRO)
    return f"It is from {format_micro(row.min_quantity)} on" if quantity < least else None


Order = tuple[int, bool, int, dt.datetime, bytes]


def order_of(row: Listed, own: OwnPrice) -> Order:
    """What decides between two rows, the greater first: total, so that two prices never tie.

    Whom the list is for (customer, group, location, everybody); a row of the very pack; the higher minimum quantity;
    what came into force later; the newer id.
    """
    names_pack = row.pack_id is not None
    least = round_ratio(row.min_quantity * own.factor, MICRO) if names_pack else row.min_quantity
    since = max(row.starts_at, row.list.starts_at or _EVER)
    return _RANK[row.list.scope], names_pack, least, since, row.id.bytes


def order_of_based(one: ListFacts) -> Order:
    """The same of a list that is based on others, as far as it has no row: it names no pack, and no quantity."""
    return _RANK[one.scope], False, 0, one.starts_at or _EVER, one.id.bytes


def choose(rows: Iterable[Listed], own: OwnPrice, channel: str, quantity: int, based: Iterable[Based] = ()) -> Chosen:
    """The price that is in force: the best by `order_of` of what fits, or what the product costs by itself.

    rows: of lists for who buys; based: those of these lists that are based on others. A row of such a list goes before
    what it takes from elsewhere.
    """
    rows = tuple(rows)
    best = _best(rows, own, quantity)
    found = own_price(own, channel)
    if best is not None:
        found = Chosen(_price_of(best, own), best.list.name, reason_of(best), best, best.list)
    order = None if best is None else order_of(best, own)
    has_row = {row.list.id for row in rows if not_reached(row, own, quantity) is None} if based else set()
    for one in based:
        price = None if one.list.id in has_row else based_price(one, own, quantity)
        if price is not None and (order is None or order_of_based(one.list) > order):
            order = order_of_based(one.list)
            found = Chosen(price, one.list.name, reason_of_based(one), None, one.list)
    return found


def based_price(one: Based, own: OwnPrice, quantity: int) -> int | None:
    """What a list takes from others: so much more or less than they say, rounded once; None where they say nothing."""
    facts = one.list
    if facts.based_on is not None:
        before: int | None = own_price(own, facts.based_on).price
    elif one.base is None or (one.base.currency, one.base.prices_include_tax) != (
        facts.currency, facts.prices_include_tax
    ):  # fmt: skip
        return None
    else:
        best = _best(one.rows, own, quantity)
        before = _price_of(best, own) if best is not None else None
        if best is None and one.below is not None:
            before = based_price(one.below, own, quantity)
    return None if before is None else price_changed(before, facts.percent or 0, 0, facts.round_to or 1)


def _best(rows: Iterable[Listed], own: OwnPrice, quantity: int) -> Listed | None:
    fitting = [row for row in rows if not_reached(row, own, quantity) is None]
    return max(fitting, key=lambda one: order_of(one, own), default=None)


def _price_of(row: Listed, own: OwnPrice) -> int:
    return row.price if row.pack_id is not None else round_ratio(row.price * own.factor, MICRO)


def own_price(own: OwnPrice, channel: str) -> Chosen:
    """What a product, or a pack of it, costs where no list says otherwise."""
    price, rule = own.retail, "retail"
    if channel == "wholesale" and own.wholesale is not None:
        price, rule = own.wholesale, "wholesale"
    if own.pack_id is None:
        return Chosen(price, rule, rule)
    if own.pack_price is not None:
        return Chosen(own.pack_price, own.pack_name, own.pack_name)
    return Chosen(round_ratio(price * own.factor, MICRO), rule, rule)


def reason_of(row: Listed) -> str:
    """Which row of which list it is, in words for who asks."""
    least = f", from {format_micro(row.min_quantity)}" if row.min_quantity else ""
    return f"price list of {_WHOM[row.list.scope]}{least}, since {row.starts_at.astimezone(dt.UTC):%Y-%m-%d %H:%M}Z"


def reason_of_based(one: Based) -> str:
    """Which list it is, and what it takes from where, in words for who asks."""
    return f"price list of {_WHOM[one.list.scope]}: {words_of(one.list, one.base)}"


def words_of(one: ListFacts, base: ListFacts | None) -> str:
    """What a list takes from where: `12 % less than the wholesale price`."""
    whence = base.name if base is not None else f"the {one.based_on} price"
    percent = one.percent or 0
    if not percent:
        return f"as {whence}"
    return f"{format_micro(abs(percent))} % {'less' if percent < 0 else 'more'} than {whence}"


_WHOM: Final = {
    "customer": "the customer",
    "group": "the customer's group",
    "location": "the location",
    "everybody": "everybody",
}


# Changes of many prices


def price_changed(price: int, percent: int, amount: int, step: int) -> int:
    """A price changed by a percentage and an amount, either way, rounded once to a multiple of a step.

    Halves go away from zero; below zero it is zero. The step is at least 1, a millionth.
    """
    hundred = 100 * MICRO
    exact = price * (hundred + percent) + amount * hundred
    return max(round_ratio(exact, hundred * step) * step, 0)
