"""Tags on products."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json

revision = "catalog_0006"
down_revision = "catalog_0005"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Tags on products."""
    op.add_column("catalog_product", sa.Column("tags", Json, server_default="[]", nullable=False))
