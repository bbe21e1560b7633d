"""By which coupon something was taken off, to be found."""

import sqlalchemy as sa
from alembic import op

revision = "discounts_0003"
down_revision = "discounts_0002"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """By which coupon something was taken off, to be found."""
    where = sa.text("coupon_id IS NOT NULL")
    columns = ["business_id", "coupon_id"]
    op.create_index("ix_discounts_use_coupon", "discounts_use", columns, postgresql_where=where, sqlite_where=where)
