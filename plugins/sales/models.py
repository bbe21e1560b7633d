"""Registers, sales and their lines, held carts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Json, Owned, Versioned, owned_key
from kernel.db.custom import CustomKey, SortedText, custom_keys, custom_values
from kernel.db.personal import carries, impersonal, kept, names, personal

_BOOKED = "a sale is a document of the books: who rang it up or took it back, and why, is kept as long as they are"


def _of_some(name: str, where: str, *columns: str) -> sa.Index:
    """An index that a plain sale does not enter, so that it costs nothing at the checkout."""
    return sa.Index(name, "business_id", *columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


class Register(Owned, Versioned, Base):
    """A till of a storefront, with number series of its own. Each storefront has one that stands for the office."""

    __tablename__ = "sales_register"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "code"),
        sa.Index("ix_sales_register_business_id_location_id", "business_id", "location_id"),
        {"info": CONFIGURATION},
    )

    location_id: Mapped[uuid.UUID]
    code: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the register's"))
    is_office: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())


class TillEvent(Owned, Base):
    """What happened at a till without a sale: the drawer opened, a line taken off a cart, a receipt printed again."""

    __tablename__ = "sales_till_event"
    __table_args__ = (
        owned_key("register_id", "sales_register"),
        sa.Index("ix_sales_till_event_business_id_register_id", "business_id", "register_id", "at"),
        {"info": {"append_only": True}},
    )

    register_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    reason: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    sale_id: Mapped[uuid.UUID | None]
    product_id: Mapped[uuid.UUID | None]
    quantity: Mapped[int | None]
    amount: Mapped[int | None]
    at: Mapped[dt.datetime]
    by_id: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="by_id"))


class Sale(Owned, Versioned, Base):
    """A sale. Its lines and total never change; its status does.

    One that waits for money goes by its order number; `paid` grows as the money comes. On completion it gets its own
    number, and counts for the business day of that moment.
    """

    __tablename__ = "sales_sale"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "number"),
        sa.Index("ix_sales_sale_sold", "business_id", "sold_at", "id"),
        sa.Index("ix_sales_sale_day", "business_id", "business_date", "sold_at", "id"),
        sa.Index("ix_sales_sale_location", "business_id", "location_id", "sold_at", "id"),
        _of_some("ix_sales_sale_customer", "customer_id IS NOT NULL", "customer_id", "sold_at", "id"),
        _of_some("ix_sales_sale_unusual", "status <> 'completed'", "sold_at", "id"),
        _of_some("ix_sales_sale_order", "order_number IS NOT NULL", "order_number"),
    )

    number: Mapped[str]
    order_number: Mapped[str | None]
    order_date: Mapped[dt.date | None]
    expires_at: Mapped[dt.datetime | None]
    status: Mapped[str]
    location_id: Mapped[uuid.UUID]
    register_id: Mapped[uuid.UUID]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(info=names("customer", whole=True))
    channel: Mapped[str]
    business_date: Mapped[dt.date]
    sold_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]
    currency: Mapped[str]
    prices_include_tax: Mapped[bool]
    tax_terms: Mapped[dict[str, Any] | None] = mapped_column(Json, info=kept("tax_number", _BOOKED, of="customer_id"))
    subtotal: Mapped[int]
    discount_total: Mapped[int]
    tax_total: Mapped[int]
    rounding: Mapped[int]
    total: Mapped[int]
    paid: Mapped[int]
    change: Mapped[int]
    cashier_id: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    cashier_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="cashier_id"))
    note: Mapped[str] = mapped_column(info=personal("free_text", of="customer_id"))
    ext: Mapped[dict[str, Any]] = mapped_column(
        Json, info=carries("what plugins keep with a sale") | {"extends": "sales.cart"}
    )
    custom: Mapped[dict[str, Any]] = mapped_column(
        Json,
        server_default="{}",
        info=personal("free_text", of="customer_id", telling=False) | custom_values("sales.sale"),
    )
    epoch: Mapped[int]
    plugins: Mapped[list[str]] = mapped_column(Json, info=impersonal("names of plugins"))
    voided_at: Mapped[dt.datetime | None]
    voided_by: Mapped[str | None] = mapped_column(info=kept("name", _BOOKED))
    void_reason: Mapped[str | None] = mapped_column(info=kept("free_text", _BOOKED))


class SaleKey(CustomKey, Base):
    """By what the shop's own fields find a sale."""

    __tablename__ = "sales_sale_key"
    __table_args__ = custom_keys("sales.sale", "sales_sale")

    key: Mapped[str] = mapped_column(SortedText, info=personal("free_text", of="owner_id", telling=False))


class SaleLine(Base):
    """One line of a sale, with every step of its price."""

    __tablename__ = "sales_line"
    __table_args__ = (
        owned_key("sale_id", "sales_sale"),
        sa.Index("ix_sales_line_business_id_product_id", "business_id", "product_id"),
        {"info": {"append_only": True}},
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True, autoincrement=False)
    product_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(info=impersonal("the product's"))
    sku: Mapped[str]
    barcode: Mapped[str | None]
    pack: Mapped[str | None] = mapped_column(info=impersonal("the pack's"))
    quantity: Mapped[int]
    base_quantity: Mapped[int]
    unit_price: Mapped[int]
    gross: Mapped[int]
    discount: Mapped[int]
    net: Mapped[int]
    tax: Mapped[int]
    total: Mapped[int]
    cost_price: Mapped[int | None]
    track_stock: Mapped[bool]
    allow_negative_stock: Mapped[bool]
    taxes: Mapped[list[dict[str, Any]]] = mapped_column(Json, info=impersonal("codes, rates and amounts"))
    tax_category: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    tax_codes: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("authorities' words for it"))
    steps: Mapped[list[dict[str, Any]]] = mapped_column(Json, info=kept("free_text", _BOOKED, of="sale_id"))


class Held(Owned, Base):
    """A cart set aside: no number, no stock, no entry in any book."""

    __tablename__ = "sales_held"

    label: Mapped[str] = mapped_column(info=personal("free_text", of=""))
    cart: Mapped[dict[str, Any]] = mapped_column(Json, info=carries("the cart as it was put together"))
    held_at: Mapped[dt.datetime]
    held_by: Mapped[str] = mapped_column(info=personal("name", of="", erasing="pseudonym"))
