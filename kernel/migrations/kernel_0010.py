"""What is known of each audit trail: when it was last sealed and verified."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Moment
from kernel.migrate import global_table

revision = "kernel_0010"
down_revision = "kernel_0009"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """What is known of each audit trail: when it was last sealed and verified."""
    op.create_table(
        "kernel_audit_watch",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_at", Moment, nullable=False),
        sa.Column("looked_at", Moment, nullable=True),
        sa.Column("verified_at", Moment, nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("business_id", name=op.f("pk_kernel_audit_watch")),
    )
    global_table("kernel_audit_watch")
