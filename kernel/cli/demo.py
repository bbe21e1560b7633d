"""duka seed: believable demo businesses, filled by every plugin."""

from __future__ import annotations

from kernel.work import Deployment


async def seed_demo_if_empty(deployment: Deployment) -> None:
    """Make the demo businesses on a database that has none."""
