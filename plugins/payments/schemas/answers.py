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
from plugins.payments.schemas.gateways import GatewayName
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


class PaymentOut(Struct, frozen=True):
    """A payment as part of a document."""

    id: UUID
    method: MethodCode
    amount: Amount
    tendered: Amount | None
    change: Amount
    status: PaymentState
    reference: str | None = None
    refunded: Refunded = "0.00"


class RefundOut(Struct, frozen=True):
    """Money given back for one payment."""

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


class MethodOut(Struct, frozen=True):
    """A method that may be used now. `waits`: whether its money may come after the document was made."""

    code: MethodCode
    title: Title
    kind: MethodKind
    gives_change: bool
    step: Annotated[Amount, Meta(description="Amounts paid with it are multiples of this.", examples=["0.01"])]
    waits: Annotated[Waits, Meta(examples=["may"])]


class MethodsOut(Struct, frozen=True):
    """Every method that may be used now; and for those who set gateways up, what may not and why."""

    items: list[MethodOut]
    unavailable: Annotated[list[UnavailableOut] | None, needs("payments.manage_accounts")] = None


class EventOut(Struct, frozen=True):
    """A fact about a payment, as it became known."""

    id: UUID
    kind: Annotated[FactKind, Meta(examples=["captured"])]
    source: Source
    amount: Amount | None
    currency: Currency | None
    provider_ids: dict[str, Any]
    at: dt.datetime


class PaymentFacts(Struct, frozen=True):
    """A payment by itself."""

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


class PaymentWhole(PaymentFacts, frozen=True):
    """A payment with its facts and refunds, oldest first."""

    events: list[EventOut]
    refunds: list[RefundOut]
