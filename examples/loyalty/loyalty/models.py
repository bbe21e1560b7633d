"""Balances, and the book of what changed them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned, owned_key
from kernel.db.personal import names, personal
from kernel.db.sides import SideRow, side_of
from kernel.work import Tally


class Balance(Base):
    """A customer's points; below zero where a sale was taken back after its points were spent."""

    __tablename__ = "loyalty_balance"
    __table_args__ = (owned_key("customer_id", "customers_customer"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("customer", whole=True))
    points: Mapped[int]


class Entry(Owned, Base):
    """A change of a balance: `earned`, `spent`, `expired`, or one of these given back by a void. Never edited."""

    __tablename__ = "loyalty_entry"
    __table_args__ = (
        owned_key("customer_id", "customers_customer"),
        sa.Index("ix_loyalty_entry_customer", "business_id", "customer_id", "id"),
        sa.Index("ix_loyalty_entry_sale", "business_id", "sale_id"),
        {"info": {"append_only": True}},
    )

    customer_id: Mapped[uuid.UUID] = mapped_column(info=names("customer", whole=True))
    kind: Mapped[str]
    points: Mapped[int]
    sale_id: Mapped[uuid.UUID | None]
    at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]


class Card(SideRow, Base):
    """The card a customer carries: it travels in their `ext.loyalty`. Two customers never carry the same."""

    __tablename__ = "loyalty_card"
    __table_args__ = side_of(
        "customers.customer", "customers_customer", sa.UniqueConstraint("business_id", "card"), plugin="loyalty"
    )

    owner_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, info=names("customer", whole=True))
    card: Mapped[str | None] = mapped_column(info=personal("contact", of="owner_id"))


POINTS: Final = Tally(Base.metadata.tables["loyalty_balance"], ("customer_id",), "points", "t.points", 30)
