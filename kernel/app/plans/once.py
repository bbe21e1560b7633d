"""An operators' deed under an idempotency key: done once, and answered the same whenever it is asked for again.

Between taking the key and keeping the answer run migrations and archives, which are no deeds. So the key is taken first
and the answer kept last, each by itself, while nobody else changes what is installed. A key that was taken and has no
answer is of somebody who was broken off: the plan that is left says whether it was done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from kernel import metrics
from kernel.app.plans.carrying import Carried, only_one
from kernel.app.uninstalling import Busy
from kernel.auth import act
from kernel.db.tables import Idempotency
from kernel.errors import IdempotencyInProgress, IdempotencyKeyReused
from kernel.work import Deployment, Key, Work

DEED = "keep an answer"
CarryOut = Callable[[bool], Awaitable[Carried]]
"""Does it; told whether somebody began it under the same key and was broken off."""


async def carry_out_once(
    deployment: Deployment, key: Key, carry_out: CarryOut, encode: Callable[[Carried], bytes]
) -> tuple[bytes, bool]:
    """Carry a plan out; returns the answer, and whether it is one that was given before.

    What fails leaves no key behind. Raises IdempotencyKeyReused, IdempotencyInProgress while the first is under way,
    Busy while somebody else is at it, and what the plan is refused with.
    """
    try:
        async with only_one(deployment):
            return await _alone(deployment, key, carry_out, encode)
    except Busy:
        is_taken, kept = await act(deployment, None, lambda work: _look_up(work, key), deed=DEED, audited=False)
        if kept is not None:
            return kept, True
        if is_taken:
            raise IdempotencyInProgress from None
        raise


async def _alone(
    deployment: Deployment, key: Key, carry_out: CarryOut, encode: Callable[[Carried], bytes]
) -> tuple[bytes, bool]:
    was_begun, kept = await act(deployment, None, lambda work: _take(work, key), deed=DEED, audited=False)
    if kept is not None:
        metrics.REPLAYS.inc()
        return kept, True
    try:
        answer = encode(await carry_out(was_begun))
    except Exception:
        await act(deployment, None, lambda work: _forget(work, key), deed=DEED, audited=False)
        raise
    await act(deployment, None, lambda work: _keep(work, key, answer), deed=DEED, audited=False)
    return answer, False


async def _look_up(work: Work, key: Key) -> tuple[bool, bytes | None]:
    """Whether a key is taken, and the answer that is kept under it. Raises IdempotencyKeyReused."""
    asked = sa.select(Idempotency.request_hash, Idempotency.body).where(_mine(work, key))
    row = (await work.execute(asked)).one_or_none()
    if row is None:
        return False, None
    if bytes(row.request_hash) != key.request_hash:
        raise IdempotencyKeyReused
    return True, row.body.encode() if row.body is not None else None


async def _take(work: Work, key: Key) -> tuple[bool, bytes | None]:
    """The same, taking the key where nobody has it."""
    found = await _look_up(work, key)
    if not found[0]:
        named = {"principal": key.principal, "route": key.route, "key": key.key}
        fresh = {"business_id": work.business_id, "request_hash": key.request_hash, "created_at": work.now}
        await work.execute(sa.insert(Idempotency).values(**named, **fresh))
    return found


async def _keep(work: Work, key: Key, answer: bytes) -> None:
    kept = {"status": 200, "headers": {}, "body": answer.decode()}
    await work.execute(sa.update(Idempotency).where(_mine(work, key)).values(**kept))


async def _forget(work: Work, key: Key) -> None:
    await work.execute(sa.delete(Idempotency).where(_mine(work, key)))


def _mine(work: Work, key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(
        Idempotency.business_id == work.business_id,
        Idempotency.principal == key.principal,
        Idempotency.route == key.route,
        Idempotency.key == key.key,
    )
