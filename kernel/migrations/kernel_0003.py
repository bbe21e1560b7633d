"""Second factors, API keys, registered tills."""

revision = "kernel_0003"
down_revision = "kernel_0002"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Second factors, API keys, registered tills."""
