"""What loyalty does by night."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel.jobs import job
from kernel.work import Work
from loyalty.services import let_expire


@job("loyalty.expire", cron="11 2 * * *")
async def expire(work: Work, _payload: Mapping[str, Any]) -> None:
    """Take away points that are too old."""
    await let_expire(work)
