"""What requests and answers say of links. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount
from kernel.wire import Code, Currency, Line, ListQuery, Name, Request

State = Literal["open", "paid", "cancelled", "expired"]
Kind = Annotated[Code, Meta(description="The kind of document that is paid.", examples=["sale"])]
Method = Annotated[str, Meta(max_length=40, pattern=r"\A[a-z][a-z0-9_]*\Z", examples=["mpesa"])]
Number = Annotated[str, Meta(examples=["PL-2026-000001"])]
Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]+\Z", examples=["asked for too much"])
]


class LinkIn(Request, frozen=True, kw_only=True):
    """What somebody is to pay, and until when.

    Either `amount`, or the payer says how much, from `least` to `most`; for a document it is what the document waits
    for. `subject_id`: a document of another plugin, of the kind named: such as a sale that waits for its money.
    `is_many`: everybody who has the link may pay, each once or more often. `methods`: the only ones that may be used;
    none named: all that are open. `expires_at`: at most a year away; by default as the settings say.
    """

    location_id: UUID
    amount: Annotated[Amount, Meta(examples=["1500.00"])] | None = None
    least: Annotated[Amount, Meta(examples=["50.00"])] | None = None
    most: Annotated[Amount, Meta(examples=["20000.00"])] | None = None
    words: Annotated[Line, Meta(description="What it is for, as the payer reads it.", examples=["School shoes"])] = ""
    subject_kind: Kind = "sale"
    subject_id: UUID | None = None
    customer_id: UUID | None = None
    methods: Annotated[tuple[Method, ...], Meta(max_length=20)] = ()
    is_many: bool = False
    expires_at: dt.datetime | None = None


class ResendIn(Request, frozen=True, kw_only=True):
    """How a link is sent again. `renew`: under a new address, and the one before is worth nothing any more."""

    renew: bool = False
    expires_at: dt.datetime | None = None


class CancelIn(Request, frozen=True, kw_only=True):
    """Why a link is cancelled."""

    reason: Reason


class LinkQuery(ListQuery, frozen=True, kw_only=True):
    """Which links."""

    state: State | None = None
    location_id: UUID | None = None
    customer_id: UUID | None = None
    subject_id: UUID | None = None


class PictureQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What picture. px: of one module of the code."""

    kind: Literal["svg", "png"] = "svg"
    px: Annotated[int, Meta(ge=1, le=20)] = 8


class TurnQuery(ListQuery, frozen=True, kw_only=True):
    """Which turns."""

    link_id: UUID | None = None


class LinkOut(Struct, frozen=True):
    """A link. `address`: what the payer opens; `message`: what may be sent to them.

    `paid`: all that came by it; `payments`: in so many payments.
    """

    id: UUID
    number: Number
    state: State
    location_id: UUID
    amount: Amount | None
    least: Amount | None
    most: Amount | None
    currency: Currency
    words: Line
    subject_kind: Kind
    subject_id: UUID
    subject_number: Annotated[str, Meta(examples=["T1-2026-000123"])]
    customer_id: UUID | None
    methods: list[Method]
    is_many: bool
    expires_at: dt.datetime
    paid: Amount
    payments: int
    created_at: dt.datetime
    created_by: Name
    ended_at: dt.datetime | None
    end_reason: Line
    address: Annotated[str, Meta(examples=["https://shop.example/pay/AQGd…"])]
    message: Annotated[str, Meta(examples=["Mama Njeri Stores asks you for KSh 1,500.00 …"])]


class TurnOut(Struct, frozen=True):
    """One payer's go at a link. Its payments stand in the list of payments, by `subject_id`."""

    id: UUID
    link_id: UUID
    subject_id: UUID
    amount: Amount | None
    paid: Amount
    started_at: dt.datetime
    paid_at: dt.datetime | None
