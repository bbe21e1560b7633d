"""Accounts, invitations, devices, mail."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import global_table, tenant_table

revision = "kernel_0002"
down_revision = "kernel_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Accounts, invitations, devices, mail."""
    op.create_table(
        "kernel_device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"], name=op.f("fk_kernel_device_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_device")),
        sa.UniqueConstraint("hash", name=op.f("uq_kernel_device_hash")),
    )
    op.create_index(op.f("ix_kernel_device_user_id"), "kernel_device", ["user_id"], unique=False)
    op.create_table(
        "kernel_mail_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("was_mailed", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"], name=op.f("fk_kernel_mail_token_user_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_kernel_mail_token")),
    )
    op.create_index(op.f("ix_kernel_mail_token_user_id"), "kernel_mail_token", ["user_id"], unique=False)
    op.create_index(op.f("ix_kernel_mail_token_invitation_id"), "kernel_mail_token", ["invitation_id"], unique=False)
    op.create_table(
        "kernel_invitation",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("location_ids", Json, nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("invited_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("accepted_at", Moment, nullable=True),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "role_id"],
            ["kernel_role.business_id", "kernel_role.id"],
            name=op.f("fk_kernel_invitation_business_id_role_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_invitation")),
    )
    is_open = sa.text("accepted_at IS NULL AND revoked_at IS NULL")
    op.create_index(
        "ix_kernel_invitation_open",
        "kernel_invitation",
        ["business_id", "email"],
        unique=True,
        postgresql_where=is_open,
        sqlite_where=is_open,
    )
    with op.batch_alter_table("kernel_user") as table:
        table.add_column(sa.Column("email_verified_at", Moment, nullable=True))
        table.add_column(sa.Column("password_changed_at", Moment, nullable=True))
        table.add_column(sa.Column("language", sa.Text(), nullable=True))
        table.add_column(sa.Column("phone", sa.Text(), nullable=True))
    with op.batch_alter_table("kernel_membership") as table:
        table.add_column(sa.Column("joined_at", Moment, nullable=True))
        table.add_column(sa.Column("seen_at", Moment, nullable=True))
        table.add_column(sa.Column("pending_until", Moment, nullable=True))
    with op.batch_alter_table("kernel_sign_in") as table:
        table.add_column(sa.Column("seen_at", Moment, nullable=True))
        table.add_column(sa.Column("device_id", sa.Uuid(), nullable=True))
    with op.batch_alter_table("kernel_refresh_token") as table:
        table.add_column(sa.Column("repeats", sa.BigInteger(), server_default="0", nullable=False))
    global_table("kernel_device")
    global_table("kernel_mail_token")
    tenant_table("kernel_invitation")
