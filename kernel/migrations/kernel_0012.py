"""The jobs of a business by an index, in the order in which they are listed."""

from alembic import op

revision = "kernel_0012"
down_revision = "kernel_0011"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The jobs of a business by an index, in the order in which they are listed."""
    op.create_index("ix_kernel_job_business_id_id", "kernel_job", ["business_id", "id"], unique=False)
