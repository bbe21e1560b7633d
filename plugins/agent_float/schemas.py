"""What requests and answers say of an agent's lines. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, SignedAmount
from kernel.wire import Code, Currency, Line, ListQuery, Name, Request

LineKind = Literal["float", "cash", "bank"]
Kind = Literal["deposit", "withdrawal", "transfer", "commission", "capital", "variance", "reversal"]
Provider = Annotated[Line, Meta(description="Who issues the float.", examples=["M-PESA"])]
Account = Annotated[Line, Meta(description="The agent's number, till or account there.", examples=["123456"])]
Number = Annotated[str, Meta(examples=["AF-2026-000001"])]
Phone = Annotated[
    str, Meta(max_length=32, pattern=r"\A[0-9+() .-]*\Z", description="The customer's.", examples=["0712345678"])
]
Reference = Annotated[
    str,
    Meta(max_length=60, pattern=r"\A[A-Za-z0-9._/-]*\Z", description="The provider's number.", examples=["TKL1AB2CD3"]),
]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]+\Z", examples=["typed twice"])]


class LineIn(Request, frozen=True, kw_only=True):
    """A line at a location. `opening`: what stands on it now, booked as capital."""

    location_id: UUID
    code: Annotated[Code, Meta(examples=["MPESA-1"])]
    name: Annotated[Name, Meta(examples=["M-PESA till 1"])]
    kind: Annotated[LineKind, Meta(examples=["float"])]
    provider: Provider = ""
    account: Account = ""
    opening: Annotated[Amount, Meta(examples=["50000.00"])] | None = None


class LinePatch(Request, frozen=True, kw_only=True):
    """What changes of a line; its kind and place do not."""

    name: Name | None = None
    provider: Provider | None = None
    account: Account | None = None
    is_active: bool | None = None


class LineQuery(ListQuery, frozen=True, kw_only=True):
    """Which lines."""

    location_id: UUID | None = None


class ServedIn(Request, frozen=True, kw_only=True):
    """Money of a customer, in or out. `commission`: what the provider owes the agent for it, as far as it is known."""

    cash_line_id: UUID
    float_line_id: UUID
    amount: Annotated[Amount, Meta(examples=["2500.00"])]
    commission: Annotated[Amount, Meta(examples=["12.00"])] = "0"
    phone: Phone = ""
    reference: Reference = ""
    note: Line = ""


class TransferIn(Request, frozen=True, kw_only=True):
    """Money from one line to another. `fee`: what it costs on top, off the line it comes from."""

    from_line_id: UUID
    to_line_id: UUID
    amount: Annotated[Amount, Meta(examples=["10000.00"])]
    fee: Annotated[Amount, Meta(examples=["30.00"])] = "0"
    reference: Reference = ""
    note: Line = ""


class CommissionIn(Request, frozen=True, kw_only=True):
    """Commission that a provider has paid out onto a line."""

    line_id: UUID
    amount: Annotated[Amount, Meta(examples=["4200.00"])]
    reference: Reference = ""
    note: Line = ""


class CapitalIn(Request, frozen=True, kw_only=True):
    """Money of the owner's, put onto a line or taken off it."""

    line_id: UUID
    direction: Annotated[Literal["in", "out"], Meta(examples=["in"])]
    amount: Annotated[Amount, Meta(examples=["50000.00"])]
    note: Reason


class ReverseIn(Request, frozen=True, kw_only=True):
    """Why something is taken back."""

    reason: Reason


class CountIn(Request, frozen=True, kw_only=True):
    """What was counted on a line: notes and coins, or what the provider's own screen says."""

    line_id: UUID
    counted: Annotated[Amount, Meta(examples=["47500.00"])]
    reason: Annotated[Line, Meta(description="Why it is not what was expected; may be empty.", examples=["change"])]


class CloseIn(Request, frozen=True, kw_only=True):
    """The counts of lines of cash and float: of one teller's, or of the whole shop's."""

    counts: Annotated[tuple[CountIn, ...], Meta(min_length=1, max_length=100)]


class TransactionQuery(ListQuery, frozen=True, kw_only=True):
    """Which transactions. `reference`: in full."""

    business_date: dt.date | None = None
    location_id: UUID | None = None
    kind: Kind | None = None
    reference: Reference | None = None


class EntryQuery(ListQuery, frozen=True, kw_only=True):
    """Which entries of a line."""

    business_date: dt.date | None = None


class ClosingQuery(ListQuery, frozen=True, kw_only=True):
    """Which closings."""

    location_id: UUID | None = None
    line_id: UUID | None = None
    business_date: dt.date | None = None


class DayQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of which location; without one, of all."""

    location_id: UUID | None = None


class SpanQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which days: both ends count, and lie at most a year apart. By default the month that ends today."""

    since: dt.date | None = None
    until: dt.date | None = None


class LineOut(Struct, frozen=True):
    """A line and what stands on it. `closed_through`: the last day of it that is closed."""

    id: UUID
    location_id: UUID
    code: Code
    name: Name
    kind: LineKind
    provider: Provider
    account: Account
    is_active: bool
    balance: SignedAmount
    currency: Currency
    closed_through: dt.date | None


class MovedOut(Struct, frozen=True):
    """What a transaction moved on one line."""

    line_id: UUID
    amount: SignedAmount


class TransactionOut(Struct, frozen=True):
    """A transaction, with what it moved."""

    id: UUID
    number: Number
    kind: Annotated[Kind, Meta(examples=["deposit"])]
    location_id: UUID
    business_date: dt.date
    at: dt.datetime
    amount: Amount
    commission: Amount
    fee: Amount
    currency: Currency
    phone: Phone
    reference: Reference
    note: Line
    by: Name
    reverses_id: UUID | None
    lines: list[MovedOut]


class EntryOut(Struct, frozen=True):
    """What moved on a line."""

    id: UUID
    transaction_id: UUID
    kind: Kind
    amount: SignedAmount
    business_date: dt.date
    at: dt.datetime


class ClosingOut(Struct, frozen=True):
    """How a line's day ended."""

    id: UUID
    line_id: UUID
    location_id: UUID
    business_date: dt.date
    opening: SignedAmount
    expected: SignedAmount
    counted: Amount
    variance: SignedAmount
    reason: Line
    at: dt.datetime
    by: Name


class LineDay(Struct, frozen=True):
    """A line on a day: closing = opening + all that moved. `counted`, `variance`: where the day is closed."""

    line_id: UUID
    code: Code
    name: Name
    kind: LineKind
    business_date: dt.date
    opening: SignedAmount
    deposits: SignedAmount
    withdrawals: SignedAmount
    transfers: SignedAmount
    commission: SignedAmount
    capital: SignedAmount
    variance: SignedAmount
    reversals: SignedAmount
    closing: SignedAmount
    counted: Amount | None
    is_closed: bool


class DayOut(Struct, frozen=True):
    """A business day of an agent: its lines, and how many customers were served.

    `commission_earned`: what the providers owe for them; what they have paid out stands with the lines.
    """

    business_date: dt.date
    location_id: UUID | None
    currency: Currency
    deposits: int
    withdrawals: int
    commission_earned: SignedAmount
    lines: list[LineDay]
