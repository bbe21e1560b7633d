"""How people have arranged their dashboards."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "console_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    op.create_table(
        "console_arrangement",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("cards", Json, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "user_id", name=op.f("pk_console_arrangement")),
    )
    tenant_table("console_arrangement")
