"""Payments, the facts known about them, and the money given back."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Json, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, kept, names
from kernel.work import Tally

_BOOKED = "money that was taken or given back is proved by it, to the tax office and to the provider"


class Attempt(Owned, Versioned, Base):
    """One try to take money for a subject (kind, id) of another plugin. Amounts in minor units.

    `captured` and `state` are projections of its events. `refundable` is what may still be given back: captured, less
    every refund that is done or under way; it changes by declared amounts only (`REFUNDABLE`). `applied` is what of the
    captured its document took. A payment by a gateway belongs to an account of the business there; `next_ask_at` is
    when the provider is asked about it next, empty once there is nothing more to ask; `asked_at` when it was last
    asked, and `asks` how often. `merchant_ref` is what it is called there, from when it is sent.
    """

    __tablename__ = "payments_attempt"
    __table_args__ = (
        sa.Index("ix_payments_attempt_subject", "business_id", "subject_id"),
        sa.Index("ix_payments_attempt_day", "business_id", "business_date"),
        sa.Index(
            "ix_payments_attempt_open",
            "business_id",
            "next_ask_at",
            sqlite_where=sa.text("next_ask_at IS NOT NULL"),
            postgresql_where=sa.text("next_ask_at IS NOT NULL"),
        ),
        sa.Index(
            "uq_payments_attempt_reference",
            "business_id",
            "account_id",
            "merchant_ref",
            unique=True,
            sqlite_where=sa.text("merchant_ref IS NOT NULL"),
            postgresql_where=sa.text("merchant_ref IS NOT NULL"),
        ),
        sa.CheckConstraint("amount >= 0 AND change >= 0 AND captured >= 0", name="amounts"),
        sa.CheckConstraint("refundable >= 0 AND refundable <= captured", name="refundable"),
    )

    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    subject_number: Mapped[str]
    method: Mapped[str]
    kind: Mapped[str]
    gateway: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    mode: Mapped[str]
    direction: Mapped[str]
    amount: Mapped[int]
    tendered: Mapped[int | None]
    change: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    captured: Mapped[int]
    refundable: Mapped[int]
    merchant_ref: Mapped[str | None] = mapped_column(info=impersonal("our own reference"))
    account_id: Mapped[uuid.UUID | None]
    provider_ids: Mapped[dict[str, Any] | None] = mapped_column(
        Json, info=impersonal("the provider's ids; a payer's name or phone has no place here")
    )
    payer_phone: Mapped[str | None] = mapped_column(info=kept("contact", _BOOKED, of="customer_id"))
    show: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("what the payer does next"))
    fault: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("why it failed: kind, words, code"))
    expires_at: Mapped[dt.datetime | None]
    next_ask_at: Mapped[dt.datetime | None]
    asks: Mapped[int] = mapped_column(default=0, server_default="0")
    asked_at: Mapped[dt.datetime | None]
    applied: Mapped[int] = mapped_column(default=0, server_default="0")
    reference: Mapped[str | None] = mapped_column(info=kept("behaviour", _BOOKED, of="customer_id"))
    location_id: Mapped[uuid.UUID]
    register_id: Mapped[uuid.UUID | None]
    customer_id: Mapped[uuid.UUID | None] = mapped_column(info=names("customer", whole=True))
    business_date: Mapped[dt.date]
    taken_at: Mapped[dt.datetime]
    taken_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    taken_by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="taken_by"))
    flags: Mapped[list[str]] = mapped_column(info=impersonal("codes"))


class Event(Owned, Base):
    """A fact about a payment, from a person or a provider; never changed. Its id orders it.

    `dedupe_key` names what a provider may say twice, the same whichever way it says it; facts of our own making have
    none. `money_key` is its number of the money itself. `code` and `words` are the provider's own.
    """

    __tablename__ = "payments_event"
    __table_args__ = (
        owned_key("attempt_id", "payments_attempt"),
        sa.Index("ix_payments_event_attempt", "business_id", "attempt_id"),
        sa.Index(
            "uq_payments_event_said",
            "business_id",
            "attempt_id",
            "source",
            "dedupe_key",
            unique=True,
            sqlite_where=sa.text("dedupe_key IS NOT NULL"),
            postgresql_where=sa.text("dedupe_key IS NOT NULL"),
        ),
        {"info": {"append_only": True}},
    )

    attempt_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    source: Mapped[str] = mapped_column(info=impersonal("a code"))
    dedupe_key: Mapped[str | None] = mapped_column(info=impersonal("what names the fact at the provider"))
    amount: Mapped[int | None]
    currency: Mapped[str | None]
    money_key: Mapped[str | None] = mapped_column(info=impersonal("the provider's number of the money"))
    fee: Mapped[int | None]
    refund_id: Mapped[uuid.UUID | None]
    code: Mapped[str | None]
    words: Mapped[str | None] = mapped_column(info=impersonal("the provider's words for a code"))
    provider_ids: Mapped[dict[str, Any] | None] = mapped_column(
        Json, info=impersonal("the provider's ids; a payer's name or phone has no place here")
    )
    at: Mapped[dt.datetime]


class Refund(Owned, Base):
    """Money given back for a payment, or about to be: `pending` while its gateway sends it, then `done` or `failed`."""

    __tablename__ = "payments_refund"
    __table_args__ = (
        owned_key("attempt_id", "payments_attempt"),
        sa.Index("ix_payments_refund_attempt", "business_id", "attempt_id"),
        sa.Index("ix_payments_refund_day", "business_id", "business_date"),
        sa.CheckConstraint("amount > 0", name="amount"),
    )

    attempt_id: Mapped[uuid.UUID]
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    subject_number: Mapped[str]
    method: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    provider_ids: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("the provider's ids"))
    fault: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("why it failed: kind, words, code"))
    reason: Mapped[str] = mapped_column(info=kept("free_text", _BOOKED))
    location_id: Mapped[uuid.UUID]
    register_id: Mapped[uuid.UUID | None]
    business_date: Mapped[dt.date]
    at: Mapped[dt.datetime]
    made_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    made_by_name: Mapped[str] = mapped_column(info=kept("name", _BOOKED, of="made_by"))


_table = Attempt.__table__
assert isinstance(_table, sa.Table)  # noqa: S101 - every model of ours is a table
REFUNDABLE: Final = Tally(_table, ("id",), "refundable", "t.refundable", 40)
"""What may still be given back of a payment: each refund takes from it, so that all together never exceed it."""
