"""Sending a request for money to its provider: once, whatever dies on the way.

That it is being sent is committed before the call leaves. Who finds it sent and not ended does not know whether the
provider got it; unless the provider takes one id for one request, it is asked, never told again.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.db import Moment, Prepared
from kernel.jobs import Call, Then
from kernel.money import exponent
from kernel.sealing import SealBroken
from kernel.work import Work, crashpoint
from plugins.payments.errors import AccountNotUsable, UnknownGateway
from plugins.payments.models import Attempt
from plugins.payments.rules import FINAL, REFUND_FACTS
from plugins.payments.schemas.gateways import Asked, Fault, GatewayFact, GatewayFailed, Show, Started
from plugins.payments.services import health
from plugins.payments.services.calling import (
    STALE,
    Matter,
    Request,
    Way,
    deed_after,
    end_operation,
    matter_of,
    say_sent,
    way_to,
)
from plugins.payments.services.cleaning import plain, storable
from plugins.payments.services.hearing import hear
from plugins.payments.services.polling import plan_next, plan_question
from plugins.payments.services.requesting import have_asked
from plugins.payments.services.timing import reference_of

Do = Callable[[Callable[[Work], Awaitable[Any]]], Awaitable[Any]]
_MONEY: Final = frozenset({"authorised", "captured", "settled", *REFUND_FACTS})
_A = Attempt.__table__.c
_NAME: Final = Prepared(
    sa.update(Attempt)
    .where(_A.business_id == sa.bindparam("business_id"), _A.id == sa.bindparam("payment_id", type_=sa.Uuid()))
    .values(
        merchant_ref=sa.bindparam("reference", type_=sa.Text()),
        expires_at=sa.bindparam("ends", type_=Moment),
        next_ask_at=sa.bindparam("at", type_=Moment),
    )
)
MOST_SHOWN: Final = 1_000_000
"""Letters of a picture that a payer scans, and of anything else they are shown."""
CRASHPOINTS: Final = ("payments.before_call", "payments.after_call", "payments.outcome_kept")
"""Between them a call is made, and what came of it is written down; the last one before its money, if some came."""


async def start(work: Work, payment_id: uuid.UUID) -> Call | None:
    """Say in this deed that a request is sent, and return the call that sends it; None where nothing is to be sent."""
    matter = await matter_of(work, payment_id, "ask")
    if matter is None or matter.request is None:
        return None
    if matter.request.state == "planned":
        return await _start_first(work, matter, matter.request)
    sent_at = matter.request.sent_at
    if matter.request.state == "sent" and sent_at is not None and sent_at <= work.now - STALE:
        return await _start_again(work, matter, matter.request)
    return None


async def _start_first(work: Work, matter: Matter, operation: Request) -> Call | None:
    row = matter.row
    if row.state in FINAL:
        await end_operation(work, operation.id, "planned", "refused")
        return None
    fault = await _hindrance(work, matter)
    if fault is not None:
        await not_sent(work, row, operation, fault)
        return None
    try:
        way = way_to(work, matter)
    except (UnknownGateway, AccountNotUsable, SealBroken) as wrong:
        await not_sent(work, row, operation, Fault("configuration", wrong.detail))
        return None
    if not await say_sent(work, operation.id, "planned"):
        return None
    can = way.gateway.capabilities
    reference = reference_of(row.subject_number, row.id, can.reference_letters, can.reference_most)
    ends = work.now + dt.timedelta(seconds=can.lives_s)
    at, _ = plan_next(work, row, can, work.now)
    await work.fetch(_NAME, payment_id=row.id, reference=reference, ends=ends, at=at)
    return _call(work, way, row, operation.id, _asked(work, way, row, reference, ends))


async def _start_again(work: Work, matter: Matter, operation: Request) -> Call | None:
    """What to do about a request of which nobody knows whether it reached its provider."""
    row, way = matter.row, way_to(work, matter)
    is_safe = way.gateway.capabilities.retry_is_safe and row.expires_at > work.now and row.state not in FINAL
    if not is_safe:
        await lost(work, row, operation)
        return None
    if not await say_sent(work, operation.id, "sent"):
        return None
    return _call(work, way, row, operation.id, _asked(work, way, row, row.merchant_ref, row.expires_at))


async def lost(work: Work, row: Any, operation: Request) -> None:
    """Nobody knows what became of a request that was sent: so it is unknown, and its provider is asked at once."""
    if await end_operation(work, operation.id, "sent", "unsure"):
        fact = GatewayFact(kind="unknown", key=f"start:{operation.id}", words="The answer was lost")
        await hear(work, row.id, [fact], "clock")
        have_asked(work, row.id)


async def not_sent(work: Work, row: Any, operation: Request, fault: Fault) -> None:
    """End a payment whose request never left: nothing can come of it."""
    if await end_operation(work, operation.id, "planned", "refused", storable(fault)):
        await hear(work, row.id, [_failed(operation.id, fault)], "provider")


async def _hindrance(work: Work, matter: Matter) -> Fault | None:
    """Why a request is not sent any more: its time is over, or its gateway is closed."""
    if matter.row.expires_at <= work.now:
        return Fault("timeout", "The request could not be sent in time", again=True)
    if await health.admit_at(work, matter.row.account_id, "ask", matter.closed_until) is not None:
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

    async def call() -> Then:
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
            return functools.partial(_keep_failure, row=row, operation_id=operation_id, failed=failed)
        keep = functools.partial(_keep, row=row, operation_id=operation_id, started=started)
        if not any(fact.kind in _MONEY for fact in started.facts):
            return keep
        await do(keep)  # before money is told of, which somebody may refuse
        crashpoint("payments.outcome_kept")
        return lambda work: _hear_at_once(work, row.id, started.facts)

    return call


async def _keep(work: Work, row: Any, operation_id: uuid.UUID, started: Started) -> None:
    """The provider took it on: keep what it calls it, what the payer is shown, what else it said but of money."""
    await end_operation(work, operation_id, "sent", "accepted")
    await health.note(work, row.account_id, "ask")
    shown = {"show": _show(started.show)} if started.show is not None else {}
    until = {"expires_at": started.expires_at} if started.expires_at is not None else {}
    accepted = GatewayFact(kind="accepted", key=f"start:{operation_id}", ids=started.ids)
    facts = [accepted, *(fact for fact in started.facts if fact.kind not in _MONEY)]
    plan_question(work, await hear(work, row.id, facts, "provider", **shown, **until))


async def _hear_at_once(work: Work, payment_id: uuid.UUID, facts: Sequence[GatewayFact]) -> None:
    """Hear of money that was there as soon as it was asked for."""
    await hear(work, payment_id, facts, "provider")


async def _keep_failure(work: Work, row: Any, operation_id: uuid.UUID, failed: GatewayFailed) -> None:
    """The provider refused, which ends the payment; or nobody knows, and it is asked."""
    await health.note(work, row.account_id, "ask", failed)
    after = "unsure" if failed.is_unsure else "refused"
    await end_operation(work, operation_id, "sent", after, storable(failed.fault))
    if not failed.is_unsure:
        await hear(work, row.id, [_failed(operation_id, failed.fault)], "provider")
        return
    fault = failed.fault
    fact = GatewayFact(kind="unknown", key=f"start:{operation_id}", fault=fault.kind, code=fault.code, words=fault.said)
    plan_question(work, await hear(work, row.id, [fact], "clock"))


def _show(show: Show) -> dict[str, str]:
    return {"kind": show.kind, "words": plain(show.words), "text": plain(show.text, MOST_SHOWN)}


def _failed(operation_id: uuid.UUID, fault: Fault) -> GatewayFact:
    return GatewayFact(kind="failed", key=f"start:{operation_id}", fault=fault.kind, code=fault.code, words=fault.said)
