"""Lines of statements, and files of them on their way in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import SignedAmount
from kernel.wire import Currency, Line, ListQuery
from plugins.payments.api import LineKind
from plugins.reconciliation.rules.deciding import Outcome
from plugins.reconciliation.rules.layouts import Layout

ImportState = Literal["checking", "checked", "applying", "applied"]
Number = Annotated[str, Meta(examples=["TKL1AB2CD3"])]


class LineQuery(ListQuery, frozen=True, kw_only=True):
    """Which lines."""

    source_id: UUID | None = None
    outcome: Outcome | None = None
    kind: LineKind | None = None
    day: dt.date | None = None
    money_key: Annotated[Line, Meta(description="The provider's number of the money.")] | None = None


class LineOut(Struct, frozen=True):
    """A line of a statement. Amounts are signed as they change what is held for the business.

    `payment_id`, `refund_id`, `deposit_id`: what of ours it is, as far as it is known; `difference`: gross less what we
    say; `matched_by`: what showed it.
    """

    id: UUID
    source_id: UUID
    kind: LineKind
    number: Number
    money_key: Number | None
    reference: str | None
    payer: Annotated[str | None, Meta(examples=["2547*****678"])]
    gross: SignedAmount
    fee: SignedAmount | None
    tax: SignedAmount | None
    net: SignedAmount
    currency: Currency
    occurred_at: dt.datetime
    day: dt.date
    said_at: str
    words: str
    settlement_id: str | None
    settlement_ref: str | None
    outcome: Outcome
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    deposit_id: UUID | None = None
    matched_by: Annotated[str | None, Meta(examples=["money_key"])] = None
    difference: SignedAmount | None = None


class RowFault(Struct, frozen=True):
    """What is wrong with a row of a file."""

    row: Annotated[int, Meta(examples=[7])]
    column: str
    said: Annotated[str, Meta(examples=["This is no date"])]


class Preview(Struct, frozen=True):
    """What a file holds: rows, lines of them that are new or known, sums in and out in major units."""

    lines: int = 0
    fresh: int = 0
    known: int = 0
    refused: int = 0
    left_out: int = 0
    paid_in: SignedAmount = "0"
    paid_out: SignedAmount = "0"


class Counts(Struct, frozen=True):
    """What applying a file has done so far."""

    fresh: int = 0
    changed: int = 0
    known: int = 0


class ImportOut(Struct, frozen=True):
    """A statement as a file: how it was read, what it holds, what is wrong with which rows, how far it is applied."""

    id: UUID
    source_id: UUID
    state: ImportState
    layout: Layout
    rows: int
    first_day: dt.date | None
    last_day: dt.date | None
    preview: Preview
    result: Counts
    errors: list[RowFault]
    created_at: dt.datetime
    ended_at: dt.datetime | None


class ImportQuery(ListQuery, frozen=True, kw_only=True):
    """Which imports."""

    source_id: UUID | None = None


class UploadQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days a file states whole; without it those from its first line to its last."""

    first_day: dt.date | None = None
    last_day: dt.date | None = None
