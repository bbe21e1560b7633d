"""Sending a request for money to its provider: once, whatever dies on the way.

That it is being sent is committed before the call leaves. Who finds it sent and not ended does not know whether the
provider got it; unless the provider takes one id for one request, it is asked, never told again.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kernel.jobs import Call
from kernel.money import exponent
from kernel.sealing import SealBroken
from kernel.work import Work, crashpoint
from plugins.payments.errors import AccountNotUsable, UnknownGateway
from plugins.payments.rules import FINAL
from plugins.payments.schemas.gateways import Asked, Fault, GatewayFact, GatewayFailed, Show, Started
from plugins.payments.services import health
from plugins.payments.services.calling import (
    STALE,
    Way,
    change_payment,
    deed_after,
    end_operation,
    payment_row,
    request_of,
    way_of,
)
from plugins.payments.services.cleaning import plain, storable
from plugins.payments.services.hearing import hear
from plugins.payments.services.polling import ask_in_time, plan_next
from plugins.payments.services.requesting import have_asked
from plugins.payments.services.timing import reference_of

Do = Callable[[Callable[[Work], Awaitable[Any]]], Awaitable[Any]]
MOST_SHOWN: Final = 1_000_000
"""Letters of a picture that a payer scans, and of anything else they are shown."""
CRASHPOINTS: Final = ("payments.before_call", "payments.after_call", "payments.outcome_kept")
"""Between them a call is made, and what came of it is written down."""


async def start(work: Work, payment_id: uuid.UUID) -> Call | None:
    """Say in this deed that a request is sent, and return the call that sends it; None where nothing is to be sent."""
    row, operation = await payment_row(work, payment_id), await request_of(work, payment_id)
    if row is None or operation is None:
        return None
    if operation.state == "planned":
        return await _start_first(work, row, operation)
    if operation.state == "sent" and operation.sent_at <= work.now - STALE:
        return await _start_again(work, row, operation)
    return None


async def _start_first(work: Work, row: Any, operation: Any) -> Call | None:
    if row.state in FINAL:
        await end_operation(work, operation.id, "planned", "refused", ended_at=work.now)
        return None
    fault = await _hindrance(work, row)
    if fault is not None:
        await not_sent(work, row, operation, fault)
        return None
    try:
        way = await way_of(work, row)
    except (UnknownGateway, AccountNotUsable, SealBroken) as wrong:
        await not_sent(work, row, operation, Fault("configuration", wrong.detail))
        return None
    if not await end_operation(work, operation.id, "planned", "sent", sent_at=work.now):
        return None
    can = way.gateway.capabilities
    reference = reference_of(row.subject_number, row.id, can.reference_letters, can.reference_most)
    ends = work.now + dt.timedelta(seconds=can.lives_s)
    at, _ = plan_next(work, row, can, work.now)
    await change_payment(work, row.id, merchant_ref=reference, expires_at=ends, next_ask_at=at)
    return _call(work, way, row, operation.id, _asked(work, way, row, reference, ends))


async def _start_again(work: Work, row: Any, operation: Any) -> Call | None:
    """What to do about a request of which nobody knows whether it reached its provider."""
    way = await way_of(work, row)
    is_safe = way.gateway.capabilities.retry_is_safe and row.expires_at > work.now and row.state not in FINAL
    if not is_safe:
        await lost(work, row, operation)
        return None
    if not await end_operation(work, operation.id, "sent", "sent", sent_at=work.now):
        return None
    return _call(work, way, row, operation.id, _asked(work, way, row, row.merchant_ref, row.expires_at))


async def lost(work: Work, row: Any, operation: Any) -> None:
    """Nobody knows what became of a request that was sent: so it is unknown, and its provider is asked at once."""
    if await end_operation(work, operation.id, "sent", "unsure", ended_at=work.now):
        fact = GatewayFact(kind="unknown", key=f"start:{operation.id}", words="The answer was lost")
        await hear(work, row.id, [fact], "clock")
        have_asked(work, row.id)


async def not_sent(work: Work, row: Any, operation: Any, fault: Fault) -> None:
    """End a payment whose request never left: nothing can come of it."""
    if await end_operation(work, operation.id, "planned", "refused", ended_at=work.now, fault=storable(fault)):
        await hear(work, row.id, [_failed(operation.id, fault)], "provider")


async def _hindrance(work: Work, row: Any) -> Fault | None:
    """Why a request is not sent any more: its time is over, or its gateway is closed."""
    if row.expires_at <= work.now:
        return Fault("timeout", "The request could not be sent in time", again=True)
    if await health.admit(work, row.account_id, "ask") is not None:
        return Fault("provider_down", "The provider does not answer just now", again=True)
    return None


def _asked(work: Work, way: Way, row: Any, reference: str, ends: dt.datetime) -> Asked:
    return Asked(
        id=str(row.id),
        reference=reference,
        amount=row.amount,
        currency=row.currency,
        exponent=exponent(row.currency),
        words=f"{work.shop.name} {row.subject_number}",
        notify=way.notify,
        phone=row.payer_phone,
        expires_at=ends,
        method=row.method,
    )


def _call(work: Work, way: Way, row: Any, operation_id: uuid.UUID, asked: Asked) -> Call:
    do: Do = deed_after(work, "payments.start")

    async def call() -> None:
        crashpoint("payments.before_call")
        failed: GatewayFailed | None = None
        started = Started()
        try:
            started = await way.gateway.ask(way.line, asked)
        except GatewayFailed as fault:
            failed = fault
        except Exception:
            strange = Fault("unknown", "The gateway failed over the provider's answer")
            await do(lambda work: _keep_failure(work, row, operation_id, GatewayFailed(strange, is_unsure=True)))
            raise
        crashpoint("payments.after_call")
        if failed is not None:
            await do(functools.partial(_keep_failure, row=row, operation_id=operation_id, failed=failed))
            return
        await do(lambda work: _keep(work, row, operation_id, started))
        crashpoint("payments.outcome_kept")
        if started.facts:
            await do(lambda work: hear(work, row.id, started.facts, "provider"))

    return call


async def _keep(work: Work, row: Any, operation_id: uuid.UUID, started: Started) -> None:
    """The provider took it on: keep what it calls it and what the payer is shown, and ask about it in time."""
    await end_operation(work, operation_id, "sent", "accepted", ended_at=work.now)
    await health.note(work, row.account_id, "ask")
    shown = {"show": _show(started.show)} if started.show is not None else {}
    until = {"expires_at": started.expires_at} if started.expires_at is not None else {}
    if shown or until:
        await change_payment(work, row.id, **shown, **until)
    await hear(work, row.id, [GatewayFact(kind="accepted", key=f"start:{operation_id}", ids=started.ids)], "provider")
    await ask_in_time(work, row.id)


async def _keep_failure(work: Work, row: Any, operation_id: uuid.UUID, failed: GatewayFailed) -> None:
    """The provider refused, which ends the payment; or nobody knows, and it is asked."""
    await health.note(work, row.account_id, "ask", failed)
    after = "unsure" if failed.is_unsure else "refused"
    await end_operation(work, operation_id, "sent", after, ended_at=work.now, fault=storable(failed.fault))
    if not failed.is_unsure:
        await hear(work, row.id, [_failed(operation_id, failed.fault)], "provider")
        return
    fault = failed.fault
    fact = GatewayFact(kind="unknown", key=f"start:{operation_id}", fault=fault.kind, code=fault.code, words=fault.said)
    await hear(work, row.id, [fact], "clock")
    await ask_in_time(work, row.id)


def _show(show: Show) -> dict[str, str]:
    return {"kind": show.kind, "words": plain(show.words), "text": plain(show.text, MOST_SHOWN)}


def _failed(operation_id: uuid.UUID, fault: Fault) -> GatewayFact:
    return GatewayFact(kind="failed", key=f"start:{operation_id}", fault=fault.kind, code=fault.code, words=fault.said)
