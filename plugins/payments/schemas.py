"""What travels: methods, payments and refunds as requests ask for them, answers show and hooks tell them.

Amounts inside are minor units; amounts on the wire are decimal strings in major units.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from kernel.money import Amount, StepMode, UnitPrice
from kernel.wire import Code, Currency, Ext, Line, ListQuery, Region, Request
from plugins.payments.rules import FactKind, RefundState, Source, State, cash_step, check_step, step_of

MethodKind = Literal["cash", "bank", "card", "other"]
"""What a method is for the books: notes and coins, an account, a card, or anything else."""

EXTENSION: Final = "payments.payment"
"""The subject under which plugins read their part of a payment's `ext`."""

MethodCode = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"\A[a-z][a-z0-9_]*\Z",
        description="A method that is on, see methods.",
        examples=["cash"],
    ),
]
PhoneText = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=32,
        pattern=r"\A[0-9+() .-]+\Z",
        description="Whose phone pays, for methods that ask for it.",
        examples=["0712345678"],
    ),
]


Tendered = Annotated[Amount, Meta(description="What was handed over.", examples=["1000.00"])]
Reference = Annotated[Line, Meta(description="Number of a slip or transfer.", examples=["FT26325"])]
Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"\A[^\x00-\x1f\x7f\s]([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?\Z",
        examples=["charged twice"],
    ),
]

PaymentState = Annotated[State, Meta(examples=["captured"])]
GivenBack = Annotated[RefundState, Meta(examples=["done"])]
SubjectKind = Annotated[Code, Meta(description="What kind of document it belongs to.", examples=["sale"])]
SubjectNumber = Annotated[str, Meta(description="The document's number.", examples=["T1-2026-000123"])]
Title = Annotated[str, Meta(examples=["Cash"])]
Person = Annotated[str, Meta(examples=["Wanjiku"])]
Refunded = Annotated[Amount, Meta(description="Given back, or on its way back.", examples=["0.00"])]


Waits = Literal["never", "may", "always"]
"""Whether a document may be made before its money has come: never, if the person says so, or always."""


class Method(Struct, frozen=True):
    """A way of paying that an enabled plugin offers.

    gateway: who must confirm the money; None takes the person's word. takes_phone: whether it asks whose phone pays.
    waits: whether its money may come later; wait_minutes: how long a document waits for it.
    """

    code: str
    title: str
    kind: MethodKind
    gateway: str | None = None
    takes_phone: bool = False
    waits: Waits = "never"
    wait_minutes: int = 0

    @property
    def is_cash(self) -> bool:
        """Whether it gives change and is rounded to coins."""
        return self.kind == "cash"

    def step(self, currency: str) -> int:
        """The smallest amount it can pay, in minor units: the smallest coin for cash, otherwise 1."""
        return cash_step(currency) if self.is_cash else 1


class TenderRounding(Struct, frozen=True, forbid_unknown_fields=True):
    """A method pays in multiples of a step: 0.05 or 1 or 5. The first that fits a payment counts.

    currency, region: where it holds; none: everywhere. A step is 1, 2, 2.5 or 5 with any power of ten, from 0.01 to
    100000 (ValueError otherwise); one finer than the currency's smallest unit rounds nothing.
    """

    method: MethodCode
    step: Annotated[UnitPrice, Meta(examples=["1"])]
    mode: Annotated[StepMode, Meta(examples=["half_up"])] = "half_up"
    currency: Currency | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        check_step(self.step)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a business decides about payments. Without an entry only cash is rounded, to the smallest coin."""

    rounding: Annotated[tuple[TenderRounding, ...], Meta(max_length=50, title="Rounding by method")] = ()


class Coin(Struct, frozen=True):
    """What a tender is rounded to: a step in minor units, 1 for nothing; and which way."""

    step: int = 1
    mode: StepMode = "half_up"


class Coins(Struct, frozen=True):
    """What the tenders of a business are rounded to."""

    said: tuple[TenderRounding, ...]
    currency: str
    region: str
    exponent: int

    def of(self, method: Method) -> Coin:
        """What a method is rounded to: as the business says, else to coins where it is cash."""
        for one in self.said:
            if (
                one.method == method.code
                and one.currency in (None, self.currency)
                and one.region in (None, self.region)
            ):
                return Coin(step_of(one.step, self.exponent), one.mode)
        if not method.is_cash:
            return Coin()
        return Coin(cash_step(self.currency, self.region))


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


class Taken(Struct, frozen=True):
    """A payment as it was settled: `amount` is net of `change`. `awaited`: its money has still to come."""

    method: Method
    amount: int
    tendered: int | None = None
    change: int = 0
    reference: str | None = None
    awaited: bool = False


class PaymentIn(Request, frozen=True, kw_only=True):
    """A payment as part of a document. Only cash takes `tendered`, and gives what is over as change.

    `awaited`: the money is on its way, and the document waits for it; only where the method `waits`.
    """

    method: MethodCode
    amount: Amount
    tendered: Tendered | None = None
    reference: Reference | None = None
    phone: PhoneText | None = None
    awaited: bool = False
    ext: Ext = field(default_factory=dict)


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


class RefundIn(Request, frozen=True, kw_only=True):
    """A refund outside a void or return. Default: all that is left, where it was paid."""

    payment_id: UUID
    amount: Amount | None = None
    reason: Reason
    location_id: UUID | None = None
    register_id: UUID | None = None


class ConfirmIn(Request, frozen=True, kw_only=True):
    """The money of an awaited payment has come. `reference` takes the place of the one given when it was asked for."""

    reference: Reference | None = None


class MethodOut(Struct, frozen=True):
    """A method that may be used now. `waits`: whether its money may come after the document was made."""

    code: MethodCode
    title: Title
    kind: MethodKind
    gives_change: bool
    step: Annotated[Amount, Meta(description="Amounts paid with it are multiples of this.", examples=["0.01"])]
    waits: Annotated[Waits, Meta(examples=["may"])]


class MethodsOut(Struct, frozen=True):
    """Every method that may be used now."""

    items: list[MethodOut]


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


class CapturedPayment(Struct, frozen=True):
    """Money that came in, as it is told. `amount` in minor units, net of change.

    `awaited`: its document was made before the money came, and stands already.
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
