"""The shelf's jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel.db import new_id
from kernel.jobs import job
from kernel.tests.probes.shelf.models import Note
from kernel.work import Work


@job("probe_shelf.dust", cron="30 4 * * *")
async def dust(work: Work, payload: Mapping[str, Any]) -> None:
    """Leave a note."""
    work.insert(Note, {"id": new_id(), "words": str(payload.get("words", "dust")), "weight": 1})
