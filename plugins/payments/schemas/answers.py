"""What answers show of payments and refunds. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount
from kernel.wire import Currency, needs
from plugins.payments.rules import FactKind, Source
from plugins.payments.schemas.accounts import UnavailableOut
from plugins.payments.schemas.gateways import FaultKind, GatewayName
from plugins.payments.schemas.values import (
    GivenBack,
    IncomingState,
    MethodCode,
    MethodKind,
    PaymentState,
    Person,
    Reason,
    Refunded,
    SubjectKind,
    SubjectNumber,
    Title,
    Waits,
)

Unverified = Annotated[bool, Meta(description="Only a person has seen the money; no statement has shown it yet.")]


class FaultOut(Struct, frozen=True):
    """What kept a provider from doing it. said: for whoever stands at the till; tells: for the payer; code: the
    provider's own.
    """

    kind: Annotated[FaultKind, Meta(examples=["insufficient_funds"])]
    said: Annotated[str, Meta(examples=["The payer has too little money"])]
    code: Annotated[str, Meta(examples=["1"])] = ""
    tells: Annotated[str, Meta(examples=["You have too little money"])] = ""


class ShowOut(Struct, frozen=True):
    """What the payer does next: confirms a prompt on their phone, scans a picture, opens a page, or waits."""

    kind: Annotated[Literal["prompt", "qr", "picture", "page", "wait"], Meta(examples=["prompt"])]
    words: str = ""
    text: Annotated[
        str, Meta(description="What a QR picture holds; a whole picture as a `data:` address; the page's address.")
    ] = ""


class PaymentOut(Struct, frozen=True):
    """A payment as part of a document.

    One by a gateway shows why it failed, what the payer does next and until when; `given_up`: its document waits for it
    no more, though its money may still come.
    """

    id: UUID
    method: MethodCode
    amount: Amount
    tendered: Amount | None
    change: Amount
    status: PaymentState
    reference: str | None = None
    refunded: Refunded = "0.00"
    fault: FaultOut | None = None
    show: ShowOut | None = None
    expires_at: dt.datetime | None = None
    given_up: bool = False
    captured: Annotated[Amount, Meta(description="What came.", examples=["850.00"])] = "0.00"
    surplus: Annotated[Amount, Meta(description="Of what came, what the document does not take.")] = "0.00"
    unverified: Unverified = False


class RefundOut(Struct, frozen=True):
    """Money given back for one payment. `pending`: its gateway is sending it; `at`: when it was asked for, then made.

    `reference`: its number, where somebody gave it back by hand. `fault`: why it failed.
    """

    id: UUID
    payment_id: UUID
    method: MethodCode
    amount: Amount
    status: GivenBack
    reason: Reason
    subject_kind: SubjectKind
    subject_id: UUID
    subject_number: SubjectNumber
    location_id: UUID
    register_id: UUID | None
    business_date: dt.date
    at: dt.datetime
    by: Person
    reference: str | None = None
    fault: FaultOut | None = None


class IncomingOut(Struct, frozen=True):
    """Money that a provider holds for the business, and nobody asked for. `payer`: masked. `number`: the provider's."""

    id: UUID
    account_id: UUID
    gateway: GatewayName
    number: Annotated[str, Meta(examples=["TKL1AB2CD3"])]
    amount: Amount
    currency: Currency
    payer: Annotated[str, Meta(examples=["25471***678"])] | None
    reference: Annotated[str, Meta(examples=["T1-12"])] | None
    paid_at: dt.datetime | None
    known_at: dt.datetime
    state: IncomingState
    unverified: Unverified


class MethodOut(Struct, frozen=True):
    """A method that may be used now. `waits`: whether its money may come after the document was made."""

    code: MethodCode
    title: Title
    kind: MethodKind
    gives_change: bool
    step: Annotated[Amount, Meta(description="Amounts paid with it are multiples of this.", examples=["0.01"])]
    waits: Annotated[Waits, Meta(examples=["may"])]
    takes_phone: Annotated[bool, Meta(description="Whether the payer's phone number goes with it.")] = False
    by_hand: Annotated[bool, Meta(description="A person confirms its money, by its number: see `confirm-by-hand`.")] = (
        False
    )


class MethodsOut(Struct, frozen=True):
    """Every method that may be used now; and for those who set gateways up, what may not and why."""

    items: list[MethodOut]
    unavailable: Annotated[list[UnavailableOut] | None, needs("payments.manage_accounts")] = None


class EventOut(Struct, frozen=True):
    """A fact about a payment, as it became known. `code`, `words`: the provider's own."""

    id: UUID
    kind: Annotated[FactKind, Meta(examples=["captured"])]
    source: Source
    amount: Amount | None
    currency: Currency | None
    provider_ids: dict[str, Any]
    at: dt.datetime
    code: Annotated[str, Meta(examples=["1032"])] | None = None
    words: Annotated[str, Meta(examples=["Request cancelled by user"])] | None = None


class PaymentFacts(Struct, frozen=True):
    """A payment by itself. `fault`: why it was not paid; `show`: what the payer does next."""

    id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    subject_number: SubjectNumber
    method: MethodCode
    gateway: str | None
    mode: Literal["live", "test"]
    amount: Amount
    tendered: Amount | None
    change: Amount
    currency: Currency
    status: PaymentState
    captured: Amount
    refunded: Refunded
    reference: str | None
    flags: list[str]
    location_id: UUID
    register_id: UUID | None
    customer_id: UUID | None
    business_date: dt.date
    taken_at: dt.datetime
    taken_by: Person
    fault: FaultOut | None
    show: ShowOut | None
    expires_at: dt.datetime | None


class PaymentNews(Struct, frozen=True):
    """How a payment stands, for whoever waits for it."""

    id: UUID
    method: MethodCode
    status: PaymentState
    amount: Amount
    captured: Amount
    refunded: Refunded
    fault: FaultOut | None
    show: ShowOut | None
    expires_at: dt.datetime | None
    given_up: bool


class PaymentWhole(PaymentFacts, frozen=True):
    """A payment with its facts and refunds, oldest first."""

    events: list[EventOut]
    refunds: list[RefundOut]
