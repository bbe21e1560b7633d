"""Price lists, planned prices and the history of prices."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "catalog_0004"
down_revision = "catalog_0003"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Price lists, planned prices and the history of prices."""
    op.create_table(
        "catalog_price_list",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("prices_include_tax", sa.Boolean(), nullable=False),
        sa.Column("starts_at", Moment, nullable=True),
        sa.Column("ends_at", Moment, nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(scope = 'customer') = (customer_id IS NOT NULL)", name=op.f("ck_catalog_price_list_customer")
        ),
        sa.CheckConstraint("(scope = 'group') = (group_id IS NOT NULL)", name=op.f("ck_catalog_price_list_group")),
        sa.CheckConstraint(
            "(scope = 'location') = (location_id IS NOT NULL)", name=op.f("ck_catalog_price_list_location")
        ),
        sa.CheckConstraint(
            "ends_at IS NULL OR starts_at IS NULL OR ends_at > starts_at", name=op.f("ck_catalog_price_list_span")
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_price_list")),
        sa.UniqueConstraint("business_id", "name", name=op.f("uq_catalog_price_list_business_id_name")),
    )
    op.create_table(
        "catalog_price",
        sa.Column("list_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=True),
        sa.Column("min_quantity", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_catalog_price_span")),
        sa.CheckConstraint("price >= 0 AND min_quantity >= 0", name=op.f("ck_catalog_price_figures")),
        sa.ForeignKeyConstraint(
            ["business_id", "list_id"],
            ["catalog_price_list.business_id", "catalog_price_list.id"],
            name=op.f("fk_catalog_price_business_id_list_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "pack_id"],
            ["catalog_pack.business_id", "catalog_pack.id"],
            name=op.f("fk_catalog_price_business_id_pack_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_price_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_price")),
    )
    op.create_index("ix_catalog_price_list", "catalog_price", ["business_id", "list_id", "id"], unique=False)
    op.create_index(
        "ix_catalog_price_product", "catalog_price", ["business_id", "product_id", "list_id", "starts_at"], unique=False
    )
    op.create_table(
        "catalog_base_price",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "price >= 0 AND (price IS NOT NULL OR channel = 'wholesale')", name=op.f("ck_catalog_base_price_figures")
        ),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_catalog_base_price_span")),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_base_price_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_base_price")),
        sa.UniqueConstraint(
            "business_id",
            "product_id",
            "channel",
            "starts_at",
            name=op.f("uq_catalog_base_price_business_id_product_id_channel_starts_at"),
        ),
    )
    op.add_column("catalog_import", sa.Column("list_id", sa.Uuid(), nullable=True))
    tenant_table("catalog_price_list")
    tenant_table("catalog_price")
    tenant_table("catalog_base_price")
