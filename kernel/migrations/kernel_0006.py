"""Erased people."""

revision = "kernel_0006"
down_revision = "kernel_0005"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Erased people."""
