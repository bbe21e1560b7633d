"""Second factors, API keys, registered tills."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import global_table, tenant_table

revision = "kernel_0003"
down_revision = "kernel_0002"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Second factors, API keys, registered tills."""
    op.create_table(
        "kernel_second_factor",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", Moment, nullable=False),
        sa.Column("confirmed_at", Moment, nullable=True),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"], name=op.f("fk_kernel_second_factor_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_kernel_second_factor")),
    )
    op.create_table(
        "kernel_recovery_code",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"], name=op.f("fk_kernel_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("user_id", "hash", name=op.f("pk_kernel_recovery_code")),
    )
    op.create_table(
        "kernel_api_key",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("last_used_at", Moment, nullable=True),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "created_by"],
            ["kernel_membership.business_id", "kernel_membership.user_id"],
            name=op.f("fk_kernel_api_key_business_id_created_by"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_api_key")),
    )
    op.create_table(
        "kernel_till",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("register_id", sa.Uuid(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("last_used_at", Moment, nullable=True),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "location_id"],
            ["kernel_location.business_id", "kernel_location.id"],
            name=op.f("fk_kernel_till_business_id_location_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_till")),
    )
    op.create_table(
        "kernel_pin",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "user_id"],
            ["kernel_membership.business_id", "kernel_membership.user_id"],
            name=op.f("fk_kernel_pin_business_id_user_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "user_id", name=op.f("pk_kernel_pin")),
    )
    op.add_column("kernel_sign_in", sa.Column("till_business_id", sa.Uuid(), nullable=True))
    op.add_column("kernel_sign_in", sa.Column("till_id", sa.Uuid(), nullable=True))
    global_table("kernel_second_factor")
    global_table("kernel_recovery_code")
    tenant_table("kernel_api_key")
    tenant_table("kernel_till")
    tenant_table("kernel_pin")
