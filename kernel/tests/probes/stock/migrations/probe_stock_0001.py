"""The probe's tables."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "probe_stock_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The probe's tables."""
    op.create_table(
        "probe_stock_level",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("on_hand >= 0 OR product = 'free'", name=op.f("ck_probe_stock_level_not_negative")),
        sa.PrimaryKeyConstraint("business_id", "product", "place", name=op.f("pk_probe_stock_level")),
    )
    op.create_table(
        "probe_stock_limit",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "order", name=op.f("pk_probe_stock_limit")),
    )
    op.create_table(
        "probe_stock_move",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_stock_move")),
    )
    op.create_table(
        "probe_stock_paper",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("end", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("told", Json, nullable=True),
        sa.Column("at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_stock_paper")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_probe_stock_paper_business_id_number")),
    )
    op.create_table(
        "probe_stock_line",
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "paper_id"],
            ["probe_stock_paper.business_id", "probe_stock_paper.id"],
            name=op.f("fk_probe_stock_line_business_id_paper_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_stock_line")),
    )
    tenant_table("probe_stock_level")
    tenant_table("probe_stock_limit")
    tenant_table("probe_stock_move", append_only=True)
    tenant_table("probe_stock_paper")
    tenant_table("probe_stock_line")
