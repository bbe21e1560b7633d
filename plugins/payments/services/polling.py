"""Asking providers how payments stand: by plan, at once where somebody has a reason, and again whatever was lost.

When a payment is asked about next stands in its row; the job is only what makes it happen. `asks` counts the questions:
of two that would ask the same one at once one does, and the sweeper finds what no job is left of.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import uuid
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from kernel.errors import RateLimited
from kernel.jobs import Call, Then
from kernel.sealing import SealBroken
from kernel.work import Work
from plugins.payments.errors import AccountNotUsable, NotAwaited, UnknownGateway
from plugins.payments.models import Attempt, Review
from plugins.payments.rules import FINAL
from plugins.payments.schemas.capabilities import Capabilities
from plugins.payments.schemas.gateways import Fault, GatewayFact, GatewayFailed, Known
from plugins.payments.services import health
from plugins.payments.services.accounts import installed
from plugins.payments.services.calling import (
    STALE,
    Matter,
    Request,
    Way,
    change_payment,
    deed_after,
    known_of,
    matter_of,
    payment_row,
    way_to,
)
from plugins.payments.services.hearing import hear
from plugins.payments.services.requesting import ASKING, START, have_asked, held_payment
from plugins.payments.services.reviews import ask_about
from plugins.payments.services.timing import next_ask

APART: Final = dt.timedelta(seconds=3)
"""Questions about one payment are so far apart, whoever wants them."""
NOT_SOONER: Final = dt.timedelta(seconds=5)
"""How soon a person may have a payment asked about again."""
_AGAIN: Final = dt.timedelta(minutes=5)
_LATE: Final = dt.timedelta(minutes=2)
_CLOSED_SHOP: Final = dt.timedelta(hours=1)
"""Where an account cannot be used, or a gateway is not installed, it is looked at again after so long."""
_AT_ONCE: Final = 500
_A, _R = Attempt.__table__, Review.__table__


async def ask(work: Work, payment_id: uuid.UUID, nth: int | None = None) -> Call | None:
    """Take up a question about a payment, and return the call that asks it; None where there is nothing to ask.

    nth: the question that was planned, given up if another was asked meanwhile. None: somebody has a reason to ask now,
    whatever the plan says; so it is, unless all is known or it was asked a moment ago.
    """
    matter = await matter_of(work, payment_id, "find")
    if matter is None or matter.request is None or not _is_due(matter.row, nth):
        return None
    row, operation = matter.row, matter.request
    if operation.state in ("planned", "sent"):
        await _stir(work, row, operation)
        return None
    if operation.sent_at is None:
        return None
    way = await _way_now(work, matter, operation, is_planned=nth is not None)
    return None if way is None else await _claim(work, way, row, operation)


def _is_due(row: Any, nth: int | None) -> bool:
    """Whether a planned question is still the next one, or there is something to learn by one for a reason."""
    if nth is None:
        return not (row.captured and row.reference)
    return row.asks == nth and row.next_ask_at is not None


async def _way_now(work: Work, matter: Matter, operation: Request, *, is_planned: bool) -> Way | None:
    """The way to the provider; None where it must not be gone now: the question is put off.

    Whoever has a reason, word from the provider or a person at the till, waits for no plan to begin.
    """
    row = matter.row
    try:
        way = way_to(work, matter)
    except (UnknownGateway, AccountNotUsable, SealBroken):
        await _postpone(work, row, work.now + _CLOSED_SHOP)
        return None
    until: dt.datetime | None = _earliest(row, operation, way.gateway.capabilities, is_planned=is_planned)
    if until is None or until <= work.now:
        until = await health.admit_at(work, row.account_id, "find", matter.closed_until)
    if until is None:
        return way
    await _postpone(work, row, until)
    return None


async def _claim(work: Work, way: Way, row: Any, operation: Any) -> Call | None:
    """Of several that would ask the same question one does; it plans the next."""
    at, is_slow = plan_next(work, row, way.gateway.capabilities, operation.sent_at)
    ends = row.state in FINAL and not (row.captured and row.reference is None and not is_slow)
    claimed = {"asks": row.asks + 1, "asked_at": work.now, "next_ask_at": None if ends else at}
    if not await change_payment(work, row.id, _A.c.asks == row.asks, **claimed):
        return None
    return _call(work, way, row, await known_of(work, row, operation.sent_at), is_slow)


def plan_next(work: Work, row: Any, can: Capabilities, began: dt.datetime) -> tuple[dt.datetime | None, bool]:
    """When to ask about a payment after now, and whether its plan has ended by then."""
    planned = next_ask(row.id, began, work.now, can.asks_after_s, can.asks_last_s)
    return (None, True) if planned is None else planned


def plan_question(work: Work, row: Any) -> None:
    """Declare the question about a payment's row that is planned next, if one is."""
    if row.next_ask_at is not None:
        work.later(ASKING, {"payment_id": str(row.id), "asks": row.asks}, at=row.next_ask_at)


