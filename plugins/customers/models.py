"""Customers and their groups."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Json, Owned, Versioned, owned_key
from kernel.db.custom import CustomKey, SortedText, custom_keys, custom_values
from kernel.db.personal import impersonal, names, personal


class Group(Owned, Versioned, Base):
    """Customers who are treated alike, for prices and credit."""

    __tablename__ = "customers_group"
    __table_args__ = (sa.UniqueConstraint("business_id", "code"),)

    code: Mapped[str]
    name: Mapped[str] = mapped_column(info=impersonal("the group's"))


class Customer(Owned, Versioned, Base):
    """A person or company. `phone` is E.164 and need not be theirs alone; `search` holds what they are found by."""

    __tablename__ = "customers_customer"
    __table_args__ = (
        owned_key("group_id", "customers_group"),
        sa.Index("ix_customers_customer_name", "business_id", "name", "id"),
        sa.Index("ix_customers_customer_phone", "business_id", "phone"),
        sa.Index("ix_customers_customer_group", "business_id", "group_id"),
        {"info": {"person": "customer"}},
    )

    kind: Mapped[str]
    name: Mapped[str] = mapped_column(info=personal("name", erasing="pseudonym"))
    phone: Mapped[str | None] = mapped_column(info=personal("contact"))
    email: Mapped[str | None] = mapped_column(info=personal("contact"))
    tax_number: Mapped[str | None] = mapped_column(info=personal("tax_number"))
    group_id: Mapped[uuid.UUID | None]
    subdivision: Mapped[str | None] = mapped_column(info=personal("address"))
    address: Mapped[str] = mapped_column(info=personal("address"))
    note: Mapped[str] = mapped_column(info=personal("free_text"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    ext: Mapped[dict[str, Any]] = mapped_column(info=personal("free_text") | {"extends": "customers.customer"})
    custom: Mapped[dict[str, Any]] = mapped_column(
        Json, server_default="{}", info=personal("free_text", telling=False) | custom_values("customers.customer")
    )
    search: Mapped[str] = mapped_column(info=personal("name"))
    created_at: Mapped[dt.datetime]


class CustomerKey(CustomKey, Base):
    """By what the shop's own fields find a customer."""

    __tablename__ = "customers_customer_key"
    __table_args__ = custom_keys("customers.customer", "customers_customer")

    owner_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("customer", whole=True))
    key: Mapped[str] = mapped_column(SortedText, info=personal("free_text", of="owner_id", telling=False))
