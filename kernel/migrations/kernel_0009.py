"""The version of what a business has set for a plugin."""

import sqlalchemy as sa
from alembic import op

revision = "kernel_0009"
down_revision = "kernel_0008"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The version of what a business has set for a plugin."""
    op.add_column(
        "kernel_business_plugin", sa.Column("settings_version", sa.BigInteger(), server_default="0", nullable=False)
    )
