"""Accounts, invitations, devices, mail."""

revision = "kernel_0002"
down_revision = "kernel_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Accounts, invitations, devices, mail."""
