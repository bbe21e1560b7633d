"""Payments, their facts and refunds."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "payments_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Payments, their facts and refunds."""
    op.create_table(
        "payments_attempt",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_number", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tendered", sa.BigInteger(), nullable=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("refundable", sa.BigInteger(), nullable=False),
        sa.Column("merchant_ref", sa.Text(), nullable=True),
        sa.Column("money_key", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("register_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("taken_at", Moment, nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("taken_by_name", sa.Text(), nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("amount >= 0 AND change >= 0 AND captured >= 0", name=op.f("ck_payments_attempt_amounts")),
        sa.CheckConstraint("refundable >= 0 AND refundable <= captured", name=op.f("ck_payments_attempt_refundable")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_attempt")),
    )
    op.create_index("ix_payments_attempt_day", "payments_attempt", ["business_id", "business_date"], unique=False)
    op.create_index("ix_payments_attempt_subject", "payments_attempt", ["business_id", "subject_id"], unique=False)
    op.create_index(
        "uq_payments_attempt_money_key",
        "payments_attempt",
        ["business_id", "gateway", "money_key"],
        unique=True,
        sqlite_where=sa.text("money_key IS NOT NULL"),
        postgresql_where=sa.text("money_key IS NOT NULL"),
    )
    op.create_table(
        "payments_event",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("provider_ids", Json, nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "attempt_id"],
            ["payments_attempt.business_id", "payments_attempt.id"],
            name=op.f("fk_payments_event_business_id_attempt_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_event")),
    )
    op.create_index("ix_payments_event_attempt", "payments_event", ["business_id", "attempt_id"], unique=False)
    op.create_index(
        "uq_payments_event_dedupe_key",
        "payments_event",
        ["business_id", "dedupe_key"],
        unique=True,
        sqlite_where=sa.text("dedupe_key IS NOT NULL"),
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    op.create_table(
        "payments_refund",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_number", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("register_id", sa.Uuid(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_refund_amount")),
        sa.ForeignKeyConstraint(
            ["business_id", "attempt_id"],
            ["payments_attempt.business_id", "payments_attempt.id"],
            name=op.f("fk_payments_refund_business_id_attempt_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_refund")),
    )
    op.create_index("ix_payments_refund_attempt", "payments_refund", ["business_id", "attempt_id"], unique=False)
    op.create_index("ix_payments_refund_day", "payments_refund", ["business_id", "business_date"], unique=False)
    tenant_table("payments_attempt")
    tenant_table("payments_event", append_only=True)
    tenant_table("payments_refund")
