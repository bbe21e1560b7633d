"""Notes have a weight."""

import sqlalchemy as sa
from alembic import op

revision = "probe_shelf_0002"
down_revision = "probe_shelf_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Notes have a weight."""
    op.add_column("probe_shelf_note", sa.Column("weight", sa.BigInteger(), server_default="1", nullable=False))
