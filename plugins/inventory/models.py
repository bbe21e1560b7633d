"""Levels, the moves they are the sum of, and the documents behind the moves."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned, owned_key
from kernel.db.personal import impersonal, kept, names
from kernel.work import Tally

FURTHEST = 4 * 10**18
"""As far as a level may go either way, scaled by `kernel.money.MICRO`."""
_BOOKED = "stock is an asset: what moved it, from whom it came and who counted it is kept as long as the books"


class Level(Base):
    """What stands of a product at a location: the running sum of its moves, changed only through STOCK."""

    __tablename__ = "inventory_level"
    __table_args__ = (
        sa.Index("ix_inventory_level_business_id_location_id", "business_id", "location_id"),
        # SQLite would turn a sum beyond 64 bits into a float without a word; this refuses it on the way there.
        sa.CheckConstraint(f"on_hand BETWEEN {-FURTHEST} AND {FURTHEST}", name="on_hand_in_range"),
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    location_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0, server_default="0")
    reserved: Mapped[int] = mapped_column(default=0, server_default="0")


class Move(Owned, Base):
    """Goods in (positive) or out (negative), never edited. A correction is another move, linked by `reverses_id`.

    `line` counts within the document. `is_forced`: taken without asking whether there was enough.
    """

    __tablename__ = "inventory_move"
    __table_args__ = (
        sa.Index("ix_inventory_move_product", "business_id", "product_id", "id"),
        sa.Index("ix_inventory_move_business_id_document_id", "business_id", "document_id"),
        sa.Index(
            "uq_inventory_move_business_id_reverses_id",
            "business_id",
            "reverses_id",
            unique=True,
            postgresql_where=sa.text("reverses_id IS NOT NULL"),
            sqlite_where=sa.text("reverses_id IS NOT NULL"),
        ),
        {"info": {"append_only": True}},
    )

    product_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID]
    quantity: Mapped[int]
    kind: Mapped[str]
    document_kind: Mapped[str]
    document_id: Mapped[uuid.UUID]
    document_number: Mapped[str]
    line: Mapped[int | None]
    reason: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    unit_cost: Mapped[int | None]
    is_forced: Mapped[bool]
    reverses_id: Mapped[uuid.UUID | None]
    at: Mapped[dt.datetime]
    business_date: Mapped[dt.date]
    by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="by"))


class Receipt(Owned, Base):
    """Goods taken in at a location. `kind` is receipt, or opening for what stood there on the first day."""

    __tablename__ = "inventory_receipt"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "number"),
        {"info": {"append_only": True}},
    )

    number: Mapped[str]
    kind: Mapped[str]
    location_id: Mapped[uuid.UUID]
    supplier: Mapped[str] = mapped_column(info=kept("name", _BOOKED))
    note: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    at: Mapped[dt.datetime]
    business_date: Mapped[dt.date]
    by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="by"))


class ReceiptLine(Base):
    """One line of a receipt, named as the product was named then."""

    __tablename__ = "inventory_receipt_line"
    __table_args__ = (
        owned_key("receipt_id", "inventory_receipt"),
        {"info": {"append_only": True}},
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    receipt_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[uuid.UUID]
    sku: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the product's"))
    quantity: Mapped[int]
    unit_cost: Mapped[int | None]


class Adjustment(Owned, Base):
    """A correction of stock at a location, with its reason."""

    __tablename__ = "inventory_adjustment"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "number"),
        {"info": {"append_only": True}},
    )

    number: Mapped[str]
    location_id: Mapped[uuid.UUID]
    reason: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    at: Mapped[dt.datetime]
    business_date: Mapped[dt.date]
    by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="by"))


class AdjustmentLine(Base):
    """One line of an adjustment: more (positive) or less (negative)."""

    __tablename__ = "inventory_adjustment_line"
    __table_args__ = (
        owned_key("adjustment_id", "inventory_adjustment"),
        {"info": {"append_only": True}},
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    adjustment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[uuid.UUID]
    sku: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the product's"))
    quantity: Mapped[int]


STOCK = Tally(
    Base.metadata.tables["inventory_level"],
    key=("product_id", "location_id"),
    column="on_hand",
    room="t.on_hand - t.reserved",
    rank=20,
)
"""The one way a level changes: by declared amounts, under the global lock order."""
