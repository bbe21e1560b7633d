"""Tax classes and rates."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json
from kernel.migrate import tenant_table

revision = "taxes_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Tax classes and rates."""
    op.create_table(
        "taxes_class",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_taxes_class")),
        sa.UniqueConstraint("business_id", "code", name=op.f("uq_taxes_class_business_id_code")),
    )
    op.create_index(
        "uq_taxes_class_default",
        "taxes_class",
        ["business_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "taxes_rate",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("components", Json, nullable=False),
        sa.Column("codes", Json, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "class_id"],
            ["taxes_class.business_id", "taxes_class.id"],
            name=op.f("fk_taxes_rate_business_id_class_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_taxes_rate")),
        sa.UniqueConstraint(
            "business_id",
            "class_id",
            "region",
            "valid_from",
            name=op.f("uq_taxes_rate_business_id_class_id_region_valid_from"),
        ),
    )
    tenant_table("taxes_class")
    tenant_table("taxes_rate")
