"""Fields of the shop's own on customers."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json
from kernel.db.custom import SortedText
from kernel.migrate import tenant_table

revision = "customers_0002"
down_revision = "customers_0001"
requires: tuple[str, ...] = ("kernel_0013",)


def upgrade() -> None:
    """Fields of the shop's own on customers."""
    op.add_column("customers_customer", sa.Column("custom", Json, server_default="{}", nullable=False))
    op.create_table(
        "customers_customer_key",
        sa.Column("key", SortedText, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("field_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "field_id", "kind"],
            ["kernel_custom_field.business_id", "kernel_custom_field.id", "kernel_custom_field.kind"],
            name=op.f("fk_customers_customer_key_business_id_field_id_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "owner_id"],
            ["customers_customer.business_id", "customers_customer.id"],
            name=op.f("fk_customers_customer_key_business_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "owner_id", "field_id", name=op.f("pk_customers_customer_key")),
    )
    op.create_index(
        "ix_customers_customer_key_business_id_field_id_key_owner_id",
        "customers_customer_key",
        ["business_id", "field_id", "key", "owner_id"],
    )
    tenant_table("customers_customer_key")
