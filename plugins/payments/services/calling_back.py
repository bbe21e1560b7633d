"""Calling a request for money back before it is paid. Money that came all the same wins."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from typing import Any, Final, Literal

from kernel.jobs import Call, Then
from kernel.work import Work
from plugins.payments.errors import NotCancellable
from plugins.payments.rules import FINAL
from plugins.payments.schemas.gateways import GatewayFact, GatewayFailed, Known
from plugins.payments.services import health
from plugins.payments.services.accounts import gateway_named, installed
from plugins.payments.services.calling import Way, end_operation, known_of, payment_row, request_of, way_of
from plugins.payments.services.hearing import hear
from plugins.payments.services.requesting import have_asked, held_payment

CANCEL: Final = "payments.cancel"


async def cancel_payment(work: Work, payment_id: uuid.UUID) -> None:
    """End a request that has not left yet; have one that has called back after the commit.

    Raises NotFound; NotCancellable where it has ended, its provider calls none back, or does not know it yet.
    """
    row = await held_payment(work, payment_id)
    work.audit(subject=f"payment:{row.id}", location_id=row.location_id, register_id=row.register_id)
    if row.state in FINAL:
        raise NotCancellable(f"The payment is {row.state}")
    if await _end_unsent(work, row):
        return
    gateway = gateway_named(work.deployment, row.gateway)
    if gateway.capabilities.ends_by_word:
        await _end_by_word(work, row, "hand")
        return
    if not gateway.capabilities.cancels:
        raise NotCancellable(f"{gateway.title} calls no request back; it lapses by itself")
    work.later(CANCEL, {"payment_id": str(row.id)})


async def try_to_call_back(work: Work, row: Any, source: Literal["hand", "clock"]) -> None:
    """End a payment's request that has not left yet; have one that has called back, if its provider does that.

    One of which only people know the end has ended, or nobody knows if time ran out.
    """
    if await _end_unsent(work, row):
        return
    gateway = installed(work.deployment).get(row.gateway)
    if gateway is not None and gateway.capabilities.ends_by_word:
        await _end_by_word(work, row, source)
    elif gateway is not None and gateway.capabilities.cancels:
        work.later(CANCEL, {"payment_id": str(row.id)})


async def _end_by_word(work: Work, row: Any, source: Literal["hand", "clock"]) -> None:
    fact = GatewayFact(kind="cancelled", key=f"word:{source}", words="Nobody waits for it any more")
    await hear(work, row.id, [fact], source)


async def _end_unsent(work: Work, row: Any) -> bool:
    """End a request that has not left yet; whether it was one."""
    operation = await request_of(work, row.id)
    if operation is None or not await end_operation(work, operation.id, "planned", "refused"):
        return False
    fact = GatewayFact(kind="cancelled", key=f"cancel:{operation.id}", words="Called back before it was sent")
    await hear(work, row.id, [fact], "hand")
    return True


async def call_back(work: Work, payment_id: uuid.UUID) -> Call | None:
    """Return the call that calls a request back; one that its provider has not named yet is asked about instead."""
    row = await payment_row(work, payment_id)
    operation = None if row is None else await request_of(work, payment_id)
    if row is None or operation is None or row.state in FINAL or operation.sent_at is None:
        return None
    if not row.provider_ids or await health.admit(work, row.account_id, "cancel") is not None:
        have_asked(work, row.id)
        return None
    way = await way_of(work, row)
    return _call(way, row, await known_of(work, row, operation.sent_at))


def _call(way: Way, row: Any, known: Known) -> Call:
    async def call() -> Then:
        failed: GatewayFailed | None = None
        facts: Sequence[GatewayFact] = ()
        try:
            facts = await way.gateway.call_back(way.line, known)
        except GatewayFailed as fault:
            failed = fault
        return functools.partial(_keep, row=row, facts=facts, failed=failed)

    return call


async def _keep(work: Work, row: Any, facts: Sequence[GatewayFact], failed: GatewayFailed | None) -> None:
    """Take in what was answered. Where that is no end, the provider is asked how it stands."""
    await health.note(work, row.account_id, "cancel", failed)
    if facts:
        await hear(work, row.id, facts, "query")
    after = await payment_row(work, row.id)
    if after is not None and after.state not in FINAL:
        have_asked(work, row.id)
