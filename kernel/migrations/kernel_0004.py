"""The audit chain; support access."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json, Moment
from kernel.migrate import protect_books, tenant_table

revision = "kernel_0004"
down_revision = "kernel_0003"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The audit chain; support access."""
    op.add_column("kernel_audit", sa.Column("changes", Json, nullable=True))
    op.add_column("kernel_audit", sa.Column("location_id", sa.Uuid(), nullable=True))
    op.add_column("kernel_audit", sa.Column("register_id", sa.Uuid(), nullable=True))
    op.add_column("kernel_audit", sa.Column("supporting", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "kernel_audit_seal",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "number", name=op.f("pk_kernel_audit_seal")),
        sa.UniqueConstraint("business_id", "audit_id", name=op.f("uq_kernel_audit_seal_business_id_audit_id")),
    )
    op.create_table(
        "kernel_audit_anchor",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("anchored_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("business_id", "day", name=op.f("pk_kernel_audit_anchor")),
    )
    for name in ("suspended_at", "exported_at", "deleting_at", "deleted_at"):
        op.add_column("kernel_business", sa.Column(name, Moment, nullable=True))
    op.add_column("kernel_business", sa.Column("suspended_reason", sa.Text(), nullable=True))
    op.create_table(
        "kernel_support_access",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("granted_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["business_id", "role_id"],
            ["kernel_role.business_id", "kernel_role.id"],
            name=op.f("fk_kernel_support_access_business_id_role_id"),
        ),
        sa.PrimaryKeyConstraint("business_id", name=op.f("pk_kernel_support_access")),
    )
    tenant_table("kernel_audit_seal", append_only=True)
    tenant_table("kernel_audit_anchor", append_only=True)
    tenant_table("kernel_support_access")
    protect_books()
