"""What payments does in the background: asks, reads what providers send, gives back, takes up what was lost."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from kernel.auth import count_try
from kernel.errors import RateLimited
from kernel.jobs import Call, job
from kernel.work import Work
from plugins.payments.services import calling_back, polling, sending_back, starting, watching
from plugins.payments.services.declaring_refunds import SEND_BACK
from plugins.payments.services.digesting import forget_bodies, read_notice
from plugins.payments.services.hints import READ
from plugins.payments.services.requesting import ASKING, START
from plugins.payments.services.sending_back import ASK_REFUND


@job(START)
async def start(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Send a request for money to its provider."""
    return await starting.start(work, uuid.UUID(payload["payment_id"]))


@job(ASKING)
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
    await sending_back.sweep(work)


@job("payments.watch_canaries", cron="*/10 * * * *", limit_s=600)
async def watch_canaries(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """End trials of gateways that fare clearly worse: one business's job looks for all of its region."""
    region, deployment = work.shop.region, work.deployment
    if not await watching.trials_of(work, region):
        return None
    try:
        await count_try(work, f"payments-trials:{region}", 1, dt.timedelta(minutes=9))
    except RateLimited:
        return None
    return lambda: watching.judge_trials(deployment, region)


@job(READ)
async def read_one_notice(work: Work, payload: Mapping[str, Any]) -> None:
    """Make of a provider's notice what it says."""
    await read_notice(work, uuid.UUID(payload["notice_id"]))


@job("payments.forget_notices", cron="29 3 * * *")
async def forget_notices(work: Work, _payload: Mapping[str, Any]) -> None:
    """Delete the bodies of notices that were read long ago."""
    await forget_bodies(work)


@job(SEND_BACK)
async def send_back(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Have a gateway give money back."""
    return await sending_back.send_back(work, uuid.UUID(payload["refund_id"]))


@job(ASK_REFUND)
async def ask_refund(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Ask a gateway what became of money that it was to give back."""
    return await sending_back.ask_refund(work, uuid.UUID(payload["refund_id"]), payload.get("asks"))
