"""Providers' access tokens: one for an account over all processes, since a second one may end the first.

Who finds none takes a lease, fetches one with no transaction open, and stores it sealed; the others wait for it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from kernel.auth import act
from kernel.db import Prepared, upsert
from kernel.sealing import seal, unseal
from kernel.work import Deployment, Work
from plugins.payments.models import SharedToken
from plugins.payments.schemas.gateways import Fault, GatewayFailed, Token

EARLY_S: Final = 60.0
"""A token is taken for lapsed so long before it does; one that lasts less than twice as long, at half its time."""
LEASE: Final = dt.timedelta(seconds=30)
"""Longer than a call may take: who fetches is thought to have died by then."""
PATIENCE_S: Final = 10.0
_LOOKS_S: Final = 0.05
_LONGEST_S: Final = 31_536_000.0
_PURPOSE: Final = "gateway token"
_DEED: Final = "payments.token"
_T = SharedToken.__table__.c
_KNOWN = Prepared(
    sa.select(_T.sealed, _T.lapses_at, _T.fetching_until).where(
        _T.business_id == sa.bindparam("business_id"), _T.account_id == sa.bindparam("account_id", type_=sa.Uuid())
    )
)


class KnownToken(NamedTuple):
    """A token as it stands in the database."""

    sealed: bytes
    lapses_at: dt.datetime


class Key(NamedTuple):
    """Whose token it is."""

    business_id: uuid.UUID
    account_id: uuid.UUID


_here: WeakKeyDictionary[Any, dict[Key, asyncio.Lock]] = WeakKeyDictionary()
"""Askers of one process wait for each other; only one of them looks into the database again and again."""


async def token(
    deployment: Deployment, key: Key, fetch: Callable[[], Awaitable[Token]], known: KnownToken | None = None
) -> str:
    """The account's token, or another where it lapses within a minute. Raises SealBroken.

    known: as it was read a moment ago, with the rest; so it is not read again where it holds. And raises GatewayFailed,
    always sure: what the token was wanted for has not been said yet.
    """
    if known is not None and _holds(known, deployment.clock()):
        return _unsealed(deployment, key, known.sealed)
    lock = _here.setdefault(deployment.database, {}).setdefault(key, asyncio.Lock())
    try:
        async with asyncio.timeout(PATIENCE_S) as patience, lock:
            while True:
                row = await _look(deployment, key)
                if row is not None and _holds(row, deployment.clock()):
                    return _unsealed(deployment, key, row.sealed)
                lease = await _lease(deployment, key, row)
                if lease is not None:
                    patience.reschedule(None)
                    return await _fetch(deployment, key, fetch, lease)
                await asyncio.sleep(_LOOKS_S)
    except TimeoutError:
        raise GatewayFailed(Fault("provider_down", "The provider gives no access just now", again=True)) from None


async def forget(deployment: Deployment, key: Key, text: str) -> None:
    """Drop a token, unless there is another by now."""
    row = await _look(deployment, key)
    if row is None or row.sealed is None or _unsealed(deployment, key, row.sealed) != text:
        return
    sealed = bytes(row.sealed)

    async def run(work: Work) -> None:
        gone = sa.update(SharedToken).where(_of(key), _T.sealed == sealed)
        await work.execute(gone.values(sealed=None, lapses_at=None))

    await act(deployment, key.business_id, run, deed=_DEED, audited=False)


async def take_lease(work: Work, key: Key) -> dt.datetime | None:
    """Until when it falls to this asker to fetch a token; of several at once it falls to one."""
    fresh = upsert(work.deployment.database, SharedToken).values(business_id=key.business_id, account_id=key.account_id)
    await work.execute(fresh.on_conflict_do_nothing())
    lapsed = sa.or_(_T.sealed.is_(None), _T.lapses_at <= work.now)
    free = sa.or_(_T.fetching_until.is_(None), _T.fetching_until <= work.now)
    until = work.now + LEASE
    taken = sa.update(SharedToken).where(_of(key), lapsed, free).values(fetching_until=until)
    return until if (await work.execute(taken)).rowcount else None


async def _lease(deployment: Deployment, key: Key, row: Any) -> dt.datetime | None:
    if row is not None and row.fetching_until is not None and row.fetching_until > deployment.clock():
        return None
    return await act(deployment, key.business_id, lambda work: take_lease(work, key), deed=_DEED, audited=False)


async def _fetch(deployment: Deployment, key: Key, fetch: Callable[[], Awaitable[Token]], lease: dt.datetime) -> str:
    """Fetch a token and store it, unless the lease went to another meanwhile; without one only the lease is let go."""
    values: dict[str, Any] = {"fetching_until": None}
    try:
        fetched = await fetch()
        sealed = seal(deployment.secrets, _PURPOSE, _owner(key), fetched.text)
        holds_s = max(fetched.lasts_s - EARLY_S, fetched.lasts_s / 2, 0.0)
        lapses_at = deployment.clock() + dt.timedelta(seconds=min(holds_s, _LONGEST_S))
        values |= {"sealed": sealed, "lapses_at": lapses_at}
        return fetched.text
    except GatewayFailed as failed:
        raise GatewayFailed(failed.fault, after_s=failed.after_s) from failed
    finally:

        async def store(work: Work) -> None:
            await work.execute(sa.update(SharedToken).where(_of(key), _T.fetching_until == lease).values(values))

        await act(deployment, key.business_id, store, deed=_DEED, audited=False)


async def _look(deployment: Deployment, key: Key) -> Any:
    async with deployment.database.reading(key.business_id) as transaction:
        return await transaction.one(_KNOWN, business_id=key.business_id, account_id=key.account_id)


def _holds(row: Any, now: dt.datetime) -> bool:
    return row.sealed is not None and row.lapses_at is not None and row.lapses_at > now


def _of(key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(_T.business_id == key.business_id, _T.account_id == key.account_id)


def _owner(key: Key) -> str:
    return f"{key.business_id}/{key.account_id}"


def _unsealed(deployment: Deployment, key: Key, sealed: bytes) -> str:
    return unseal(deployment.secrets, _PURPOSE, _owner(key), sealed)
