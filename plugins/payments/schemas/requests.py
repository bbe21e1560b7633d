"""What requests ask of payments. Amounts are decimal strings in major units."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from msgspec import field

from kernel.money import Amount
from kernel.wire import Ext, ListQuery, Request
from plugins.payments.rules import State
from plugins.payments.schemas.values import IncomingState, MethodCode, PhoneText, Reason, Reference, Tendered


class PaymentIn(Request, frozen=True, kw_only=True):
    """A payment as part of a document. Only cash takes `tendered`, and gives what is over as change.

    `awaited`: the money is on its way, and the document waits for it; only where the method `waits`. `claims`: it is
    money that came without being asked for, as `GET /payments/incoming` lists it; no more than it may be paid so.
    """

    method: MethodCode
    amount: Amount
    tendered: Tendered | None = None
    reference: Reference | None = None
    phone: PhoneText | None = None
    awaited: bool = False
    claims: UUID | None = None
    ext: Ext = field(default_factory=dict)


class MethodsQuery(Request, frozen=True, kw_only=True):
    """Where a payment is to be taken; without a place what may be used at some."""

    location_id: UUID | None = None
    register_id: UUID | None = None


class RefundIn(Request, frozen=True, kw_only=True):
    """A refund outside a void or return. Default: all that is left, where it was paid, by the way it came.

    `by_hand`: the money is given back already, say on the provider's own pages, under `reference`. `method`: it is
    given back another way, by one that needs no gateway, such as cash.
    """

    payment_id: UUID
    amount: Amount | None = None
    reason: Reason
    by_hand: bool = False
    method: MethodCode | None = None
    reference: Reference | None = None
    location_id: UUID | None = None
    register_id: UUID | None = None


class ConfirmIn(Request, frozen=True, kw_only=True):
    """The money of an awaited payment has come. `reference` takes the place of the one given when it was asked for."""

    reference: Reference | None = None


class ResendIn(Request, frozen=True, kw_only=True):
    """Ask the payer once more; `phone`: of another payer than the first time."""

    phone: PhoneText | None = None


class IncomingQuery(ListQuery, frozen=True, kw_only=True):
    """Which money that was not asked for. `reference`: what the payer wrote, or the provider's number, in full."""

    state: IncomingState = "unclaimed"
    account_id: UUID | None = None
    amount: Amount | None = None
    reference: Reference | None = None


class DismissIn(Request, frozen=True, kw_only=True):
    """Why money is no sale's."""

    reason: Reason


class PaymentQuery(ListQuery, frozen=True, kw_only=True):
    """Which payments."""

    subject_id: UUID | None = None
    method: MethodCode | None = None
    state: State | None = None
    business_date: dt.date | None = None
    location_id: UUID | None = None
    register_id: UUID | None = None
    customer_id: UUID | None = None


class RefundQuery(ListQuery, frozen=True, kw_only=True):
    """Which refunds."""

    payment_id: UUID | None = None
    subject_id: UUID | None = None
    method: MethodCode | None = None
    business_date: dt.date | None = None
    location_id: UUID | None = None
