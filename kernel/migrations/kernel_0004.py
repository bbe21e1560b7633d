"""The audit chain; support access."""

revision = "kernel_0004"
down_revision = "kernel_0003"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """The audit chain; support access."""
