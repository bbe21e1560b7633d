"""The neighbour's table."""

import sqlalchemy as sa
from alembic import op

from kernel.migrate import tenant_table

revision = "probe_shelf_extra_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The neighbour's table."""
    op.create_table(
        "probe_shelf_extra_slip",
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_probe_shelf_extra_slip")),
    )
    tenant_table("probe_shelf_extra_slip")
