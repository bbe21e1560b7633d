"""Registers, sales and held carts."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "sales_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Registers, sales and held carts."""
    op.create_table(
        "sales_held",
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("cart", Json, nullable=False),
        sa.Column("held_at", Moment, nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_sales_held")),
    )
    op.create_table(
        "sales_register",
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_office", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_sales_register")),
        sa.UniqueConstraint("business_id", "code", name=op.f("uq_sales_register_business_id_code")),
    )
    op.create_index(
        "ix_sales_register_business_id_location_id", "sales_register", ["business_id", "location_id"], unique=False
    )
    op.create_table(
        "sales_sale",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("register_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("sold_at", Moment, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("prices_include_tax", sa.Boolean(), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("discount_total", sa.BigInteger(), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=False),
        sa.Column("rounding", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("cashier_id", sa.Uuid(), nullable=True),
        sa.Column("cashier_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ext", Json, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("plugins", Json, nullable=False),
        sa.Column("voided_at", Moment, nullable=True),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_sales_sale")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_sales_sale_business_id_number")),
    )
    op.create_index(
        "ix_sales_sale_business_id_business_date", "sales_sale", ["business_id", "business_date"], unique=False
    )
    op.create_index("ix_sales_sale_business_id_customer_id", "sales_sale", ["business_id", "customer_id"], unique=False)
    op.create_table(
        "sales_line",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("pack", sa.Text(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("base_quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cost_price", sa.BigInteger(), nullable=True),
        sa.Column("track_stock", sa.Boolean(), nullable=False),
        sa.Column("allow_negative_stock", sa.Boolean(), nullable=False),
        sa.Column("taxes", Json, nullable=False),
        sa.Column("steps", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "sale_id"],
            ["sales_sale.business_id", "sales_sale.id"],
            name=op.f("fk_sales_line_business_id_sale_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "sale_id", "line", name=op.f("pk_sales_line")),
    )
    op.create_index("ix_sales_line_business_id_product_id", "sales_line", ["business_id", "product_id"], unique=False)
    tenant_table("sales_held")
    tenant_table("sales_register")
    tenant_table("sales_sale")
    tenant_table("sales_line", append_only=True)
