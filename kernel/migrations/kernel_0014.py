"""When the strikes were that may still trip a plugin, so that all processes count together."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json

revision = "kernel_0014"
down_revision = "kernel_0013"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """When the strikes were that may still trip a plugin."""
    op.add_column("kernel_trip", sa.Column("recent", Json, server_default="[]", nullable=False))
