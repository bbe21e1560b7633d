"""What clients send and are answered. Amounts are decimal strings."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, SignedAmount
from kernel.wire import Code, Currency, Line, ListQuery, Name, Request, Text

Kind = Literal["sale", "void", "payment", "refund", "expense", "expense_reversal"]
Direction = Literal["in", "out", "none"]
Account = Annotated[str, Meta(description="The method money moved by.", examples=["cash"])]


class EntryOut(Struct, frozen=True):
    """One event of a business day."""

    id: UUID
    business_date: dt.date
    at: dt.datetime
    location_id: UUID
    register_id: UUID | None
    kind: Kind
    document_kind: str
    document_id: UUID
    document_number: str
    account: Account | None
    direction: Direction
    amount: Amount
    currency: Currency
    words: str
    by: Name


class AccountDay(Struct, frozen=True):
    """One account on one day: closing = opening + received - paid."""

    account: Account
    opening: SignedAmount
    received: Amount
    paid: Amount
    closing: SignedAmount


class DayOut(Struct, frozen=True):
    """A business day: what was sold and what money moved, of one location or all."""

    business_date: dt.date
    location_id: UUID | None
    currency: Currency
    sales: int
    sales_total: Amount
    voids: int
    voids_total: Amount
    expenses_total: SignedAmount
    accounts: list[AccountDay]


class DayQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which location; without one, of all."""

    location_id: UUID | None = None


class EntryQuery(ListQuery, frozen=True, kw_only=True):
    """Which entries, day by day, those of a day in the order they happened."""

    business_date: dt.date | None = None
    location_id: UUID | None = None
    kind: Kind | None = None
    account: Code | None = None


class EntryExport(Request, frozen=True, kw_only=True):
    """Entries from a business day to another, both inclusive and at most 366 days, and as what kind of file."""

    from_date: Annotated[dt.date, Meta(examples=["2026-11-01"])]
    to_date: Annotated[dt.date, Meta(examples=["2026-11-30"])]
    location_id: UUID | None = None
    format: Literal["csv", "xlsx"] = "csv"


class ExpenseIn(Request, frozen=True, kw_only=True):
    """Money paid out, by a method that is on."""

    location_id: UUID
    method: Annotated[str, Meta(max_length=40, pattern=r"\A[a-z][a-z0-9_]*\Z", examples=["cash"])] = "cash"
    amount: Amount
    category: Annotated[
        str, Meta(min_length=1, max_length=60, pattern=r"\A[^\x00-\x1f\x7f]+\Z", examples=["transport"])
    ]
    payee: Line = ""
    note: Text = ""


class ReversalIn(Request, frozen=True, kw_only=True):
    """Why an expense is taken back."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]+\Z", examples=["typed twice"])
    ]


class ExpenseOut(Struct, frozen=True):
    """An expense, or the reversal of one. `reversed_by_id`: what took it back, on whatever day."""

    id: UUID
    number: Annotated[str, Meta(examples=["EX-2026-000001"])]
    business_date: dt.date
    at: dt.datetime
    location_id: UUID
    method: Account
    amount: Amount
    category: str
    payee: str
    note: str
    by: Name
    reverses_id: UUID | None
    reversed_by_id: UUID | None = None


class ExpenseQuery(ListQuery, frozen=True, kw_only=True):
    """Which expenses, newest first."""

    business_date: dt.date | None = None
    location_id: UUID | None = None
