"""Accounts at gateways, what was asked of them, what they sent, and what a person must decide."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import CONFIGURATION, Base, Json, Owned, Versioned, owned_key
from kernel.db.personal import impersonal, kept, names

_PROOF = "what a provider said of money is its proof, until the provider can no longer be asked"


class Account(Owned, Versioned, Base):
    """A business's account at a gateway: what it brought, secrets sealed one by one.

    `generation` is part of the path at which the provider leaves word; raising it makes a path that leaked worthless.
    `locations`: where it takes money; none named: everywhere.
    """

    __tablename__ = "payments_account"
    __table_args__ = (
        sa.UniqueConstraint("business_id", "gateway", "label"),
        {"info": CONFIGURATION},
    )

    gateway: Mapped[str] = mapped_column(info=impersonal("a code"))
    label: Mapped[str] = mapped_column(info=impersonal("what the business calls the account"))
    mode: Mapped[str]
    is_on: Mapped[bool]
    position: Mapped[int]
    locations: Mapped[list[str]] = mapped_column(info=impersonal("ids of locations"))
    config: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("the provider's settings", hidden=True))
    generation: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[dt.datetime]
    tested_at: Mapped[dt.datetime | None]
    tested_as: Mapped[str | None] = mapped_column(info=impersonal("what a trial of the account came to"))


class Operation(Owned, Base):
    """One call that may move money: `planned`, `sent` before the call leaves, then `accepted`, `refused` or `unsure`.

    What was sent is never sent again unless the provider takes the same id as the same request.
    """

    __tablename__ = "payments_operation"
    __table_args__ = (
        owned_key("attempt_id", "payments_attempt"),
        owned_key("refund_id", "payments_refund"),
        sa.Index("ix_payments_operation_attempt", "business_id", "attempt_id"),
    )

    attempt_id: Mapped[uuid.UUID]
    refund_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    fault: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("why it failed: kind, words, code"))


class ProviderNotice(Owned, Base):
    """What a provider sent, byte for byte, kept before anything is made of it.

    `state`: `stored`, then `read`; `orphan` if nothing here is known of it; `refused` for a forgery.
    """

    __tablename__ = "payments_notice"
    __table_args__ = (
        owned_key("account_id", "payments_account"),
        owned_key("attempt_id", "payments_attempt"),
        sa.Index("ix_payments_notice_at", "business_id", "at"),
        sa.Index("ix_payments_notice_attempt", "business_id", "attempt_id"),
    )

    gateway: Mapped[str] = mapped_column(info=impersonal("a code"))
    account_id: Mapped[uuid.UUID]
    attempt_id: Mapped[uuid.UUID | None]
    at: Mapped[dt.datetime]
    address: Mapped[str | None] = mapped_column(info=impersonal("the provider's network address"))
    http_method: Mapped[str] = mapped_column(info=impersonal("a code"))
    headers: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("the provider's headers"))
    query: Mapped[dict[str, Any]] = mapped_column(Json, info=impersonal("the provider's query string"))
    body: Mapped[bytes] = mapped_column(sa.LargeBinary(), info=kept("contact", _PROOF) | {"secret": False})
    digest: Mapped[str] = mapped_column(info=impersonal("SHA-256 of the body"))
    trust: Mapped[str] = mapped_column(info=impersonal("a code"))
    state: Mapped[str]
    note: Mapped[str | None] = mapped_column(info=impersonal("what was made of it"))


class Money(Owned, Base):
    """A piece of money that a provider holds for the business, known by the provider's own number.

    It counts for one payment at most: `attempt_id`, once it is claimed. Without one it stands in the tray of incoming
    payments. The same number is the same money, whichever way it became known.
    """

    __tablename__ = "payments_money"
    __table_args__ = (
        owned_key("account_id", "payments_account"),
        owned_key("attempt_id", "payments_attempt"),
        sa.UniqueConstraint("business_id", "account_id", "money_key"),
        sa.Index("ix_payments_money_attempt", "business_id", "attempt_id"),
        sa.Index(
            "ix_payments_money_unclaimed",
            "business_id",
            "id",
            sqlite_where=sa.text("attempt_id IS NULL"),
            postgresql_where=sa.text("attempt_id IS NULL"),
        ),
        sa.CheckConstraint("amount > 0", name="amount"),
    )

    account_id: Mapped[uuid.UUID]
    money_key: Mapped[str] = mapped_column(info=impersonal("the provider's number of the money"))
    amount: Mapped[int]
    currency: Mapped[str]
    fee: Mapped[int | None]
    payer: Mapped[str | None] = mapped_column(info=kept("contact", _PROOF))
    reference: Mapped[str | None] = mapped_column(info=kept("free_text", _PROOF))
    provider_ids: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("the provider's ids"))
    paid_at: Mapped[dt.datetime | None]
    known_at: Mapped[dt.datetime]
    known_by: Mapped[str] = mapped_column(info=impersonal("a code: how it became known"))
    attempt_id: Mapped[uuid.UUID | None]
    claimed_at: Mapped[dt.datetime | None]
    state: Mapped[str]


class Review(Owned, Versioned, Base):
    """Something about money that a person must decide. Of one kind about one thing at most one is open."""

    __tablename__ = "payments_review"
    __table_args__ = (
        owned_key("attempt_id", "payments_attempt"),
        owned_key("money_id", "payments_money"),
        owned_key("notice_id", "payments_notice"),
        sa.Index("ix_payments_review_state", "business_id", "state", "id"),
        sa.Index(
            "uq_payments_review_open",
            "business_id",
            "kind",
            "about",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    kind: Mapped[str]
    about: Mapped[uuid.UUID]
    attempt_id: Mapped[uuid.UUID | None]
    money_id: Mapped[uuid.UUID | None]
    notice_id: Mapped[uuid.UUID | None]
    amount: Mapped[int | None]
    currency: Mapped[str | None]
    words: Mapped[str] = mapped_column(info=impersonal("what is to be decided"))
    state: Mapped[str]
    opened_at: Mapped[dt.datetime]
    resolution: Mapped[str | None] = mapped_column(info=impersonal("a code"))
    note: Mapped[str | None] = mapped_column(info=kept("free_text", _PROOF))
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[uuid.UUID | None] = mapped_column(info=names("user"))
    resolved_by_name: Mapped[str | None] = mapped_column(info=kept("name", _PROOF, of="resolved_by"))


class Health(Base):
    """How an account's gateway fares, by kind of call: shared by all processes, so that one learns from another."""

    __tablename__ = "payments_health"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    failed_in_a_row: Mapped[int]
    closed_until: Mapped[dt.datetime | None]
    closings: Mapped[int]
    last_well_at: Mapped[dt.datetime | None]
    last_failed_at: Mapped[dt.datetime | None]
    last_fault: Mapped[dict[str, Any] | None] = mapped_column(Json, info=impersonal("kind, words, code"))

    __table_args__ = (owned_key("account_id", "payments_account"),)


