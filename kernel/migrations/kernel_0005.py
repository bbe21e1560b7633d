"""Limits of roles and members; approvals."""

revision = "kernel_0005"
down_revision = "kernel_0004"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Limits of roles and members; approvals."""
