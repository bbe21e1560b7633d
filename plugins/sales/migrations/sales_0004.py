"""Indexes in the order in which sales are listed."""

import sqlalchemy as sa
from alembic import op

revision = "sales_0004"
down_revision = "sales_0003"
requires: tuple[str, ...] = ()

_WHOLE = {
    "ix_sales_sale_sold": ("sold_at", "id"),
    "ix_sales_sale_day": ("business_date", "sold_at", "id"),
    "ix_sales_sale_location": ("location_id", "sold_at", "id"),
}
_OF_SOME = {
    "ix_sales_sale_customer": (("customer_id", "sold_at", "id"), "customer_id IS NOT NULL"),
    "ix_sales_sale_unusual": (("sold_at", "id"), "status <> 'completed'"),
    "ix_sales_sale_order": (("order_number",), "order_number IS NOT NULL"),
}


def upgrade() -> None:
    """Indexes in the order in which sales are listed; the two that they stand in for go."""
    for name, columns in _WHOLE.items():
        op.create_index(name, "sales_sale", ["business_id", *columns], unique=False)
    for name, (columns, condition) in _OF_SOME.items():
        where = sa.text(condition)
        named = ["business_id", *columns]
        op.create_index(name, "sales_sale", named, unique=False, postgresql_where=where, sqlite_where=where)
    op.drop_index("ix_sales_sale_business_id_business_date", table_name="sales_sale")
    op.drop_index("ix_sales_sale_business_id_customer_id", table_name="sales_sale")