class SharedToken(Base):
    """A provider's access token, sealed; one for all processes. `fetching_until`: somebody is fetching another."""

    __tablename__ = "payments_token"

    business_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(
        sa.LargeBinary(), info=impersonal("a sealed token of the business's", hidden=True)
    )
    lapses_at: Mapped[dt.datetime | None]
    fetching_until: Mapped[dt.datetime | None]

    __table_args__ = (owned_key("account_id", "payments_account"),)


class RegionGateway(Versioned, Base):
    """Where operators let businesses use a gateway: a region and a mode, amounts, its place in the order of fallback.

    `canary_percent`: on so many of a hundred tills only; None: on all. Above all businesses.
    """

    __tablename__ = "payments_region"
    __table_args__ = (
        sa.CheckConstraint("least IS NULL OR most IS NULL OR most >= least", name="amounts"),
        sa.CheckConstraint("canary_percent BETWEEN 1 AND 100", name="canary"),
        {"info": {"global": True}},
    )

    region: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(primary_key=True, info=impersonal("a code"))
    mode: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str | None]
    is_on: Mapped[bool]
    least: Mapped[int | None]
    most: Mapped[int | None]
    position: Mapped[int]
    canary_percent: Mapped[int | None]
    canary_since: Mapped[dt.datetime | None]
    rolled_back_at: Mapped[dt.datetime | None]
    rolled_back_why: Mapped[str | None] = mapped_column(info=impersonal("a rate of success"))
    changed_at: Mapped[dt.datetime]
    changed_by_name: Mapped[str] = mapped_column(info=impersonal("an operator's name, kept with their switch"))
