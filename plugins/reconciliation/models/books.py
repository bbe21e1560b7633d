"""What does not agree, what was decided about it, what that comes to in the books; and cash taken to the bank."""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, kept, names
from plugins.reconciliation.models.statements import PROOF


class Difference(Owned, Versioned, Base):
    """Something on which books and statement do not agree; of one kind about one thing there is one.

    about: the line, or the payment that no line states. amount: what the statement says less what we say, in minor
    units. state: `open`; `resolved` by a person, or `cleared` by what was stated later. times: how often it was
    resolved, once more after each reversal.
    """

    __tablename__ = "reconciliation_difference"
    __table_args__ = (
        owned_key("source_id", "reconciliation_source"),
        owned_key("line_id", "reconciliation_line"),
        sa.UniqueConstraint("business_id", "about", "kind"),
        sa.Index("ix_reconciliation_difference_state", "business_id", "state", "id"),
        sa.Index("ix_reconciliation_difference_day", "business_id", "source_id", "day"),
    )

    source_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    about: Mapped[uuid.UUID]
    line_id: Mapped[uuid.UUID | None]
    payment_id: Mapped[uuid.UUID | None]
    location_id: Mapped[uuid.UUID | None]
    day: Mapped[dt.date]
    amount: Mapped[int]
    currency: Mapped[str]
    words: Mapped[str] = mapped_column(info=impersonal("what does not agree"))
    state: Mapped[str]
    times: Mapped[int]
    opened_at: Mapped[dt.datetime]
    resolution: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    note: Mapped[str | None] = mapped_column(info=kept("free_text", PROOF))
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    resolved_by_name: Mapped[str | None] = mapped_column(info=kept("name", PROOF, of="resolved_by"))


class Posting(Owned, Base):
    """What a resolution comes to in the books: one account debited, one credited. Never changed; reversed.

    nth: which resolution of its difference. amount: minor units, above zero.
    """

    __tablename__ = "reconciliation_posting"
    __table_args__ = (
        owned_key("difference_id", "reconciliation_difference"),
        sa.UniqueConstraint("business_id", "difference_id", "nth", "is_reversal"),
        sa.Index("ix_reconciliation_posting_day", "business_id", "day"),
        sa.CheckConstraint("amount > 0 AND debit <> credit", name="amount"),
        {"info": {"append_only": True}},
    )

    difference_id: Mapped[uuid.UUID]
    nth: Mapped[int]
    is_reversal: Mapped[bool]
    resolution: Mapped[str] = mapped_column(info=impersonal("a code"))
    debit: Mapped[str] = mapped_column(info=impersonal("an account of the books"))
    credit: Mapped[str] = mapped_column(info=impersonal("an account of the books"))
    amount: Mapped[int]
    currency: Mapped[str]
    day: Mapped[dt.date]
    at: Mapped[dt.datetime]
    note: Mapped[str] = mapped_column(info=kept("free_text", PROOF))
    by_id: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", PROOF, of="by_id"))


class Deposit(Owned, Base):
    """Cash of a business day taken to a bank. Never changed; taken back by its reversal, with the amount below zero."""

    __tablename__ = "reconciliation_deposit"
    __table_args__ = (
        owned_key("source_id", "reconciliation_source"),
        sa.UniqueConstraint("business_id", "reverses_id"),
        sa.Index("ix_reconciliation_deposit_day", "business_id", "business_date"),
        {"info": {"append_only": True}},
    )

    source_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID]
    business_date: Mapped[dt.date]
    amount: Mapped[int]
    currency: Mapped[str]
    reference: Mapped[str] = mapped_column(info=impersonal("the number of a slip"))
    note: Mapped[str] = mapped_column(info=kept("free_text", PROOF))
    at: Mapped[dt.datetime]
    by_id: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    by_name: Mapped[str] = mapped_column(info=kept("name", PROOF, of="by_id"))
    reverses_id: Mapped[uuid.UUID | None]
