"""Fields of the shop's own on sales, and the version by which they are changed."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json
from kernel.db.custom import SortedText
from kernel.migrate import tenant_table

revision = "sales_0006"
down_revision = "sales_0005"
requires: tuple[str, ...] = ("kernel_0013",)


def upgrade() -> None:
    """Fields of the shop's own on sales."""
    op.add_column("sales_sale", sa.Column("custom", Json, server_default="{}", nullable=False))
    op.add_column("sales_sale", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
    op.create_table(
        "sales_sale_key",
        sa.Column("key", SortedText, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("field_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "field_id", "kind"],
            ["kernel_custom_field.business_id", "kernel_custom_field.id", "kernel_custom_field.kind"],
            name=op.f("fk_sales_sale_key_business_id_field_id_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "owner_id"],
            ["sales_sale.business_id", "sales_sale.id"],
            name=op.f("fk_sales_sale_key_business_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "owner_id", "field_id", name=op.f("pk_sales_sale_key")),
    )
    op.create_index(
        "ix_sales_sale_key_business_id_field_id_key_owner_id",
        "sales_sale_key",
        ["business_id", "field_id", "key", "owner_id"],
    )
    tenant_table("sales_sale_key")
