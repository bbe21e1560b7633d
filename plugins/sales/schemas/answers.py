"""What clients are answered."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Amount, Quantity, SignedAmount, UnitPrice
from kernel.wire import Currency, Name, extends, like
from plugins.payments.api import PaymentOut
from plugins.sales.schemas.requests import Channel, Custom, HoldIn, RegisterCode
from plugins.sales.schemas.values import Step
from plugins.taxes.api import Terms

Number = Annotated[str, Meta(description="Gap-free per register and fiscal year.", examples=["T1-2026-000123"])]
OrderNumber = Annotated[
    str, Meta(description="Of a sale that waited for money; a series of its own.", examples=["T1-2026-P000007"])
]
Status = Literal["pending", "completed", "voided", "refunded", "partly_refunded", "expired"]


TaxCategory = Annotated[
    str, Meta(description="standard, reduced, zero, exempt or out_of_scope, as taxes names it.", examples=["standard"])
]


class TaxOut(Struct, frozen=True):
    """One tax of a line."""

    code: Annotated[str, Meta(examples=["VAT"])]
    rate: Annotated[str, Meta(description="Percent.", examples=["16"])]
    amount: SignedAmount
    taxable: Annotated[SignedAmount | None, Meta(description="What it was taken of.")] = None


class CategoryTotal(Struct, frozen=True):
    """All lines of a category: exempt and zero-rated are apart. A category of null was not kept when it was sold."""

    category: TaxCategory | None
    net: SignedAmount
    tax: SignedAmount
    total: SignedAmount


class TaxTotal(Struct, frozen=True):
    """One tax at one rate: what it was taken of, and came to."""

    code: Annotated[str, Meta(examples=["VAT"])]
    rate: Annotated[str, Meta(description="Percent.", examples=["16"])]
    taxable: SignedAmount
    amount: SignedAmount


class TaxTotals(Struct, frozen=True):
    """The tax of a document: by category, and by tax and rate."""

    categories: list[CategoryTotal]
    taxes: list[TaxTotal]


class PeriodTaxes(Struct, frozen=True):
    """The tax of what was sold in a period, both days inclusive; voided sales count for nothing."""

    from_date: dt.date
    to_date: dt.date
    location_id: UUID | None
    categories: list[CategoryTotal]
    taxes: list[TaxTotal]


class LineOut(Struct, frozen=True):
    """A priced line: gross - discount is what is taxed; net + tax = total."""

    line: int
    product_id: UUID
    name: Name
    sku: str
    barcode: str | None
    pack: str | None
    quantity: Quantity
    unit_price: UnitPrice
    gross: Amount
    discount: Amount
    net: Amount
    tax: Amount
    total: Amount
    taxes: list[TaxOut]
    steps: list[Step]
    tax_category: TaxCategory | None = None
    tax_codes: Annotated[dict[str, Any], Meta(description="Authorities' words.", examples=[{"etims": "B"}])] = {}


class MissedOut(Struct, frozen=True):
    """An offer that takes nothing off the cart, and what is missing for it."""

    plugin: Annotated[str, Meta(examples=["discounts"])]
    rule: Annotated[str, Meta(examples=["Any 3 soaps"])]
    words: Annotated[str, Meta(examples=["1 more for any 3 for KSh 100.00"])]


class NeededApproval(Struct, frozen=True):
    """What somebody else would have to approve if the person who asks sold the cart as it is."""

    action: Annotated[str, Meta(description="The limit or permission.", examples=["sales.below_cost"])]
    words: Annotated[str, Meta(examples=["Rice 2kg below cost at Kilimani"])]
    lines: Annotated[list[int], Meta(description="Numbers of the lines it is about.", examples=[[1]])]


class QuoteOut(Struct, frozen=True):
    """A priced cart. Nothing was written. `missed`: offers that take nothing off it yet."""

    location_id: UUID
    register_id: UUID
    customer_id: UUID | None
    channel: Channel
    currency: Currency
    prices_include_tax: bool
    epoch: int
    lines: list[LineOut]
    subtotal: Amount
    discount_total: Amount
    tax_total: Amount
    total: Amount
    rounding: Annotated[SignedAmount, Meta(description="Of the total, before any tender's own.")] = "0"
    tax_terms: Terms | None = None
    tax_totals: TaxTotals | None = None
    missed: list[MissedOut] = []
    approvals: Annotated[list[NeededApproval], Meta(description="None: the person may sell it alone.")] = []


class Cashier(Struct, frozen=True):
    """Who sold."""

    id: UUID | None
    name: Name


class SaleOut(Struct, frozen=True):
    """A sale. One that is pending goes by its order number, and is given up at `expires_at`."""

    id: UUID
    number: Number
    status: Status
    business_date: dt.date
    sold_at: dt.datetime
    location_id: UUID
    register_id: UUID
    customer_id: UUID | None
    channel: Channel
    currency: Currency
    prices_include_tax: bool
    epoch: int
    lines: list[LineOut]
    subtotal: Amount
    discount_total: Amount
    tax_total: Amount
    rounding: SignedAmount
    total: Amount
    payments: list[PaymentOut]
    paid: Amount
    change: Amount
    balance_due: Amount
    cashier: Cashier
    note: str
    ext: Annotated[dict[str, Any], extends("sales.cart")]
    order_number: OrderNumber | None = None
    expires_at: dt.datetime | None = None
    tax_terms: Terms | None = None
    tax_totals: TaxTotals | None = None
    voided_at: dt.datetime | None = None
    voided_by: str | None = None
    void_reason: str | None = None
    custom: Custom = {}


class SaleNews(Struct, frozen=True):
    """How a sale stands, for whoever waits for its money."""

    id: UUID
    number: Number
    status: Status
    paid: Amount
    balance_due: Amount
    expires_at: dt.datetime | None
    payments: list[PaymentOut]


class SaleRow(Struct, frozen=True):
    """A sale in a list."""

    id: UUID
    number: Number
    status: Status
    business_date: dt.date
    sold_at: dt.datetime
    location_id: UUID
    register_id: UUID
    customer_id: UUID | None
    total: Amount
    cashier: Cashier
    order_number: OrderNumber | None = None
    custom: Custom = {}


class TodayOut(Struct, frozen=True):
    """Today's sales so far. What is pending counts on the day its money comes."""

    business_date: dt.date
    count: int
    total: Amount
    voided: int
    items: list[SaleRow]
    next_cursor: str | None


class Trace(Struct, frozen=True):
    """Why a line costs what it does, in steps and in words."""

    sale_id: UUID
    number: Number
    line: int
    name: Name
    quantity: Quantity
    total: Amount
    steps: list[Step]
    words: Annotated[list[str], Meta(examples=[["List price KSh 380.00 (retail)"]])]


class HeldOut(Struct, frozen=True):
    """A cart set aside."""

    id: UUID
    label: str
    held_at: dt.datetime
    held_by: str
    cart: Annotated[dict[str, Any], like(HoldIn)]


class RegisterOut(Struct, frozen=True):
    """A till."""

    id: UUID
    location_id: UUID
    code: RegisterCode
    name: Name
    is_office: bool
    is_active: bool
