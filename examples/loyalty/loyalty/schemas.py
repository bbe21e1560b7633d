"""What a business sets, what carts and customers carry, what is answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount
from kernel.wire import ListQuery, Request

Points = Annotated[int, Meta(ge=1, le=10**9, examples=[50])]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a business decides about points."""

    spent_for_a_point: Annotated[int, Meta(ge=1, le=10**9, title="Minor units that earn a point")] = 100_00
    worth_of_a_point: Annotated[int, Meta(ge=1, le=10**9, title="Minor units that a point takes off")] = 1_00
    days_until_expiry: Annotated[int, Meta(ge=1, le=3650, title="Days until points expire")] = 365


class Spending(Struct, frozen=True, forbid_unknown_fields=True):
    """In a cart's `ext.loyalty`: how many points the customer spends on it."""

    points: Points


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """In a customer's `ext.loyalty`: the number on the card they carry, None for no card any more."""

    card: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\A[A-Za-z0-9-]+\Z", examples=["MN-0042"])] | None


EXTENSIONS: Final[Mapping[str, type[Struct]]] = {"sales.cart": Spending, "customers.customer": Card}


class Spent(Struct, frozen=True):
    """The facts of a cart: the points spent on it, and what they take off in minor units."""

    points: int
    off: int


class BalanceOut(Struct, frozen=True):
    """What a customer has."""

    customer_id: UUID
    points: int
    worth: Annotated[Amount, Meta(description="What they take off a sale.")]


class BalancesOf(Request, frozen=True):
    """Of which customers."""

    customer_ids: Annotated[list[UUID], Meta(min_length=1, max_length=200)]


class SummaryOut(Struct, frozen=True):
    """What all customers have together."""

    customers: Annotated[int, Meta(description="Who have any.", examples=[12])]
    points: int
    worth: Annotated[Amount, Meta(description="What they take off sales to come.")]
    spent_for_a_point: Annotated[Amount, Meta(description="What earns a point, as the business has set it.")]
    worth_of_a_point: Annotated[Amount, Meta(description="What a point takes off.")]
    days_until_expiry: int


class EntryOut(Struct, frozen=True):
    """One change of a customer's points."""

    id: UUID
    kind: Annotated[str, Meta(examples=["earned"])]
    points: int
    sale_id: UUID | None
    at: dt.datetime
    expires_at: dt.datetime | None


class EntryQuery(ListQuery, frozen=True):
    """Which entries: all of a customer's, newest first."""
