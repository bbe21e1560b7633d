"""Payments and refunds inside: as they are asked for, settled, and told to other plugins. Amounts in minor units."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from msgspec import Struct

from plugins.payments.schemas.values import Method, MethodKind


class Subject(Struct, frozen=True):
    """What is paid for: a document of another plugin. `number` may be one that the flush fills in."""

    kind: str
    id: UUID
    number: str


class Place(Struct, frozen=True):
    """Where and on which business day money moves. `at` is when, if that is not now."""

    location_id: UUID
    register_id: UUID | None
    business_date: dt.date
    customer_id: UUID | None = None
    at: dt.datetime | None = None


class Wanted(Struct, frozen=True):
    """A payment as it was asked for, read and checked. `tendered` is what was handed over, for cash only."""

    method: Method
    amount: int
    tendered: int | None = None
    reference: str | None = None
    phone: str | None = None
    ext: dict[str, Any] = {}
    awaited: bool = False
    claims: UUID | None = None


class Taken(Struct, frozen=True):
    """A payment as it was settled: `amount` is net of `change`. `awaited`: its money has still to come.

    claims: the money that is there already.
    """

    method: Method
    amount: int
    tendered: int | None = None
    change: int = 0
    reference: str | None = None
    awaited: bool = False
    phone: str | None = None
    claims: UUID | None = None


class CapturedPayment(Struct, frozen=True):
    """Money that came in, as it is told. `amount` in minor units, net of change.

    `awaited`: its document was made before the money came, and stands already. `surplus`: how much of it the document
    does not take; it stays with the payment until somebody decides. `unverified`: only a person has seen it.
    """

    id: UUID
    subject: Subject
    method: str
    kind: MethodKind
    amount: int
    tendered: int | None
    change: int
    currency: str
    exponent: int
    reference: str | None
    location_id: UUID
    register_id: UUID | None
    customer_id: UUID | None
    business_date: dt.date
    at: dt.datetime
    actor_id: UUID | None
    actor_name: str
    awaited: bool = False
    surplus: int = 0
    unverified: bool = False


class AppliedMoney(Struct, frozen=True):
    """Money that had come before, and is now put onto a document: `amount` in minor units, of a payment."""

    payment_id: UUID
    subject: Subject
    amount: int
    currency: str


class MadeRefund(Struct, frozen=True):
    """Money that went back, as it is told: `amount` in minor units, for the payment of a subject."""

    id: UUID
    payment_id: UUID
    subject: Subject
    method: str
    kind: MethodKind
    amount: int
    currency: str
    exponent: int
    reason: str
    location_id: UUID
    register_id: UUID | None
    customer_id: UUID | None
    business_date: dt.date
    at: dt.datetime
    actor_id: UUID | None
    actor_name: str
