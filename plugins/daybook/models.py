"""The day book: one row per document and money event of a business day, never changed; and expenses."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from kernel.db import Base, Owned


class Entry(Owned, Base):
    """One event of a day. Documents have no account and move no money; money events do. Amounts are minor units."""

    __tablename__ = "daybook_entry"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "document_kind", "document_id", "kind"),
        sa.Index("ix_daybook_entry_business_id_business_date", "business_id", "business_date"),
        {"info": {"append_only": True}},
    )

    business_date: Mapped[dt.date]
    at: Mapped[dt.datetime]
    location_id: Mapped[uuid.UUID]
    register_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    document_kind: Mapped[str]
    document_id: Mapped[uuid.UUID]
    document_number: Mapped[str]
    account: Mapped[str | None]
    direction: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    words: Mapped[str]
    by_name: Mapped[str]


class Expense(Owned, Base):
    """Money paid out for something other than a refund. Corrected by its reversal."""

    __tablename__ = "daybook_expense"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "number"),
        sa.UniqueConstraint("business_id", "reverses_id"),
        {"info": {"append_only": True}},
    )

    number: Mapped[str]
    business_date: Mapped[dt.date]
    at: Mapped[dt.datetime]
    location_id: Mapped[uuid.UUID]
    method: Mapped[str]
    amount: Mapped[int]
    category: Mapped[str]
    payee: Mapped[str]
    note: Mapped[str]
    by_name: Mapped[str]
    reverses_id: Mapped[uuid.UUID | None]
