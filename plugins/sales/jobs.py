"""What sales does in the background."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from kernel.jobs import job
from kernel.work import Work
from plugins.sales.services import let_expire
from plugins.sales.services.checkout import GIVE_UP


@job(GIVE_UP)
async def give_up_waiting(work: Work, payload: Mapping[str, Any]) -> None:
    """End the wait of a sale whose money did not come in time."""
    await let_expire(work, uuid.UUID(payload["sale_id"]))
