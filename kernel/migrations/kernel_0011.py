"""Plugins whose answers to a hook failed, and those tripped by it."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "kernel_0011"
down_revision = "kernel_0010"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Plugins whose answers to a hook failed, and those tripped by it."""
    op.create_table(
        "kernel_trip",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("strikes", sa.BigInteger(), nullable=False),
        sa.Column("first_strike_at", Moment, nullable=False),
        sa.Column("last_strike_at", Moment, nullable=False),
        sa.Column("tripped_at", Moment, nullable=True),
        sa.Column("reset_at", Moment, nullable=True),
        sa.Column("reset_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("business_id", "plugin", "hook", name=op.f("pk_kernel_trip")),
    )
    tenant_table("kernel_trip")
