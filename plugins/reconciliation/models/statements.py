"""Who states money, what they state, and which of our payments, refunds and deposits it is."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Json, Owned, Versioned, owned_key
from kernel.db.personal import carries, impersonal, kept

PROOF = "what a provider or bank stated of money is its proof in the books, kept as long as the law says"


class Source(Owned, Versioned, Base):
    """Who states money: an account at a gateway, a bank account, a card terminal.

    account_id: the account at a gateway whose money it states; the source of such an account has its id. methods: codes
    of the ways of paying that it states otherwise. is_bank: a bank account, on which payouts and deposits of cash
    arrive. zone: by whose clock its days run. grace_days: so long after a day its payments may be missing. layout: how
    its files are read. fetched_until: up to when it was fetched last; last_fault: why that failed since.
    """

    __tablename__ = "reconciliation_source"
    __table_args__ = (sa.UniqueConstraint("business_id", "name"),)

    name: Mapped[str] = mapped_column(info=impersonal("what the business calls it"))
    account_id: Mapped[uuid.UUID | None]
    location_id: Mapped[uuid.UUID | None]
    methods: Mapped[list[str]] = mapped_column(info=impersonal("codes"))
    is_bank: Mapped[bool]
    is_on: Mapped[bool]
    zone: Mapped[str]
    grace_days: Mapped[int]
    layout: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("names of columns"))
    created_at: Mapped[dt.datetime]
    fetched_at: Mapped[dt.datetime | None]
    fetched_until: Mapped[dt.datetime | None]
    last_fault: Mapped[str | None] = mapped_column(info=impersonal("why a provider gave no statement"))


class StatedDay(Base):
    """A day that a source has stated whole. checked_at: when it was asked which of our payments it lacks."""

    __tablename__ = "reconciliation_day"
    __table_args__ = (owned_key("source_id", "reconciliation_source"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    stated_at: Mapped[dt.datetime]
    checked_at: Mapped[dt.datetime | None]


class Line(Owned, Base):
    """A line of a statement, once, however often it was stated. Amounts are minor units, signed as StatementLine.

    What was stated first stays; fee, tax and settlement are added when they are stated later. is_restated: it was
    stated again with another amount. is_sound: net is gross less fee and tax. outcome: what it came to, `new` until it
    was looked at. day: by the clock of its source.
    """

    __tablename__ = "reconciliation_line"
    __table_args__ = (
        owned_key("source_id", "reconciliation_source"),
        sa.UniqueConstraint("business_id", "source_id", "line_key"),
        sa.Index("ix_reconciliation_line_outcome", "business_id", "source_id", "outcome", "id"),
        sa.Index("ix_reconciliation_line_money", "business_id", "source_id", "money_key"),
        sa.Index("ix_reconciliation_line_day", "business_id", "source_id", "day"),
        sa.Index("ix_reconciliation_line_settlement", "business_id", "source_id", "settlement_id"),
    )

    source_id: Mapped[uuid.UUID]
    line_key: Mapped[str] = mapped_column(info=impersonal("the provider's number of the line"))
    kind: Mapped[str]
    gross: Mapped[int]
    fee: Mapped[int | None]
    tax: Mapped[int | None]
    net: Mapped[int]
    is_sound: Mapped[bool]
    currency: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    day: Mapped[dt.date]
    money_key: Mapped[str | None] = mapped_column(info=impersonal("the provider's number of the money"))
    merchant_ref: Mapped[str | None] = mapped_column(info=kept("free_text", PROOF))
    payer: Mapped[str | None] = mapped_column(info=kept("contact", PROOF))
    refund_id: Mapped[uuid.UUID | None]
    ids: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("what the provider calls it"))
    own_id: Mapped[str | None] = mapped_column(info=impersonal("the first of them"))
    settlement_id: Mapped[str | None] = mapped_column(info=impersonal("the provider's number of a payout"))
    settlement_ref: Mapped[str | None] = mapped_column(info=impersonal("the bank's number of a payout"))
    said_at: Mapped[str] = mapped_column(info=impersonal("a time"))
    words: Mapped[str] = mapped_column(info=kept("free_text", PROOF))
    seen_at: Mapped[dt.datetime]
    is_restated: Mapped[bool]
    outcome: Mapped[str] = mapped_column(info=impersonal("a code"))


class Match(Base):
    """That a line is a payment, a refund, a deposit or a payout to the bank of ours: each at most once.

    difference: gross less what we say, in minor units. matched_by: what showed it.
    """

    __tablename__ = "reconciliation_match"
    __table_args__ = (
        owned_key("line_id", "reconciliation_line"),
        sa.UniqueConstraint("business_id", "subject_kind", "subject_id"),
    )

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    matched_by: Mapped[str] = mapped_column(info=impersonal("a code"))
    difference: Mapped[int]
    matched_at: Mapped[dt.datetime]


class Import(Owned, Base):
    """A statement as a file on its way in: checked, then applied part by part. layout: as it was read."""

    __tablename__ = "reconciliation_import"
    __table_args__ = (owned_key("source_id", "reconciliation_source"),)

    source_id: Mapped[uuid.UUID]
    state: Mapped[str]
    digest: Mapped[str] = mapped_column(info=impersonal("of the file"))
    layout: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("names of columns"))
    rows: Mapped[int]
    parts: Mapped[int]
    next_part: Mapped[int]
    preview: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("counts and sums"))
    result: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("counts"))
    errors: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("rows and what is wrong"))
    first_day: Mapped[dt.date | None]
    last_day: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class ImportPart(Base):
    """Some lines of a file that passed the check: a deed's worth. Gone once they are applied."""

    __tablename__ = "reconciliation_import_part"
    __table_args__ = (owned_key("import_id", "reconciliation_import"),)

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    import_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[dict[str, Any]] = mapped_column(Json, info=carries("lines of a statement"))
