"""Views of lists and chosen columns."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "console_0002"
down_revision = "console_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    op.create_table(
        "console_list_choice",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("opens_with", sa.Uuid(), nullable=True),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "user_id", "list_name", name=op.f("pk_console_list_choice")),
    )
    op.create_table(
        "console_view",
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", Json, nullable=False),
        sa.Column("columns", Json, nullable=True),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_console_view")),
    )
    op.create_index("ix_console_view_list", "console_view", ["business_id", "list_name", "made_by"], unique=False)
    tenant_table("console_list_choice")
    tenant_table("console_view")
