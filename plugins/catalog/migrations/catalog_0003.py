"""Images of products; tables of products that are imported."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import tenant_table

revision = "catalog_0003"
down_revision = "catalog_0002"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Images of products; tables of products that are imported."""
    op.add_column("catalog_product", sa.Column("image", sa.Text(), nullable=True))
    op.create_table(
        "catalog_picture",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("px", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "product_id"],
            ["catalog_product.business_id", "catalog_product.id"],
            name=op.f("fk_catalog_picture_business_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "product_id", "px", name=op.f("pk_catalog_picture")),
    )
    op.create_table(
        "catalog_import",
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("columns", Json, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("next_part", sa.BigInteger(), nullable=False),
        sa.Column("preview", Json, nullable=False),
        sa.Column("result", Json, nullable=False),
        sa.Column("errors", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_catalog_import")),
    )
    op.create_table(
        "catalog_import_part",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("rows", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "import_id"],
            ["catalog_import.business_id", "catalog_import.id"],
            name=op.f("fk_catalog_import_part_business_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "import_id", "number", name=op.f("pk_catalog_import_part")),
    )
    tenant_table("catalog_picture")
    tenant_table("catalog_import")
    tenant_table("catalog_import_part")
