"""Changes of many products, kept to be undone."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "catalog_0009"
down_revision = "catalog_0008"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Changes of many products, kept to be undone."""
    op.create_table(
        "catalog_product_edit",
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("undoes_id", sa.Uuid(), nullable=True),
        sa.Column("undo_id", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_product_edit")),
    )
    op.create_index("ix_catalog_product_edit_made_at", "catalog_product_edit", ["business_id", "made_at"])
    op.create_table(
        "catalog_product_edit_line",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("edit_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("was", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "edit_id"],
            ["catalog_product_edit.business_id", "catalog_product_edit.id"],
            name=op.f("fk_catalog_product_edit_line_business_id_edit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_product_edit_line_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "edit_id", "product_id", name=op.f("pk_catalog_product_edit_line")),
    )
    tenant_table("catalog_product_edit")
    tenant_table("catalog_product_edit_line")
