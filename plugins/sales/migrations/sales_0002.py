"""Sales that wait for money: their order number and day, and until when they wait."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment

revision = "sales_0002"
down_revision = "sales_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Sales that wait for money: their order number and day, and until when they wait."""
    op.add_column("sales_sale", sa.Column("order_number", sa.Text(), nullable=True))
    op.add_column("sales_sale", sa.Column("order_date", sa.Date(), nullable=True))
    op.add_column("sales_sale", sa.Column("expires_at", Moment, nullable=True))
