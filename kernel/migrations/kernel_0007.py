"""Roles whose people must have a second factor."""

import sqlalchemy as sa
from alembic import op

revision = "kernel_0007"
down_revision = "kernel_0006"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Roles whose people must have a second factor."""
    op.add_column(
        "kernel_role", sa.Column("needs_second_factor", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
