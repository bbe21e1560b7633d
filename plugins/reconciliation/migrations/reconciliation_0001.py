"""Statements, what they are held against, and what was decided."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "reconciliation_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Statements, what they are held against, and what was decided."""
    op.create_table(
        "reconciliation_source",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("methods", Json, nullable=False),
        sa.Column("is_bank", sa.Boolean(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("grace_days", sa.BigInteger(), nullable=False),
        sa.Column("layout", Json, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("fetched_at", Moment, nullable=True),
        sa.Column("fetched_until", Moment, nullable=True),
        sa.Column("last_fault", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_reconciliation_source")),
        sa.UniqueConstraint("business_id", "name", name=op.f("uq_reconciliation_source_business_id_name")),
    )
    op.create_table(
        "reconciliation_day",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stated_at", Moment, nullable=False),
        sa.Column("checked_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["business_id", "source_id"],
            ["reconciliation_source.business_id", "reconciliation_source.id"],
            name=op.f("fk_reconciliation_day_business_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "source_id", "day", name=op.f("pk_reconciliation_day")),
    )
    op.create_table(
        "reconciliation_deposit",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "source_id"],
            ["reconciliation_source.business_id", "reconciliation_source.id"],
            name=op.f("fk_reconciliation_deposit_business_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_reconciliation_deposit")),
        sa.UniqueConstraint(
            "business_id", "reverses_id", name=op.f("uq_reconciliation_deposit_business_id_reverses_id")
        ),
    )
    op.create_index(
        "ix_reconciliation_deposit_day", "reconciliation_deposit", ["business_id", "business_date"], unique=False
    )
    op.create_table(
        "reconciliation_import",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("layout", Json, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("next_part", sa.BigInteger(), nullable=False),
        sa.Column("preview", Json, nullable=False),
        sa.Column("result", Json, nullable=False),
        sa.Column("errors", Json, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "source_id"],
            ["reconciliation_source.business_id", "reconciliation_source.id"],
            name=op.f("fk_reconciliation_import_business_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_reconciliation_import")),
    )
    op.create_table(
        "reconciliation_line",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("tax", sa.BigInteger(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("is_sound", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("money_key", sa.Text(), nullable=True),
        sa.Column("merchant_ref", sa.Text(), nullable=True),
        sa.Column("payer", sa.Text(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("ids", Json, nullable=True),
        sa.Column("own_id", sa.Text(), nullable=True),
        sa.Column("settlement_id", sa.Text(), nullable=True),
        sa.Column("settlement_ref", sa.Text(), nullable=True),
        sa.Column("said_at", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("is_restated", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "source_id"],
            ["reconciliation_source.business_id", "reconciliation_source.id"],
            name=op.f("fk_reconciliation_line_business_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_reconciliation_line")),
        sa.UniqueConstraint(
            "business_id", "source_id", "line_key", name=op.f("uq_reconciliation_line_business_id_source_id_line_key")
        ),
    )
    op.create_index(
        "ix_reconciliation_line_day", "reconciliation_line", ["business_id", "source_id", "day"], unique=False
    )
    op.create_index(
        "ix_reconciliation_line_money", "reconciliation_line", ["business_id", "source_id", "money_key"], unique=False
    )
    op.create_index(
        "ix_reconciliation_line_outcome",
        "reconciliation_line",
        ["business_id", "source_id", "outcome", "id"],
        unique=False,
    )
    op.create_index(
        "ix_reconciliation_line_settlement",
        "reconciliation_line",
        ["business_id", "source_id", "settlement_id"],
        unique=False,
    )
    op.create_table(
        "reconciliation_difference",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
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
            ["business_id", "line_id"],
            ["reconciliation_line.business_id", "reconciliation_line.id"],
            name=op.f("fk_reconciliation_difference_business_id_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "source_id"],
            ["reconciliation_source.business_id", "reconciliation_source.id"],
            name=op.f("fk_reconciliation_difference_business_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_reconciliation_difference")),
        sa.UniqueConstraint(
            "business_id", "about", "kind", name=op.f("uq_reconciliation_difference_business_id_about_kind")
        ),
    )
    op.create_index(
        "ix_reconciliation_difference_day",
        "reconciliation_difference",
        ["business_id", "source_id", "day"],
        unique=False,
    )
    op.create_index(
        "ix_reconciliation_difference_state", "reconciliation_difference", ["business_id", "state", "id"], unique=False
    )
    op.create_table(
        "reconciliation_import_part",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rows", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "import_id"],
            ["reconciliation_import.business_id", "reconciliation_import.id"],
            name=op.f("fk_reconciliation_import_part_business_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "import_id", "number", name=op.f("pk_reconciliation_import_part")),
    )
    op.create_table(
        "reconciliation_match",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("matched_by", sa.Text(), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.Column("matched_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "line_id"],
            ["reconciliation_line.business_id", "reconciliation_line.id"],
            name=op.f("fk_reconciliation_match_business_id_line_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "line_id", name=op.f("pk_reconciliation_match")),
        sa.UniqueConstraint(
            "business_id",
            "subject_kind",
            "subject_id",
            name=op.f("uq_reconciliation_match_business_id_subject_kind_subject_id"),
        ),
    )
    op.create_table(
        "reconciliation_posting",
        sa.Column("difference_id", sa.Uuid(), nullable=False),
        sa.Column("nth", sa.BigInteger(), nullable=False),
        sa.Column("is_reversal", sa.Boolean(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0 AND debit <> credit", name=op.f("ck_reconciliation_posting_amount")),
        sa.ForeignKeyConstraint(
            ["business_id", "difference_id"],
            ["reconciliation_difference.business_id", "reconciliation_difference.id"],
            name=op.f("fk_reconciliation_posting_business_id_difference_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_reconciliation_posting")),
        sa.UniqueConstraint(
            "business_id",
            "difference_id",
            "nth",
            "is_reversal",
            name=op.f("uq_reconciliation_posting_business_id_difference_id_nth_is_reversal"),
        ),
    )
    op.create_index("ix_reconciliation_posting_day", "reconciliation_posting", ["business_id", "day"], unique=False)
    tenant_table("reconciliation_source")
    tenant_table("reconciliation_day")
    tenant_table("reconciliation_deposit", append_only=True)
    tenant_table("reconciliation_import")
    tenant_table("reconciliation_line")
    tenant_table("reconciliation_difference")
    tenant_table("reconciliation_import_part")
    tenant_table("reconciliation_match")
    tenant_table("reconciliation_posting", append_only=True)
