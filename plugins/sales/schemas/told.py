"""The values told to other plugins: a sale as it was placed, completed, cancelled or voided.

Amounts are minor units of the sale's currency; quantities and unit prices are scaled by `kernel.money.MICRO`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from kernel.money import format_amount, format_micro
from plugins.taxes.api import ComponentTax, Terms


class SoldLine(Struct, frozen=True):
    """A line of a sale. `base_quantity` counts in the product's own unit: a carton of twelve sold once is twelve."""

    line: int
    product_id: UUID
    name: str
    sku: str
    quantity: int
    base_quantity: int
    unit_price: int
    gross: int
    discount: int
    net: int
    tax: int
    total: int
    track_stock: bool
    allow_negative_stock: bool
    cost_price: int | None
    taken: tuple[tuple[str, str, int], ...] = ()
    """(plugin, rule, minor units) of all that brought its price down from the list price; not told again at a void."""
    tax_category: str | None = None
    """How it is reported; None: sold before that was kept."""
    taxes: tuple[ComponentTax, ...] = ()


class SaleMoney(Struct, frozen=True):
    """One payment of a sale, net of change."""

    payment_id: UUID
    method: str
    amount: int
    tendered: int | None
    change: int


class PlacedSale(Struct, frozen=True):
    """A sale whose goods are given out or kept for it, paid or not.

    number: the sale's, or its order's while it waits for money; a placeholder that the flush fills in: store it, do not
    parse it. payments: those whose money is there.
    """

    id: UUID
    number: str
    location_id: UUID
    register_id: UUID
    customer_id: UUID | None
    channel: str
    business_date: dt.date
    sold_at: dt.datetime
    currency: str
    exponent: int
    lines: tuple[SoldLine, ...]
    payments: tuple[SaleMoney, ...]
    subtotal: int
    discount_total: int
    tax_total: int
    rounding: int
    total: int
    cashier_id: UUID | None
    cashier_name: str
    location_name: str = ""
    ext: Mapping[str, Any] = {}
    """Plugin → what its Struct read from the cart's `ext`."""
    tax_terms: Terms | None = None
    """In which circumstances it was taxed; None: sold before that was kept."""
    custom: Mapping[str, Any] = {}
    """Field of the shop's own → value."""

    @property
    def in_short(self) -> str:
        """The sale in few words."""
        skus = ", ".join(f"{format_micro(one.quantity)} × {one.sku}" for one in self.lines[:2])
        more = f" and {len(self.lines) - 2} more" if len(self.lines) > 2 else ""
        return f"sale of {skus}{more}, {self.currency} {format_amount(self.total, self.exponent)}"


class CompletedSale(PlacedSale, frozen=True):
    """A sale that is paid whole, under its own number, on the business day of its completion."""


class CancelledSale(Struct, frozen=True):
    """A sale that waited for money in vain: its time ran out, or a person gave it up. `business_date` is that day."""

    sale: PlacedSale
    reason: str
    cancelled_at: dt.datetime
    business_date: dt.date
    cancelled_by: UUID | None
    cancelled_by_name: str

    @property
    def in_short(self) -> str:
        """What is taken back, and why."""
        return f"{self.sale.in_short}: {self.reason}"


class VoidedSale(Struct, frozen=True):
    """A completed sale that is taken back whole, on its own business day."""

    sale: CompletedSale
    reason: str
    voided_at: dt.datetime
    business_date: dt.date
    voided_by: UUID | None
    voided_by_name: str

    @property
    def in_short(self) -> str:
        """What is taken back, and why."""
        return f"{self.sale.in_short}: {self.reason}"
