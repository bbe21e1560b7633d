"""What payments does in the background: asks payers and providers, and takes up again what was lost."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from kernel.jobs import Call, job
from kernel.work import Work
from plugins.payments.services import calling_back, polling, starting
from plugins.payments.services.requesting import START


@job(START)
async def start(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Send a request for money to its provider."""
    return await starting.start(work, uuid.UUID(payload["payment_id"]))


@job(polling.ASKING)
async def ask(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Ask a provider how a payment stands; `asks`: the question that was planned."""
    return await polling.ask(work, uuid.UUID(payload["payment_id"]), payload.get("asks"))


@job(calling_back.CANCEL)
async def cancel(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Call a request for money back."""
    return await calling_back.call_back(work, uuid.UUID(payload["payment_id"]))


@job("payments.sweep", cron="*/5 * * * *")
async def sweep(work: Work, _payload: Mapping[str, Any]) -> None:
    """Take up again the payments that should have been asked about long ago."""
    await polling.sweep(work)