async def ask_now(work: Work, payment_id: uuid.UUID) -> None:
    """Have a payment asked about after the commit. Raises NotFound, NotAwaited, RateLimited."""
    row = await held_payment(work, payment_id)
    if row.captured and row.reference:
        raise NotAwaited("Its money has come, and is known by its number")
    gateway = installed(work.deployment).get(row.gateway)
    if gateway is not None and not gateway.capabilities.is_asked:
        raise NotAwaited(f"{gateway.title} cannot be asked; look at the shop's own phone, and confirm it by hand")
    if row.asked_at is not None and (rest := row.asked_at + NOT_SOONER - work.now) > dt.timedelta():
        raise RateLimited(math.ceil(rest.total_seconds()), "The provider was asked a moment ago")
    have_asked(work, row.id)
    work.audit(subject=f"payment:{row.id}", location_id=row.location_id, register_id=row.register_id)


async def sweep(work: Work) -> int:
    """Take up again what should have been asked long ago, or was sent and never ended; returns how many."""
    late = sa.select(_A.c.id, _A.c.asks).where(
        _A.c.business_id == work.business_id,
        _A.c.gateway.is_not(None),
        _A.c.next_ask_at < work.now - _LATE,
    )
    rows = (await work.execute(late.order_by(_A.c.next_ask_at).limit(_AT_ONCE))).all()
    for row in rows:
        work.later(ASKING, {"payment_id": str(row.id), "asks": row.asks})
    return len(rows)


async def _stir(work: Work, row: Any, operation: Any) -> None:
    """The request has not been sent, or nobody knows: whoever sends it looks again, once it must be dead."""
    at = (operation.sent_at or operation.created_at) + STALE
    if operation.state == "planned" or at <= work.now:
        work.later(START, {"payment_id": str(row.id)})
        await change_payment(work, row.id, next_ask_at=work.now + STALE)
    else:
        await _postpone(work, row, at)


async def _postpone(work: Work, row: Any, at: dt.datetime) -> None:
    """Ask later, unless that is planned already."""
    if row.next_ask_at is None or not work.now < row.next_ask_at <= at:
        await change_payment(work, row.id, next_ask_at=at)
        work.later(ASKING, {"payment_id": str(row.id), "asks": row.asks}, at=at)


def _earliest(row: Any, operation: Any, can: Capabilities, *, is_planned: bool) -> dt.datetime:
    plan = can.asks_after_s[0] if can.asks_after_s and is_planned else 0
    first: dt.datetime = operation.sent_at + dt.timedelta(seconds=plan)
    return first if row.asked_at is None else max(first, row.asked_at + APART)


def _call(work: Work, way: Way, row: Any, known: Known, is_slow: bool) -> Call:
    do = deed_after(work, ASKING)

    async def call() -> Then:
        failed: GatewayFailed | None = None
        facts: Sequence[GatewayFact] = ()
        try:
            facts = await way.gateway.find(way.line, known)
        except GatewayFailed as fault:
            failed = fault
        except Exception:
            strange = GatewayFailed(Fault("unknown", "The gateway failed over the provider's answer"))
            await do(functools.partial(_keep, row=row, facts=(), failed=strange, is_slow=is_slow))
            raise
        return functools.partial(_keep, row=row, facts=facts, failed=failed, is_slow=is_slow)

    return call


async def _keep(
    work: Work, row: Any, facts: Sequence[GatewayFact], failed: GatewayFailed | None, is_slow: bool
) -> None:
    """Take in what was answered, and see to it that a payment of unknown end is asked about again. row: as it was."""
    await health.note(work, row.account_id, "find", failed)
    if failed is None:
        silence = GatewayFact(kind="unknown", key="query:nothing", words="The provider knows nothing of it")
        await hear(work, row.id, facts or [silence], "query")
    now = await payment_row(work, row.id)
    if now is not None and is_slow and now.state not in FINAL:
        await _ask_a_person(work, now)
    if now is None or now.next_ask_at is None:
        return
    at = now.next_ask_at
    if failed is not None:
        at = _after_failure(work.now, at, failed)
        await change_payment(work, row.id, next_ask_at=at)
    work.later(ASKING, {"payment_id": str(row.id), "asks": now.asks}, at=at)


def _after_failure(now: dt.datetime, planned: dt.datetime, failed: GatewayFailed) -> dt.datetime:
    """When a question that was not answered is asked again: soon, whatever the plan, but not before the provider says.

    So a provider that was down for longer than the plan is asked as soon as it is back.
    """
    at = min(planned, now + _AGAIN) if failed.fault.kind in ("provider_down", "timeout") else planned
    if failed.after_s is None:
        return at
    return max(at, now + dt.timedelta(seconds=min(max(failed.after_s, 0.0), 86_400.0)))


async def _ask_a_person(work: Work, row: Any) -> None:
    """Once for each payment of which its provider has not told the end within the plan."""
    asked = sa.select(_R.c.id).where(_R.c.business_id == work.business_id, _R.c.about == row.id, _R.c.kind == "unknown")
    if (await work.execute(asked.limit(1))).one_or_none() is None:
        await ask_about(work, "unknown", row, row.amount, "The provider does not say how this payment ended")
