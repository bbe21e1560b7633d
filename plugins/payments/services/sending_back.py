"""Money on its way back through a gateway: sent once, asked about until its end is known, then a person is asked.

Each step is a deed, the call between two of them, with no transaction open. What was sent is not sent again unless the
provider takes one id for one request; the provider is asked instead.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import sqlalchemy as sa
from msgspec import Struct, structs

from kernel.errors import DukaError
from kernel.jobs import Call, Then
from kernel.work import Work
from plugins.payments.models import Attempt, Operation, Refund
from plugins.payments.schemas.gateways import Back, Fault, Gateway, GatewayFact, GatewayFailed, Started
from plugins.payments.services import health
from plugins.payments.services.calling import Way, known_of, way_of
from plugins.payments.services.cleaning import plain_ids, storable
from plugins.payments.services.declaring_refunds import GIVE_BACK, SEND_BACK
from plugins.payments.services.hearing_refunds import hear_refund
from plugins.payments.services.reviews import open_review

log = logging.getLogger("duka.payments")
ASK_REFUND: Final = "payments.ask_refund"
"""The job that asks a gateway what became of a refund. Payload: `refund_id`; `asks`: how often it was asked."""
PLAN_ENDED: Final = 1000
"""More questions than any plan has: the next answer that says nothing has a person asked."""
TRIES_FOR: Final = dt.timedelta(days=1)
"""A refund that could not even be sent is tried for so long."""
WAITS_FOR: Final = dt.timedelta(days=14)
"""A refund that the provider says it is making is asked about for so long."""
_O, _R = Operation.__table__, Refund.__table__
_DONE_WITH: Final = frozenset({"accepted", "refused"})


class Errand(Struct, frozen=True):
    """What is said to a gateway, and how."""

    way: Way
    back: Back

    @property
    def gateway(self) -> Gateway:
        """The gateway."""
        return self.way.gateway


async def send_back(work: Work, refund_id: uuid.UUID) -> Call | None:
    """Note that a refund is sent, before it is; returns the call that sends it. None where there is nothing to send.

    One that was sent before, by a process that died, is sent again only where the provider makes one refund of it.
    """
    await work.write()
    refund, operation = await _pending(work, refund_id)
    if refund is None or operation.state in _DONE_WITH:
        return None
    was_sent = operation.state != "planned"
    try:
        errand = await _errand(work, refund)
    except DukaError as fault:
        if was_sent:  # so it may have been made, by whoever can no longer be asked
            await _ask_a_person(work, refund, fault.detail)
        else:
            await _refuse(work, refund, operation, Fault("configuration", fault.detail))
        return None
    if was_sent and not errand.gateway.capabilities.retry_is_safe:
        work.later(ASK_REFUND, {"refund_id": str(refund_id), "asks": 0})
        return None
    if (until := await health.admit(work, errand.way.account_id, "refund")) is not None:
        await _wait(work, refund, operation, errand.gateway, until)
        return None
    here = sa.and_(_O.c.business_id == work.business_id, _O.c.id == operation.id)
    await work.execute(sa.update(Operation).where(here).values(state="sent", sent_at=work.now))

    async def call() -> Then:
        try:
            said: Started | GatewayFailed = await errand.gateway.give_back(errand.way.line, errand.back)
        except GatewayFailed as failed:
            said = failed

        async def store(work: Work) -> None:
            await _store(work, refund_id, errand, said)

        return store

    return call


async def ask_refund(work: Work, refund_id: uuid.UUID, asks: int | None) -> Call | None:
    """The call that asks what became of a refund; None where nobody waits for it.

    asks: how often it was asked by the plan; None for a question beside it, which plans no further one.
    """
    await work.write()
    refund, operation = await _pending(work, refund_id)
    if refund is None or operation.state in ("planned", "refused"):
        return None
    try:
        errand = await _errand(work, refund)
    except DukaError as fault:
        await _ask_a_person(work, refund, fault.detail)
        return None
    if (until := await health.admit(work, errand.way.account_id, "find_refund")) is not None:
        work.later(ASK_REFUND, {"refund_id": str(refund_id), "asks": asks}, at=until)
        return None

    async def call() -> Then:
        failed: GatewayFailed | None = None
        facts: Sequence[GatewayFact] = ()
        try:
            facts = await errand.gateway.find_refund(errand.way.line, errand.back)
        except GatewayFailed as fault:
            failed = fault
        except Exception:  # it is as if nothing had been answered, so that a person is asked in the end
            log.exception("the gateway %s failed over what its provider said of a refund", errand.gateway.name)

        async def store(work: Work) -> None:
            await health.note(work, errand.way.account_id, "find_refund", failed)
            await hear_refund(work, refund_id, facts, "query")
            if asks is not None:
                await _ask_again(work, refund_id, errand.gateway, asks + 1, is_known=bool(facts))

        return store

    return call


async def ask_about_refunds(work: Work, attempt_id: uuid.UUID) -> None:
    """Have the provider asked about every refund of a payment that is on its way."""
    here = sa.and_(_R.c.business_id == work.business_id, _R.c.attempt_id == attempt_id, _R.c.state == "pending")
    for refund_id in (await work.execute(sa.select(_R.c.id).where(here).order_by(_R.c.id))).scalars():
        work.later(ASK_REFUND, {"refund_id": str(refund_id), "asks": None})


async def sweep(work: Work) -> None:
    """Take up again, once a week each, the refunds that should have ended a day ago, whatever became of their jobs."""
    mine = sa.and_(_O.c.business_id == _R.c.business_id, _O.c.refund_id == _R.c.id, _O.c.kind == GIVE_BACK)
    stale = (
        sa.select(_R.c.id, _R.c.at, _O.c.state)
        .join(_O, mine)
        .where(
            _R.c.business_id == work.business_id,
            _R.c.state == "pending",
            _R.c.business_date >= (work.now - 2 * WAITS_FOR).date(),
            _R.c.at < work.now - TRIES_FOR,
        )
    )
    for row in await work.execute(stale.order_by(_R.c.id)):
        said, week = {"refund_id": str(row.id)}, (work.now - row.at).days // 7
        if row.state == "planned":
            work.later(SEND_BACK, said, dedup=f"{SEND_BACK}:{row.id}:{week}")
        else:
            work.later(ASK_REFUND, said | {"asks": PLAN_ENDED}, dedup=f"{ASK_REFUND}:{row.id}:{week}")


async def _store(work: Work, refund_id: uuid.UUID, errand: Errand, said: Started | GatewayFailed) -> None:
    """Store what sending a refund came to."""
    gateway = errand.gateway
    await health.note(work, errand.way.account_id, "refund", said if isinstance(said, GatewayFailed) else None)
    refund, operation = await _pending(work, refund_id)
    if refund is None:  # its notice was faster
        operation = await _operation(work, refund_id)
        await _end(work, operation, "accepted")
        return
    if isinstance(said, Started):
        await _end(work, operation, "accepted")
        ids = {**(refund.provider_ids or {}), **plain_ids(said.ids)}
        here = sa.and_(_R.c.business_id == work.business_id, _R.c.id == refund_id)
        await work.execute(sa.update(Refund).where(here).values(provider_ids=ids or None))
        await hear_refund(work, refund_id, said.facts, "provider")
        await _ask_again(work, refund_id, gateway, 0)
        return
    if said.is_unsure:
        await _end(work, operation, "unsure", storable(said.fault))
        if gateway.capabilities.retry_is_safe and _may_try(work, operation):
            work.later(SEND_BACK, {"refund_id": str(refund_id)}, at=_later(work, refund))
        else:
            await _ask_again(work, refund_id, gateway, 0)
    elif said.fault.again and _may_try(work, operation):
        await _end(work, operation, "planned", storable(said.fault))
        at = work.now + dt.timedelta(seconds=said.after_s) if said.after_s else _later(work, refund)
        work.later(SEND_BACK, {"refund_id": str(refund_id)}, at=at)
    else:
        await _refuse(work, refund, operation, said.fault, "provider")


async def _refuse(
    work: Work, refund: Any, operation: Any, fault: Fault, source: Literal["clock", "provider"] = "clock"
) -> None:
    """End a refund of which nothing was made."""
    await _end(work, operation, "refused", storable(fault))
    await hear_refund(work, refund.id, [_failed(refund, fault)], source)


async def _wait(work: Work, refund: Any, operation: Any, gateway: Gateway, until: dt.datetime) -> None:
    """Send a refund once its gateway is let alone no more; if it has been tried for long enough, no longer."""
    if _may_try(work, operation):
        work.later(SEND_BACK, {"refund_id": str(refund.id)}, at=until)
    elif operation.state == "planned":
        await _refuse(work, refund, operation, Fault("provider_down", "The provider did not answer for a day"))
    else:
        await _ask_again(work, refund.id, gateway, 0)


def _may_try(work: Work, operation: Any) -> bool:
    return bool(work.now - operation.created_at < TRIES_FOR)


async def _ask_again(work: Work, refund_id: uuid.UUID, gateway: Gateway, asks: int, *, is_known: bool = False) -> None:
    """Plan the next question about a refund that is still pending; after the last one a person is asked.

    is_known: the provider says that it is making it, and may take its time.
    """
    refund, operation = await _pending(work, refund_id)
    if refund is None:
        return
    can, since = gateway.capabilities, operation.sent_at or operation.created_at
    if asks < len(can.asks_after_s):
        at = max(since + dt.timedelta(seconds=can.asks_after_s[asks]), work.now)
    elif is_known and work.now - since < WAITS_FOR:
        at = work.now + dt.timedelta(seconds=can.asks_last_s)
    else:
        await _ask_a_person(work, refund, f"{gateway.title} does not say whether the money went back")
        return
    work.later(ASK_REFUND, {"refund_id": str(refund_id), "asks": asks}, at=at)


async def _ask_a_person(work: Work, refund: Any, words: str) -> None:
    """Ask what became of a refund that was sent."""
    said: Mapping[str, Any] = {"attempt_id": refund.attempt_id, "amount": refund.amount, "currency": refund.currency}
    await open_review(work, "refund_unknown", refund.id, words=words, **said)


def _later(work: Work, refund: Any) -> dt.datetime:
    """When to try again: the longer it has been tried, the later, from 10 seconds to an hour."""
    age = (work.now - refund.at).total_seconds()
    return work.now + dt.timedelta(seconds=min(max(age, 10), 3600))


async def _pending(work: Work, refund_id: uuid.UUID) -> tuple[Any, Any]:
    """A refund that is pending and the operation that sends it, held; nothing where it has ended."""
    here = sa.and_(_R.c.business_id == work.business_id, _R.c.id == refund_id, _R.c.state == "pending")
    refund = (await work.execute(sa.select(_R).where(here).with_for_update())).one_or_none()
    if refund is None:
        return None, None
    operation = await _operation(work, refund_id)
    return (refund, operation) if operation is not None else (None, None)


async def _operation(work: Work, refund_id: uuid.UUID) -> Any:
    here = sa.and_(_O.c.business_id == work.business_id, _O.c.refund_id == refund_id, _O.c.kind == GIVE_BACK)
    return (await work.execute(sa.select(_O).where(here).with_for_update())).one_or_none()


async def _end(work: Work, operation: Any, state: str, fault: dict[str, Any] | None = None) -> None:
    """Note what became of an operation."""
    here = sa.and_(_O.c.business_id == work.business_id, _O.c.id == operation.id)
    ended = None if state == "planned" else work.now
    await work.execute(sa.update(Operation).where(here).values(state=state, ended_at=ended, fault=fault))


async def _errand(work: Work, refund: Any) -> Errand:
    """What to say to the gateway of a refund's payment. Raises UnknownGateway, AccountNotUsable, SealBroken."""
    payment = await work.get(Attempt, refund.attempt_id)
    way = await way_of(work, payment)
    known = await known_of(work, payment, payment.taken_at)
    back = Back(
        id=str(refund.id),
        payment=structs.replace(known, amount=payment.captured),  # of what came, all or a part goes back
        amount=refund.amount,
        words=refund.reason,
        notify=way.notify,
        ids=refund.provider_ids or {},
    )
    return Errand(way, back)


def _failed(refund: Any, fault: Fault) -> GatewayFact:
    return GatewayFact(
        kind="refund_failed",
        key=f"refused:{refund.id}",
        amount=refund.amount,
        fault=fault.kind,
        code=fault.code,
        words=fault.said,
    )
