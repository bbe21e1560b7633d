"""What does not agree, what may be decided about it, and what that comes to in the books."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, SignedAmount
from kernel.wire import Currency, Line, ListQuery, Request
from plugins.reconciliation.rules.deciding import Account, DifferenceKind, DifferenceState, Resolution

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"\A[^\x00-\x1f\x7f\s]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?\Z",
        examples=["the bank confirms it"],
    ),
]


class DifferenceQuery(ListQuery, frozen=True, kw_only=True):
    """Which differences."""

    source_id: UUID | None = None
    kind: DifferenceKind | None = None
    state: DifferenceState | None = None
    day: dt.date | None = None


class DifferenceOut(Struct, frozen=True):
    """Something on which books and statement do not agree. `amount`: what the statement says less what we say."""

    id: UUID
    source_id: UUID
    kind: DifferenceKind
    words: Annotated[str, Meta(examples=["Money is stated that nobody here knows"])]
    day: dt.date
    location_id: UUID | None
    line_id: UUID | None
    payment_id: UUID | None
    amount: SignedAmount
    currency: Currency
    state: DifferenceState
    opened_at: dt.datetime
    resolutions: Annotated[list[Resolution], Meta(description="What may be decided, the likeliest first.")]
    resolution: Resolution | None
    note: str | None
    resolved_at: dt.datetime | None
    resolved_by: Annotated[str | None, Meta(examples=["Wanjiku"])]


class CandidateOut(Struct, frozen=True):
    """A payment that a line may be: of the same amount, about the same time, which no line tells of. Only a hint."""

    payment_id: UUID
    subject_kind: Line
    subject_id: UUID
    subject_number: Annotated[str, Meta(examples=["T1-2026-000123"])]
    method: Annotated[str, Meta(examples=["mpesa"])]
    amount: Amount
    at: dt.datetime
    location_id: UUID
    same_payer: bool
    minutes_apart: int


class PostingOut(Struct, frozen=True):
    """What a decision comes to in the books: one account debited, one credited."""

    id: UUID
    difference_id: UUID
    resolution: Resolution
    is_reversal: bool
    debit: Account
    credit: Account
    amount: Amount
    currency: Currency
    day: dt.date
    at: dt.datetime
    note: str
    by: Annotated[str, Meta(examples=["Wanjiku"])]


class DifferenceWhole(Struct, frozen=True):
    """A difference with the payments it may be about, and all that was booked of it."""

    difference: DifferenceOut
    candidates: list[CandidateOut]
    postings: list[PostingOut]


class ResolveIn(Request, frozen=True, kw_only=True):
    """What is decided, and why. `subject_id`: the open sale that money is put onto, for `claim`."""

    resolution: Resolution
    note: Reason
    subject_id: UUID | None = None


class ReverseIn(Request, frozen=True, kw_only=True):
    """Why a decision is taken back."""

    note: Reason


class PostingQuery(ListQuery, frozen=True, kw_only=True):
    """Which postings."""

    difference_id: UUID | None = None
    day: dt.date | None = None
