"""Daily reports, settlements, deposits of cash, and whether the till's takings are what providers say."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, SignedAmount
from kernel.wire import Currency, Line, ListQuery, Request, Text

MethodCode = Annotated[str, Meta(examples=["mpesa"])]


class DayQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which source; without one, of all that are on."""

    source_id: UUID | None = None


class TruthQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which location; without one, of all together."""

    location_id: UUID | None = None


class ExportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days, at most 366, the week up to yesterday where none is said; and of which source."""

    first_day: dt.date | None = None
    last_day: dt.date | None = None
    source_id: UUID | None = None


class Sum(Struct, frozen=True):
    """So many, and what they come to."""

    count: int
    amount: SignedAmount


class SourceDay(Struct, frozen=True):
    """What a source states of a day, by its own clock, and what came of it.

    `is_stated`: whether it has stated the day whole; `is_closed`: whether it was asked which of our payments it lacks.
    matched: lines that are ours; missing: our payments that it lacks; extra: what nobody here knows; differing: ours in
    another amount or at another fee; `open`: differences that nobody has decided about.
    """

    source_id: UUID
    source: Annotated[str, Meta(examples=["M-PESA: 174379"])]
    day: dt.date
    currency: Currency
    is_stated: bool
    is_closed: bool
    lines: Sum
    matched: Sum
    missing: Sum
    extra: Sum
    differing: Sum
    duplicate: Sum
    refunds: Sum
    fees: SignedAmount
    net: SignedAmount
    open: Sum


class DayReport(Struct, frozen=True):
    """A day of every source that was asked for."""

    day: dt.date
    sources: list[SourceDay]


class SettlementQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which settlements: of a source, with lines from a day on."""

    source_id: UUID | None = None
    since: dt.date | None = None


class SettlementOut(Struct, frozen=True):
    """A payout of a source to the bank: what its lines come to, what it says it paid, what the bank says arrived.

    `agrees`: whether those that are known are the same.
    """

    source_id: UUID
    number: Annotated[str, Meta(examples=["setl_1"])]
    bank_number: str | None
    first_day: dt.date
    last_day: dt.date
    lines: int
    gross: SignedAmount
    kept: Annotated[SignedAmount, Meta(description="Fees and taxes.")]
    net: SignedAmount
    paid_out: SignedAmount | None
    arrived: SignedAmount | None
    agrees: bool | None
    currency: Currency


class SettlementsOut(Struct, frozen=True):
    """Settlements, the latest first; at most 200."""

    items: list[SettlementOut]


class MethodTruth(Struct, frozen=True):
    """One way of paying at one location on one business day.

    taken, given_back: by the till. stated, stated_back: what of it a statement tells of. differing: stated in other
    amounts, in sum. in_transit: not stated yet, and not overdue. missing: overdue. unverified: a person's word alone.
    by_hand: no source states this way of paying. For cash: `spent` from the till, `banked`, and `stated` by the bank;
    `difference` is what is neither banked nor given out yet. Otherwise it is stated less taken, with what is in transit
    left aside.
    """

    location_id: UUID
    method: MethodCode
    kind: Literal["cash", "bank", "card", "other"]
    taken: Amount
    given_back: Amount
    stated: SignedAmount
    stated_back: SignedAmount
    differing: SignedAmount
    in_transit: Amount
    missing: Amount
    unverified: Amount
    by_hand: Amount
    spent: SignedAmount
    banked: SignedAmount
    difference: SignedAmount
    agrees: bool


class TruthOut(Struct, frozen=True):
    """Whether the till's takings of a business day are what providers and banks say.

    `unknown`: what sources state of that day and nobody here knows; it belongs to no location.
    """

    business_date: dt.date
    location_id: UUID | None
    currency: Currency
    methods: list[MethodTruth]
    unknown: Sum
    agrees: bool


class DepositIn(Request, frozen=True, kw_only=True):
    """Cash of a business day that is taken to the bank."""

    source_id: UUID
    location_id: UUID
    business_date: dt.date
    amount: Amount
    reference: Annotated[Line, Meta(description="Number of the slip.", examples=["DS-1042"])] = ""
    note: Text = ""


class DepositBack(Request, frozen=True, kw_only=True):
    """Why a deposit is taken back."""

    note: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]+\Z", examples=["typed twice"])]


class DepositQuery(ListQuery, frozen=True, kw_only=True):
    """Which deposits."""

    location_id: UUID | None = None
    business_date: dt.date | None = None


class DepositOut(Struct, frozen=True):
    """Cash that was taken to the bank, or the reversal of that. `line_id`: the bank's line that tells of it."""

    id: UUID
    source_id: UUID
    location_id: UUID
    business_date: dt.date
    amount: SignedAmount
    currency: Currency
    reference: Annotated[str, Meta(examples=["DS-1042"])]
    note: str
    at: dt.datetime
    by: Annotated[str, Meta(examples=["Wanjiku"])]
    reverses_id: UUID | None
    line_id: UUID | None
