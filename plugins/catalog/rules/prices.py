"""Which price is in force: of lists and their rows the one that wins, and why the others do not. Prices over time.

Prices and quantities are scaled by `money.MICRO`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
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


class Chosen(Struct, frozen=True):
    """The price of a unit or a whole pack, the rule it comes from, why, and the row of a list where it is one's."""

    price: int
    rule: str
    reason: str
    row: Listed | None = None


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


def order_of(row: Listed, own: OwnPrice) -> tuple[int, bool, int, dt.datetime, bytes]:
    """What decides between two rows, the greater first: total, so that two prices never tie.

    Whom the list is for (customer, group, location, everybody); a row of the very pack; the higher minimum quantity;
    what came into force later; the newer id.
    """
    names_pack = row.pack_id is not None
    least = round_ratio(row.min_quantity * own.factor, MICRO) if names_pack else row.min_quantity
    since = max(row.starts_at, row.list.starts_at or _EVER)
    return _RANK[row.list.scope], names_pack, least, since, row.id.bytes


def choose(rows: Iterable[Listed], own: OwnPrice, channel: str, quantity: int) -> Chosen:
    """The price that is in force: of the rows that fit the best by `order_of`, or what the product costs by itself."""
    fitting = [row for row in rows if not_reached(row, own, quantity) is None]
    if not fitting:
        return own_price(own, channel)
    row = max(fitting, key=lambda one: order_of(one, own))
    price = row.price if row.pack_id is not None else round_ratio(row.price * own.factor, MICRO)
    return Chosen(price, row.list.name, reason_of(row), row)


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


_WHOM: Final = {
    "customer": "the customer",
    "group": "the customer's group",
    "location": "the location",
    "everybody": "everybody",
}


# Prices over time


class Span(Struct, frozen=True):
    """A price from one instant up to, not including, another; None as end: until further notice."""

    id: UUID
    price: int | None
    starts_at: dt.datetime
    ends_at: dt.datetime | None


class Amendment(Struct, frozen=True):
    """What becomes of the spans of one key. ends: id → new end; prices: id → new price; dropped: ids; added: new ones.

    Each of `added` is (price, starts_at, ends_at).
    """

    ends: Mapping[UUID, dt.datetime | None] = {}
    prices: Mapping[UUID, int | None] = {}
    dropped: tuple[UUID, ...] = ()
    added: tuple[tuple[int | None, dt.datetime, dt.datetime | None], ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything becomes different."""
        return bool(self.ends or self.prices or self.dropped or self.added)


def at_of(spans: Iterable[Span], at: dt.datetime) -> Span | None:
    """The span in force at an instant."""
    return next((one for one in spans if one.starts_at <= at and (one.ends_at is None or at < one.ends_at)), None)


def amended(spans: Iterable[Span], what: Amendment, new_id: Callable[[], UUID]) -> list[Span]:
    """The spans of a key after an amendment, the first first."""
    kept = [
        Span(one.id, what.prices.get(one.id, one.price), one.starts_at, what.ends.get(one.id, one.ends_at))
        for one in spans
        if one.id not in what.dropped
    ]
    added = [Span(new_id(), price, starts_at, ends_at) for price, starts_at, ends_at in what.added]
    return sorted([*kept, *added], key=lambda one: one.starts_at)


def priced_from(spans: Sequence[Span], at: dt.datetime, price: int | None, now: dt.datetime) -> Amendment:
    """Let a price be in force from an instant up to the next change that is planned; what was before keeps its own.

    The price that runs now needs no new row; one that is planned has its own even if it is the same, since what is
    before it may yet change.
    """
    running = at_of(spans, at)
    if running is not None and running.price == price and (at <= now or running.starts_at == at):
        return Amendment()
    if running is not None and running.starts_at == at:
        return Amendment(prices={running.id: price})
    later = [one.starts_at for one in spans if one.starts_at > at]
    until = running.ends_at if running is not None else min(later, default=None)
    return Amendment(ends={running.id: at} if running is not None else {}, added=((price, at, until),))


def ended_at(span: Span, at: dt.datetime, spans: Sequence[Span]) -> Amendment:
    """Take a price away: one that is planned as if it had never been, one that runs from the instant on."""
    if span.starts_at < at:
        return Amendment(ends={span.id: at})
    before = next((one for one in spans if one.ends_at == span.starts_at), None)
    return Amendment(ends={before.id: span.ends_at} if before is not None else {}, dropped=(span.id,))


# Changes of many prices


def price_changed(price: int, percent: int, amount: int, step: int) -> int:
    """A price changed by a percentage and an amount, either way, rounded once to a multiple of a step.

    Halves go away from zero; below zero it is zero. The step is at least 1, a millionth.
    """
    hundred = 100 * MICRO
    exact = price * (hundred + percent) + amount * hundred
    return max(round_ratio(exact, hundred * step) * step, 0)
