"""Balances and entries."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "loyalty_0001"
down_revision = None
requires: tuple[str, ...] = ("customers_0001",)


def upgrade() -> None:
    """Balances and entries."""
    op.create_table(
        "loyalty_balance",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "customer_id"],
            ["customers_customer.business_id", "customers_customer.id"],
            name=op.f("fk_loyalty_balance_business_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "customer_id", name=op.f("pk_loyalty_balance")),
    )
    op.create_table(
        "loyalty_entry",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "customer_id"],
            ["customers_customer.business_id", "customers_customer.id"],
            name=op.f("fk_loyalty_entry_business_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_loyalty_entry")),
    )
    op.create_index("ix_loyalty_entry_customer", "loyalty_entry", ["business_id", "customer_id", "id"])
    op.create_index("ix_loyalty_entry_sale", "loyalty_entry", ["business_id", "sale_id"])
    tenant_table("loyalty_balance")
    tenant_table("loyalty_entry", append_only=True)
