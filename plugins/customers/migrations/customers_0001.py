"""Customers and their groups."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "customers_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Customers and their groups."""
    op.create_table(
        "customers_group",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_customers_group")),
        sa.UniqueConstraint("business_id", "code", name=op.f("uq_customers_group_business_id_code")),
    )
    op.create_table(
        "customers_customer",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("tax_number", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("subdivision", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("ext", Json, nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "group_id"],
            ["customers_group.business_id", "customers_group.id"],
            name=op.f("fk_customers_customer_business_id_group_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_customers_customer")),
    )
    op.create_index("ix_customers_customer_group", "customers_customer", ["business_id", "group_id"], unique=False)
    op.create_index("ix_customers_customer_name", "customers_customer", ["business_id", "name", "id"], unique=False)
    op.create_index("ix_customers_customer_phone", "customers_customer", ["business_id", "phone"], unique=False)
    tenant_table("customers_group")
    tenant_table("customers_customer")
