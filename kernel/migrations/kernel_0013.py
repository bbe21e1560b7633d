"""Fields of a business's own."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Flag, Json, Moment
from kernel.migrate import tenant_table

revision = "kernel_0013"
down_revision = "kernel_0012"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Fields of a business's own."""
    op.create_table(
        "kernel_custom_field",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_required", Flag, nullable=False),
        sa.Column("choices", Json, nullable=False),
        sa.Column("refers_to", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("is_archived", Flag, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_custom_field")),
        sa.UniqueConstraint("business_id", "entity", "key", name=op.f("uq_kernel_custom_field_business_id_entity_key")),
        sa.UniqueConstraint("business_id", "id", "kind", name=op.f("uq_kernel_custom_field_business_id_id_kind")),
    )
    tenant_table("kernel_custom_field")
