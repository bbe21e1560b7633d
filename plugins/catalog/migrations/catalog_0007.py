"""Prices for a while, and price lists that are based on others."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0007"
down_revision = "catalog_0006"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Prices for a while, and price lists that are based on others."""
    for table in ("catalog_price", "catalog_base_price"):
        op.add_column(table, sa.Column("mark", sa.Text(), nullable=True))
    op.add_column("catalog_price_list", sa.Column("based_on", sa.Text(), nullable=True))
    op.add_column("catalog_price_list", sa.Column("based_on_id", sa.Uuid(), nullable=True))
    op.add_column("catalog_price_list", sa.Column("percent", sa.BigInteger(), nullable=True))
    op.add_column("catalog_price_list", sa.Column("round_to", sa.BigInteger(), nullable=True))
