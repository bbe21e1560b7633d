"""The shelf's tables."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import global_table, tenant_table

revision = "probe_shelf_0001"
down_revision = None
requires: tuple[str, ...] = ("probe_stock_0001",)


def upgrade() -> None:
    """The shelf's tables."""
    op.create_table(
        "probe_shelf_paper",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", Moment, nullable=True),
        sa.Column("told", Json, nullable=True),
        sa.Column("stamp", sa.LargeBinary(), nullable=False),
        sa.Column("rate", sa.Numeric(20, 6), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_shelf_paper")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_probe_shelf_paper_business_id_number")),
    )
    op.create_table(
        "probe_shelf_line",
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "paper_id"],
            ["probe_shelf_paper.business_id", "probe_shelf_paper.id"],
            name=op.f("fk_probe_shelf_line_business_id_paper_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_shelf_line")),
    )
    op.create_table(
        "probe_shelf_note",
        sa.Column("above_id", sa.Uuid(), nullable=True),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("words <> ''", name=op.f("ck_probe_shelf_note_words")),
        sa.ForeignKeyConstraint(
            ["business_id", "above_id"],
            ["probe_shelf_note.business_id", "probe_shelf_note.id"],
            name=op.f("fk_probe_shelf_note_business_id_above_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "paper_id"],
            ["probe_shelf_paper.business_id", "probe_shelf_paper.id"],
            name=op.f("fk_probe_shelf_note_business_id_paper_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_shelf_note")),
    )
    op.create_index("ix_probe_shelf_note_words", "probe_shelf_note", ["business_id", "words"])
    op.create_table(
        "probe_shelf_shade",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_probe_shelf_shade")),
    )
    tenant_table("probe_shelf_paper", append_only=True)
    tenant_table("probe_shelf_line", append_only=True)
    tenant_table("probe_shelf_note")
    global_table("probe_shelf_shade")
