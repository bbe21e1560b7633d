"""The day book: one row per document and money event of a business day, never changed; and expenses."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned
from kernel.db.personal import impersonal, kept

_BOOKED = "the day book is a book of account: what was paid to whom, and who noted it, is kept as long as the law says"


class Entry(Owned, Base):
    """One event of a day. Documents have no account and move no money; money events do. Amounts are minor units."""

    __tablename__ = "daybook_entry"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "document_kind", "document_id", "kind"),
        sa.Index("ix_daybook_entry_day", "business_id", "business_date", "at", "id"),
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
    words: Mapped[str] = mapped_column(info=impersonal("what kind of event it was, and its number"))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED))


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
    category: Mapped[str] = mapped_column(info=impersonal("a kind of expense"))
    payee: Mapped[str] = mapped_column(info=kept("name", _BOOKED))
    note: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED))
    reverses_id: Mapped[uuid.UUID | None]
