"""What inventory speaks of: goods that move and the documents they move by, requests and answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from kernel.money import Quantity, UnitPrice
from kernel.wire import Code, Line, ListQuery, Name, Request, Search, Text, needs

# Values of rules and services. Quantities and costs are scaled by `kernel.money.MICRO`.

MoveKind = Literal["receipt", "adjustment", "sale", "void", "return", "opening"]
"""Why goods moved."""
ReceiptKind = Literal["receipt", "opening"]
"""Goods that came in, or stood there on the first day."""


class Document(Struct, frozen=True):
    """What goods move by: the kind of move, and the paper behind it."""

    kind: MoveKind
    document_kind: str
    id: UUID
    number: str
    location_id: UUID
    place: str
    """The location's name, for people who are told that too little is left there."""
    at: dt.datetime
    business_date: dt.date
    by_id: UUID | None
    by_name: str
    reason: str = ""


class Goods(Struct, frozen=True):
    """One line of a document: more (positive) or less (negative) of a product.

    `is_forced`: it may be taken though too little is there. `reverses_id`: the move that this one takes back.
    """

    product_id: UUID
    name: str
    line: int
    quantity: int
    is_forced: bool = False
    unit_cost: int | None = None
    reverses_id: UUID | None = None


class Want(Struct, frozen=True):
    """What a document takes of a product over all its lines; below zero when more comes in than goes out."""

    product_id: UUID
    name: str
    quantity: int
    lines: tuple[int, ...]
    is_forced: bool


# On the wire

Cost = Annotated[UnitPrice | None, needs("catalog.see_cost")]
"""What one unit cost: seen and set only by those who may see costs."""
SignedQuantity = Annotated[
    str,
    Meta(
        pattern=r"\A(?!-0(\.0*)?\Z)-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z",
        max_length=20,
        description="A quantity as a decimal string, at most six decimals; negative with a leading minus.",
        examples=["-2", "40"],
    ),
]
Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"\A[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z", examples=["Broken"])
]
MOST_LINES: Final = 2000


class ReceivedLine(Request, frozen=True):
    """Goods of one product, in the product's own unit. `unit_cost` is what one unit cost."""

    product_id: UUID
    quantity: Quantity
    unit_cost: Cost = None


class ReceiptIn(Request, frozen=True):
    """Goods to take in at a location."""

    location_id: UUID
    lines: Annotated[list[ReceivedLine], Meta(min_length=1, max_length=MOST_LINES)]
    supplier: Line = ""
    note: Text = ""


class AdjustedLine(Request, frozen=True):
    """More or less of one product, in the product's own unit; never zero."""

    product_id: UUID
    quantity: SignedQuantity


class AdjustmentIn(Request, frozen=True):
    """Stock to correct at a location, and why."""

    location_id: UUID
    reason: Reason
    lines: Annotated[list[AdjustedLine], Meta(min_length=1, max_length=MOST_LINES)]


class Person(Struct, frozen=True):
    """Who did it; Duka itself has no id."""

    id: UUID | None
    name: Name


class ReceiptLineOut(Struct, frozen=True):
    """One line of a receipt. `unit_cost` is left out for those who may not see costs."""

    line: int
    product_id: UUID
    sku: Code
    name: Name
    quantity: Quantity
    unit_cost: Cost


class ReceiptOut(Struct, frozen=True):
    """Goods that were taken in."""

    id: UUID
    number: Code
    kind: ReceiptKind
    location_id: UUID
    supplier: Line
    note: Text
    at: dt.datetime
    business_date: dt.date
    by: Person
    lines: list[ReceiptLineOut]


class ReceiptSummary(Struct, frozen=True):
    """A receipt as it stands in the list, without its lines."""

    id: UUID
    number: Code
    kind: ReceiptKind
    location_id: UUID
    supplier: Line
    at: dt.datetime
    business_date: dt.date
    by: Person


class AdjustmentLineOut(Struct, frozen=True):
    """One line of an adjustment."""

    line: int
    product_id: UUID
    sku: Code
    name: Name
    quantity: SignedQuantity


class AdjustmentOut(Struct, frozen=True):
    """Stock that was corrected."""

    id: UUID
    number: Code
    location_id: UUID
    reason: Reason
    at: dt.datetime
    business_date: dt.date
    by: Person
    lines: list[AdjustmentLineOut]


class AdjustmentSummary(Struct, frozen=True):
    """An adjustment as it stands in the list, without its lines."""

    id: UUID
    number: Code
    location_id: UUID
    reason: Reason
    at: dt.datetime
    business_date: dt.date
    by: Person


class LevelOut(Struct, frozen=True):
    """What stands of a product at a location. available = on_hand - reserved."""

    product_id: UUID
    sku: Code
    name: Name
    location_id: UUID
    on_hand: SignedQuantity
    reserved: Quantity
    available: SignedQuantity


class MoveOut(Struct, frozen=True):
    """One move: goods in (positive) or out (negative), and the document behind it."""

    id: UUID
    product_id: UUID
    sku: Code
    name: Name
    location_id: UUID
    quantity: SignedQuantity
    kind: MoveKind
    document_kind: Code
    document_id: UUID
    document_number: Code
    line: int | None
    reason: Line
    unit_cost: Cost
    reverses_id: UUID | None
    at: dt.datetime
    business_date: dt.date
    by: Person


class LowStockOut(Struct, frozen=True):
    """A product of which no more is left than its minimum."""

    product_id: UUID
    sku: Code
    name: Name
    available: SignedQuantity
    min_stock: Quantity
    shelf: Line


class LevelQuery(ListQuery, frozen=True):
    """Which levels. `q` looks in names and SKUs."""

    location_id: UUID | None = None
    product_id: UUID | None = None
    q: Search | None = None


class StockOf(Request, frozen=True):
    """Of which products, at one location or over all where one works."""

    product_ids: Annotated[list[UUID], Meta(min_length=1, max_length=200)]
    location_id: UUID | None = None


class StockOut(Struct, frozen=True):
    """What there is of a product together. available = on_hand - reserved."""

    product_id: UUID
    on_hand: SignedQuantity
    reserved: Quantity
    available: SignedQuantity


class MoveQuery(ListQuery, frozen=True):
    """Which moves; both days belong to the range."""

    product_id: UUID | None = None
    location_id: UUID | None = None
    kind: MoveKind | None = None
    document_id: UUID | None = None
    from_date: dt.date | None = None
    to_date: dt.date | None = None


class DocumentQuery(ListQuery, frozen=True):
    """Which receipts or adjustments; both days belong to the range."""

    location_id: UUID | None = None
    from_date: dt.date | None = None
    to_date: dt.date | None = None


class LowStockQuery(ListQuery, frozen=True):
    """Counted at one location, or over all."""

    location_id: UUID | None = None


class ProductExt(Request, frozen=True):
    """What inventory keeps with a product: where it stands in the shop."""

    shelf: Line = ""


EXTENSIONS: Final[Mapping[str, type[Struct]]] = {"catalog.product": ProductExt}
