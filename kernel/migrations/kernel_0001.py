"""The kernel's tables."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import global_table, tenant_table

revision = "kernel_0001"
down_revision = None
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The kernel's tables."""
    op.create_table(
        "kernel_audit",
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("facts", Json, nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_audit")),
    )
    op.create_index("ix_kernel_audit_business_id_at", "kernel_audit", ["business_id", "at"], unique=False)
    op.create_table(
        "kernel_business",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("subdivision", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_business")),
        sa.UniqueConstraint("slug", name=op.f("uq_kernel_business_slug")),
    )
    op.create_table(
        "kernel_business_plugin",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("settings", Json, nullable=True),
        sa.PrimaryKeyConstraint("business_id", "plugin", name=op.f("pk_kernel_business_plugin")),
    )
    op.create_table(
        "kernel_epoch",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_kernel_epoch")),
    )
    op.create_table(
        "kernel_idempotency",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("headers", Json, nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "principal", "route", "key", name=op.f("pk_kernel_idempotency")),
    )
    op.create_index("ix_kernel_idempotency_created_at", "kernel_idempotency", ["created_at"], unique=False)
    op.create_table(
        "kernel_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("run_at", Moment, nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), server_default="8", nullable=False),
        sa.Column("dedup", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_job")),
        sa.UniqueConstraint("business_id", "dedup", name=op.f("uq_kernel_job_business_id_dedup")),
    )
    op.create_index("ix_kernel_job_ready", "kernel_job", ["state", "run_at"], unique=False)
    op.create_table(
        "kernel_job_payload",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "job_id", name=op.f("pk_kernel_job_payload")),
    )
    op.create_table(
        "kernel_limit",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window_ends", Moment, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_kernel_limit")),
    )
    op.create_table(
        "kernel_location",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("subdivision", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("day_cutoff", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_location")),
        sa.UniqueConstraint("business_id", "code", name=op.f("uq_kernel_location_business_id_code")),
    )
    op.create_table(
        "kernel_release",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("plugin", name=op.f("pk_kernel_release")),
    )
    op.create_table(
        "kernel_role",
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added", Json, nullable=False),
        sa.Column("removed", Json, nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_kernel_role")),
        sa.UniqueConstraint("business_id", "name", name=op.f("uq_kernel_role_business_id_name")),
    )
    op.create_table(
        "kernel_schedule",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("next_run", Moment, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "job", name=op.f("pk_kernel_schedule")),
    )
    op.create_index("ix_kernel_schedule_next_run", "kernel_schedule", ["next_run"], unique=False)
    op.create_table(
        "kernel_series",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "series", name=op.f("pk_kernel_series")),
    )
    op.create_table(
        "kernel_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("is_operator", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_user")),
        sa.UniqueConstraint("email", name=op.f("uq_kernel_user_email")),
    )
    op.create_table(
        "kernel_membership",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "role_id"],
            ["kernel_role.business_id", "kernel_role.id"],
            name=op.f("fk_kernel_membership_business_id_role_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["kernel_business.id"], name=op.f("fk_kernel_membership_business_id")),
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"], name=op.f("fk_kernel_membership_user_id")),
        sa.PrimaryKeyConstraint("business_id", "user_id", name=op.f("pk_kernel_membership")),
    )
    op.create_index(op.f("ix_kernel_membership_user_id"), "kernel_membership", ["user_id"], unique=False)
    op.create_table(
        "kernel_sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["kernel_user.id"], name=op.f("fk_kernel_sign_in_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_sign_in")),
    )
    op.create_index(op.f("ix_kernel_sign_in_user_id"), "kernel_sign_in", ["user_id"], unique=False)
    op.create_table(
        "kernel_refresh_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(["sign_in_id"], ["kernel_sign_in.id"], name=op.f("fk_kernel_refresh_token_sign_in_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_kernel_refresh_token")),
    )
    op.create_index(op.f("ix_kernel_refresh_token_sign_in_id"), "kernel_refresh_token", ["sign_in_id"], unique=False)
    tenant_table("kernel_audit", append_only=True)
    global_table("kernel_business")
    tenant_table("kernel_business_plugin")
    global_table("kernel_epoch")
    tenant_table("kernel_idempotency")
    global_table("kernel_job")
    tenant_table("kernel_job_payload")
    global_table("kernel_limit")
    tenant_table("kernel_location")
    global_table("kernel_release")
    tenant_table("kernel_role")
    global_table("kernel_schedule")
    tenant_table("kernel_series")
    global_table("kernel_user")
    global_table("kernel_membership")
    global_table("kernel_sign_in")
    global_table("kernel_refresh_token")
