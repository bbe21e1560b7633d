"""Settings above and below the business: of the deployment, and of a location."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json
from kernel.migrate import global_table, tenant_table

revision = "kernel_0015"
down_revision = "kernel_0014"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Settings above and below the business: of the deployment, and of a location."""
    op.create_table(
        "kernel_deployment_setting",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("locked", Json, nullable=False),
        sa.Column("settings_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", name=op.f("pk_kernel_deployment_setting")),
    )
    global_table("kernel_deployment_setting")
    op.create_table(
        "kernel_location_setting",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("settings_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "location_id"],
            ["kernel_location.business_id", "kernel_location.id"],
            name=op.f("fk_kernel_location_setting_business_id_location_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "location_id", "plugin", name=op.f("pk_kernel_location_setting")),
    )
    tenant_table("kernel_location_setting")
