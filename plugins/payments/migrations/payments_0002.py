"""Gateways: accounts, what was asked of them, what they sent."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import global_table, tenant_table

revision = "payments_0002"
down_revision = "payments_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Gateways: accounts, what was asked of them, what they sent."""
    op.create_table(
        "payments_account",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("locations", Json, nullable=False),
        sa.Column("config", Json, nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("tested_at", Moment, nullable=True),
        sa.Column("tested_as", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_account")),
        sa.UniqueConstraint(
            "business_id", "gateway", "label", name=op.f("uq_payments_account_business_id_gateway_label")
        ),
    )
    op.create_table(
        "payments_region",
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("canary_percent", sa.BigInteger(), nullable=True),
        sa.Column("canary_since", Moment, nullable=True),
        sa.Column("rolled_back_at", Moment, nullable=True),
        sa.Column("rolled_back_why", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("changed_by_name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("canary_percent BETWEEN 1 AND 100", name=op.f("ck_payments_region_canary")),
        sa.CheckConstraint("least IS NULL OR most IS NULL OR most >= least", name=op.f("ck_payments_region_amounts")),
        sa.PrimaryKeyConstraint("region", "gateway", "mode", name=op.f("pk_payments_region")),
    )
    op.create_table(
        "payments_health",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("failed_in_a_row", sa.BigInteger(), nullable=False),
        sa.Column("closed_until", Moment, nullable=True),
        sa.Column("closings", sa.BigInteger(), nullable=False),
        sa.Column("last_well_at", Moment, nullable=True),
        sa.Column("last_failed_at", Moment, nullable=True),
        sa.Column("last_fault", Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["business_id", "account_id"],
            ["payments_account.business_id", "payments_account.id"],
            name=op.f("fk_payments_health_business_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "account_id", "kind", name=op.f("pk_payments_health")),
    )
    op.create_table(
        "payments_token",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("lapses_at", Moment, nullable=True),
        sa.Column("fetching_until", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["business_id", "account_id"],
            ["payments_account.business_id", "payments_account.id"],
            name=op.f("fk_payments_token_business_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "account_id", name=op.f("pk_payments_token")),
    )
    op.create_table(
        "payments_money",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("money_key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("payer", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("provider_ids", Json, nullable=True),
        sa.Column("paid_at", Moment, nullable=True),
        sa.Column("known_at", Moment, nullable=False),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", Moment, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_money_amount")),
        sa.ForeignKeyConstraint(
            ["business_id", "account_id"],
            ["payments_account.business_id", "payments_account.id"],
            name=op.f("fk_payments_money_business_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "attempt_id"],
            ["payments_attempt.business_id", "payments_attempt.id"],
            name=op.f("fk_payments_money_business_id_attempt_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_money")),
        sa.UniqueConstraint(
            "business_id", "account_id", "money_key", name=op.f("uq_payments_money_business_id_account_id_money_key")
        ),
    )
    op.create_index("ix_payments_money_attempt", "payments_money", ["business_id", "attempt_id"], unique=False)
    op.create_index(
        "ix_payments_money_unclaimed",
        "payments_money",
        ["business_id", "id"],
        unique=False,
        sqlite_where=sa.text("attempt_id IS NULL"),
        postgresql_where=sa.text("attempt_id IS NULL"),
    )
    op.create_table(
        "payments_notice",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("http_method", sa.Text(), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("query", Json, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "account_id"],
            ["payments_account.business_id", "payments_account.id"],
            name=op.f("fk_payments_notice_business_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "attempt_id"],
            ["payments_attempt.business_id", "payments_attempt.id"],
            name=op.f("fk_payments_notice_business_id_attempt_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_notice")),
    )
    op.create_index("ix_payments_notice_at", "payments_notice", ["business_id", "at"], unique=False)
    op.create_index("ix_payments_notice_attempt", "payments_notice", ["business_id", "attempt_id"], unique=False)
    op.create_table(
        "payments_operation",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("sent_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("fault", Json, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "attempt_id"],
            ["payments_attempt.business_id", "payments_attempt.id"],
            name=op.f("fk_payments_operation_business_id_attempt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "refund_id"],
            ["payments_refund.business_id", "payments_refund.id"],
            name=op.f("fk_payments_operation_business_id_refund_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_operation")),
    )
    op.create_index("ix_payments_operation_attempt", "payments_operation", ["business_id", "attempt_id"], unique=False)
    op.create_table(
        "payments_review",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("money_id", sa.Uuid(), nullable=True),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", Moment, nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("resolved_at", Moment, nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_by_name", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "attempt_id"],
            ["payments_attempt.business_id", "payments_attempt.id"],
            name=op.f("fk_payments_review_business_id_attempt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "money_id"],
            ["payments_money.business_id", "payments_money.id"],
            name=op.f("fk_payments_review_business_id_money_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "notice_id"],
            ["payments_notice.business_id", "payments_notice.id"],
            name=op.f("fk_payments_review_business_id_notice_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_payments_review")),
    )
    op.create_index("ix_payments_review_state", "payments_review", ["business_id", "state", "id"], unique=False)
    op.create_index(
        "uq_payments_review_open",
        "payments_review",
        ["business_id", "kind", "about"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.add_column("payments_attempt", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("payments_attempt", sa.Column("provider_ids", Json, nullable=True))
    op.add_column("payments_attempt", sa.Column("payer_phone", sa.Text(), nullable=True))
    op.add_column("payments_attempt", sa.Column("show", Json, nullable=True))
    op.add_column("payments_attempt", sa.Column("fault", Json, nullable=True))
    op.add_column("payments_attempt", sa.Column("expires_at", Moment, nullable=True))
    op.add_column("payments_attempt", sa.Column("next_ask_at", Moment, nullable=True))
    op.add_column("payments_attempt", sa.Column("asks", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("payments_attempt", sa.Column("applied", sa.BigInteger(), server_default="0", nullable=False))
    _force(False)
    op.execute("UPDATE payments_attempt SET applied = captured")
    _force(True)
    op.drop_index("uq_payments_attempt_money_key", table_name="payments_attempt")
    op.create_index(
        "ix_payments_attempt_open",
        "payments_attempt",
        ["business_id", "next_ask_at"],
        unique=False,
        sqlite_where=sa.text("next_ask_at IS NOT NULL"),
        postgresql_where=sa.text("next_ask_at IS NOT NULL"),
    )
    op.drop_column("payments_attempt", "money_key")
    op.add_column("payments_event", sa.Column("money_key", sa.Text(), nullable=True))
    op.add_column("payments_event", sa.Column("fee", sa.BigInteger(), nullable=True))
    op.add_column("payments_event", sa.Column("refund_id", sa.Uuid(), nullable=True))
    op.add_column("payments_event", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("payments_event", sa.Column("words", sa.Text(), nullable=True))
    op.drop_index("uq_payments_event_dedupe_key", table_name="payments_event")
    op.create_index(
        "uq_payments_event_said",
        "payments_event",
        ["business_id", "attempt_id", "source", "dedupe_key"],
        unique=True,
        sqlite_where=sa.text("dedupe_key IS NOT NULL"),
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    op.add_column("payments_refund", sa.Column("provider_ids", Json, nullable=True))
    op.add_column("payments_refund", sa.Column("fault", Json, nullable=True))
    tenant_table("payments_account")
    global_table("payments_region")
    tenant_table("payments_health")
    tenant_table("payments_token")
    tenant_table("payments_money")
    tenant_table("payments_notice")
    tenant_table("payments_operation")
    tenant_table("payments_review")


def _force(on: bool) -> None:
    """Whether the owner of the table, too, sees the rows of one business only: a migration is done for all."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE payments_attempt {'' if on else 'NO '}FORCE ROW LEVEL SECURITY")
