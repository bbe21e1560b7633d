"""Promotions and their uses."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "discounts_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Promotions and their uses."""
    op.create_table(
        "discounts_promotion",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("activated_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(target = 'category') = (category_id IS NOT NULL)", name=op.f("ck_discounts_promotion_category")
        ),
        sa.CheckConstraint(
            "(target = 'product') = (product_id IS NOT NULL)", name=op.f("ck_discounts_promotion_product")
        ),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_discounts_promotion_span")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_discounts_promotion_value")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_discounts_promotion")),
        sa.UniqueConstraint("business_id", "name", name=op.f("uq_discounts_promotion_business_id_name")),
    )
    op.create_index(
        "ix_discounts_promotion_category", "discounts_promotion", ["business_id", "state", "category_id"], unique=False
    )
    op.create_index(
        "ix_discounts_promotion_product", "discounts_promotion", ["business_id", "state", "product_id"], unique=False
    )
    op.create_table(
        "discounts_use",
        sa.Column("promotion_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "promotion_id"],
            ["discounts_promotion.business_id", "discounts_promotion.id"],
            name=op.f("fk_discounts_use_business_id_promotion_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_discounts_use")),
    )
    op.create_index("ix_discounts_use_promotion", "discounts_use", ["business_id", "promotion_id"], unique=False)
    op.create_index("ix_discounts_use_sale", "discounts_use", ["business_id", "sale_id"], unique=False)
    tenant_table("discounts_promotion")
    tenant_table("discounts_use", append_only=True)
