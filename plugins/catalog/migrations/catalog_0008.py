"""By what filters of products find few among many."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "catalog_0008"
down_revision = "catalog_0007"
requires: tuple[str, ...] = ()

_UNCODED = (
    "UPDATE catalog_product SET has_barcode = false WHERE NOT EXISTS (SELECT 1 FROM catalog_barcode b"
    " WHERE b.business_id = catalog_product.business_id AND b.product_id = catalog_product.id)"
)


def upgrade() -> None:
    """By what filters of products find few among many.

    Most products have a barcode: they are said to have one without being written, and the others are put right.
    """
    op.add_column("catalog_product", sa.Column("has_barcode", sa.Boolean(), server_default=sa.true(), nullable=False))
    _force(False)
    op.execute(_UNCODED)
    _force(True)
    for name, on_postgres, on_sqlite in (
        ("ix_catalog_product_coded", "has_barcode", "has_barcode = 1"),
        ("ix_catalog_product_uncoded", "NOT has_barcode", "has_barcode = 0"),
    ):
        where: dict[str, Any] = {"postgresql_where": sa.text(on_postgres), "sqlite_where": sa.text(on_sqlite)}
        op.create_index(name, "catalog_product", ["business_id", "id"], unique=False, **where)
    op.create_index("ix_catalog_product_price", "catalog_product", ["business_id", "price", "id"], unique=False)
    op.create_index(
        "ix_catalog_base_price_price", "catalog_base_price", ["business_id", "channel", "price"], unique=False
    )


def _force(on: bool) -> None:
    """The owner of the tables sees the rows of all businesses for that long."""
    if op.get_context().dialect.name == "postgresql":
        for table in ("catalog_product", "catalog_barcode"):
            op.execute(f"ALTER TABLE {table} {'' if on else 'NO '}FORCE ROW LEVEL SECURITY")
