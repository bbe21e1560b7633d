"""What happens at a till without a sale."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "sales_0003"
down_revision = "sales_0002"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """What happens at a till without a sale."""
    op.create_table(
        "sales_till_event",
        sa.Column("register_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "register_id"],
            ["sales_register.business_id", "sales_register.id"],
            name=op.f("fk_sales_till_event_business_id_register_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_sales_till_event")),
    )
    op.create_index(
        "ix_sales_till_event_business_id_register_id",
        "sales_till_event",
        ["business_id", "register_id", "at"],
        unique=False,
    )
    tenant_table("sales_till_event", append_only=True)
