"""What the day book does in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel.jobs import job
from kernel.work import Work
from plugins.daybook import services


@job(services.JOB)
async def catch_up(work: Work, payload: Mapping[str, Any]) -> None:
    """Enter the next batch of what happened while the book was off."""
    await services.catch_up(work, payload)
