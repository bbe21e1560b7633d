"""Cards in a table of their own, no two alike."""

import sqlalchemy as sa
from alembic import op

from kernel.migrate import tenant_table

revision = "loyalty_0002"
down_revision = "loyalty_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Cards in a table of their own, no two alike. What stands in customers' `ext` is shown until it is given anew."""
    op.create_table(
        "loyalty_card",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["business_id", "owner_id"],
            ["customers_customer.business_id", "customers_customer.id"],
            name=op.f("fk_loyalty_card_business_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "owner_id", name=op.f("pk_loyalty_card")),
        sa.UniqueConstraint("business_id", "card", name=op.f("uq_loyalty_card_business_id_card")),
    )
    tenant_table("loyalty_card")
