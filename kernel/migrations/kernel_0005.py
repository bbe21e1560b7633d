"""Limits of roles and members; approvals."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "kernel_0005"
down_revision = "kernel_0004"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Limits of roles and members; approvals."""
    op.add_column("kernel_role", sa.Column("limits", Json, server_default="{}", nullable=False))
    op.add_column("kernel_membership", sa.Column("locations", Json, nullable=True))
    op.create_table(
        "kernel_approval",
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("register_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.Text(), nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_by_name", sa.Text(), nullable=True),
        sa.Column("answered_at", Moment, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("used_at", Moment, nullable=True),
        sa.Column("used_for", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_approval")),
    )
    op.create_index(
        "ix_kernel_approval_business_id_requested_by", "kernel_approval", ["business_id", "requested_by"], unique=False
    )
    tenant_table("kernel_approval")
