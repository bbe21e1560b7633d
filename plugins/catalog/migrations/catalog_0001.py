"""Products, categories, brands, packs, barcodes."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "catalog_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Products, categories, brands, packs, barcodes."""
    op.create_table(
        "catalog_brand",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_brand")),
        sa.UniqueConstraint("business_id", "name", name=op.f("uq_catalog_brand_business_id_name")),
    )
    op.create_table(
        "catalog_category",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "parent_id"],
            ["catalog_category.business_id", "catalog_category.id"],
            name=op.f("fk_catalog_category_business_id_parent_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_category")),
    )
    op.create_table(
        "catalog_product",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("wholesale_price", sa.BigInteger(), nullable=True),
        sa.Column("cost_price", sa.BigInteger(), nullable=True),
        sa.Column("mrp", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("tax_class_id", sa.Uuid(), nullable=True),
        sa.Column("hsn_code", sa.Text(), nullable=True),
        sa.Column("min_stock", sa.BigInteger(), nullable=True),
        sa.Column("track_stock", sa.Boolean(), nullable=False),
        sa.Column("allow_negative_stock", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("ext", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "brand_id"],
            ["catalog_brand.business_id", "catalog_brand.id"],
            name=op.f("fk_catalog_product_business_id_brand_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "category_id"],
            ["catalog_category.business_id", "catalog_category.id"],
            name=op.f("fk_catalog_product_business_id_category_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_product")),
        sa.UniqueConstraint("business_id", "sku", name=op.f("uq_catalog_product_business_id_sku")),
    )
    op.create_index("ix_catalog_product_category", "catalog_product", ["business_id", "category_id"], unique=False)
    op.create_index("ix_catalog_product_name", "catalog_product", ["business_id", "name", "id"], unique=False)
    op.create_table(
        "catalog_pack",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("factor", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("factor > 0", name=op.f("ck_catalog_pack_factor")),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_pack_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_pack")),
        sa.UniqueConstraint(
            "business_id", "product_id", "name", name=op.f("uq_catalog_pack_business_id_product_id_name")
        ),
    )
    op.create_table(
        "catalog_barcode",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=True),
        sa.Column("mrp", sa.BigInteger(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "pack_id"],
            ["catalog_pack.business_id", "catalog_pack.id"],
            name=op.f("fk_catalog_barcode_business_id_pack_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_barcode_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_barcode")),
        sa.UniqueConstraint("business_id", "code", name=op.f("uq_catalog_barcode_business_id_code")),
    )
    op.create_index("ix_catalog_barcode_product", "catalog_barcode", ["business_id", "product_id"], unique=False)
    tenant_table("catalog_brand")
    tenant_table("catalog_category")
    tenant_table("catalog_product")
    tenant_table("catalog_pack")
    tenant_table("catalog_barcode")
