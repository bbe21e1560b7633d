"""The moves of a product by an index, in the order in which they are listed."""

from alembic import op

revision = "inventory_0002"
down_revision = "inventory_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The moves of a product by an index in the order of the list; the one it stands in for goes."""
    op.create_index("ix_inventory_move_product", "inventory_move", ["business_id", "product_id", "id"], unique=False)
    op.drop_index("ix_inventory_move_stock", table_name="inventory_move")
