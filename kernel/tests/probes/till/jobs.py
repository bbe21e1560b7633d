"""The till's jobs, one on time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel.db import new_id
from kernel.jobs import job
from kernel.tests.probes.stock.models import Move
from kernel.work import Work


@job("probe_till.ring")
async def ring(work: Work, payload: Mapping[str, Any]) -> None:
    """Ring the bell."""
    work.insert(Move, {"id": new_id(), "product": f"rung {payload.get('number', '')}", "amount": 0})


@job("probe_till.open_shop", cron="30 2 * * *")
async def open_shop(work: Work, _payload: Mapping[str, Any]) -> None:
    """Note that a day began."""
    work.insert(Move, {"id": new_id(), "product": "day", "amount": 0})
