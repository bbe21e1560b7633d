"""Erased people."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import tenant_table

revision = "kernel_0006"
down_revision = "kernel_0005"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Erased people."""
    op.create_table(
        "kernel_erased",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("erased_at", Moment, nullable=False),
        sa.Column("erased_by", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_erased")),
        sa.UniqueConstraint(
            "business_id", "kind", "subject_hash", name=op.f("uq_kernel_erased_business_id_kind_subject_hash")
        ),
    )
    tenant_table("kernel_erased", append_only=True)
