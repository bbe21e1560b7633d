"""What clients send."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from kernel.money import Amount, Percent, Quantity, UnitPrice
from kernel.wire import Code, Ext, Line, ListQuery, Name, Request, Text, custom, extends
from plugins.payments.api import PaymentIn

ENTITY: Final = "sales.sale"
"""What sales are called by the fields of a shop's own."""

Custom = Annotated[dict[str, Any], custom(ENTITY)]
"""Field of the shop's own → value."""
Moment = Annotated[dt.datetime, Meta(tz=True)]
RegisterCode = Annotated[str, Meta(pattern=r"\A[A-Z0-9]{1,4}\Z", description="Begins its numbers.", examples=["T1"])]
Channel = Literal["retail", "wholesale"]


class DiscountIn(Request, frozen=True):
    """A discount by hand: a percentage or an amount, and why. Needs `sales.discount`."""

    percent: Percent | None = None
    amount: Amount | None = None
    reason: Line = ""


class LineIn(Request, frozen=True):
    """One line: a product by id or by barcode. `unit_price` needs `sales.override_price`."""

    product_id: UUID | None = None
    barcode: Code | None = None
    quantity: Quantity = "1"
    unit_price: UnitPrice | None = None
    discount: DiscountIn | None = None


class CartIn(Request, frozen=True):
    """A cart to price. Without a register, the storefront's office register sells."""

    location_id: UUID
    lines: Annotated[list[LineIn], Meta(min_length=1, max_length=2000)]
    register_id: UUID | None = None
    customer_id: UUID | None = None
    channel: Channel = "retail"
    discount: DiscountIn | None = None
    note: Text = ""
    ext: Annotated[Ext, extends("sales.cart")] = {}
    custom: Custom = {}


class SaleIn(CartIn, frozen=True):
    """A sale to complete. The client may choose the id. `sold_at` in the past needs `sales.import`."""

    payments: Annotated[list[PaymentIn], Meta(max_length=20)] = []
    id: UUID | None = None
    sold_at: Moment | None = None
    held_id: UUID | None = None


class SalePatch(Request, frozen=True):
    """What changes of a sale: of `custom` only the fields named, null takes a value away. Its figures never change."""

    custom: Custom


class PayIn(Request, frozen=True):
    """How the rest of a pending sale is paid, in place of what it waits for."""

    payments: Annotated[list[PaymentIn], Meta(min_length=1, max_length=20)]


class VoidIn(Request, frozen=True):
    """Why a sale is taken back."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, examples=["wrong customer"])]


class HoldIn(CartIn, frozen=True):
    """A cart to set aside under a label."""

    label: Line = ""


class RegisterIn(Request, frozen=True):
    """A till to add to a storefront."""

    location_id: UUID
    code: RegisterCode
    name: Name


class RegisterPatch(Request, frozen=True):
    """What changes of a register; its code stays, since numbers begin with it."""

    name: Name | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class SaleQuery(ListQuery, frozen=True):
    """Which sales, newest first.

    By a field of the shop's own: `custom.<field>=`, of numbers and dates also `custom.<field>.from=` and `.to=`.
    """

    business_date: dt.date | None = None
    location_id: UUID | None = None
    register_id: UUID | None = None
    customer_id: UUID | None = None
    status: Literal["pending", "completed", "voided", "expired"] | None = None
    number: Code | None = None
    order_number: Code | None = None
    custom: Annotated[dict[str, str], custom(ENTITY)] = {}


class TodayQuery(ListQuery, frozen=True):
    """Today's sales, of one location or all."""

    location_id: UUID | None = None


class PeriodQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From a business day to another, both inclusive; of one location or all."""

    from_date: Annotated[dt.date, Meta(examples=["2026-11-01"])]
    to_date: Annotated[dt.date, Meta(examples=["2026-11-30"])]
    location_id: UUID | None = None


class SaleExport(PeriodQuery, frozen=True, kw_only=True):
    """Which sales, at most 366 days of them, and as what kind of file."""

    status: Literal["completed", "voided"] | None = None
    format: Literal["csv", "xlsx"] = "csv"


class RegisterQuery(ListQuery, frozen=True):
    """Which registers."""

    location_id: UUID | None = None
    is_active: bool | None = None
