"""The probe's jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from kernel.db import new_id
from kernel.jobs import job
from kernel.tests.probes.stock.models import Move
from kernel.work import Work


@job("probe_stock.book")
async def book(work: Work, payload: Mapping[str, Any]) -> None:
    """Book a move; fail after declaring it when told to."""
    work.insert(Move, {"id": new_id(), "product": payload.get("product", "job"), "amount": payload.get("amount", 1)})
    if payload.get("fail"):
        raise RuntimeError("told to fail")


@job("probe_stock.hang", limit_s=0.2)
async def hang(work: Work, _payload: Mapping[str, Any]) -> None:
    """Declare a move and never come back."""
    work.insert(Move, {"id": new_id(), "product": "hung", "amount": 1})
    await asyncio.sleep(60)
