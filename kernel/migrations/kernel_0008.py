"""The version of what a business has configured."""

import sqlalchemy as sa
from alembic import op

revision = "kernel_0008"
down_revision = "kernel_0007"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The version of what a business has configured."""
    op.add_column("kernel_business", sa.Column("configuration", sa.BigInteger(), server_default="1", nullable=False))
