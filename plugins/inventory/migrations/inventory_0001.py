"""Levels, moves, receipts and adjustments."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "inventory_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Levels, moves, receipts and adjustments."""
    op.create_table(
        "inventory_adjustment",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_inventory_adjustment")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_inventory_adjustment_business_id_number")),
    )
    op.create_table(
        "inventory_level",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "on_hand BETWEEN -4000000000000000000 AND 4000000000000000000",
            name=op.f("ck_inventory_level_on_hand_in_range"),
        ),
        sa.PrimaryKeyConstraint("business_id", "product_id", "location_id", name=op.f("pk_inventory_level")),
    )
    op.create_index(
        "ix_inventory_level_business_id_location_id", "inventory_level", ["business_id", "location_id"], unique=False
    )
    op.create_table(
        "inventory_move",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document_kind", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=True),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_inventory_move")),
    )
    op.create_index(
        "ix_inventory_move_business_id_document_id", "inventory_move", ["business_id", "document_id"], unique=False
    )
    op.create_index(
        "ix_inventory_move_stock", "inventory_move", ["business_id", "product_id", "location_id", "id"], unique=False
    )
    op.create_index(
        "uq_inventory_move_business_id_reverses_id",
        "inventory_move",
        ["business_id", "reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "inventory_receipt",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_inventory_receipt")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_inventory_receipt_business_id_number")),
    )
    op.create_table(
        "inventory_adjustment_line",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("adjustment_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "adjustment_id"],
            ["inventory_adjustment.business_id", "inventory_adjustment.id"],
            name=op.f("fk_inventory_adjustment_line_business_id_adjustment_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "adjustment_id", "line", name=op.f("pk_inventory_adjustment_line")),
    )
    op.create_table(
        "inventory_receipt_line",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["business_id", "receipt_id"],
            ["inventory_receipt.business_id", "inventory_receipt.id"],
            name=op.f("fk_inventory_receipt_line_business_id_receipt_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "receipt_id", "line", name=op.f("pk_inventory_receipt_line")),
    )
    tenant_table("inventory_adjustment", append_only=True)
    tenant_table("inventory_level")
    tenant_table("inventory_move", append_only=True)
    tenant_table("inventory_receipt", append_only=True)
    tenant_table("inventory_adjustment_line", append_only=True)
    tenant_table("inventory_receipt_line", append_only=True)
