"""Deeds: a command run in one transaction, again from the start when the database or an epoch demands it.

This is the only module that commits.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import IO, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kernel import metrics
from kernel.db import Phase, Prepared, Transaction, Trouble, trouble_of
from kernel.db.sides import plugin_beside
from kernel.db.tables import Business, Epoch, Idempotency
from kernel.errors import (
    AlreadyExists,
    DukaError,
    Fault,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Internal,
    InUse,
    Invalid,
    NotFound,
    PluginFailed,
    RunAgain,
    Unavailable,
)
from kernel.hooks import LeftOut, Pair
from kernel.work.approvals import use_approvals
from kernel.work.crash import crashpoint
from kernel.work.deployment import Deployment
from kernel.work.effects import StoredAnswer, inside_json
from kernel.work.leaving_out import note_strike, one_more
from kernel.work.standing import Origin, Standing
from kernel.work.unit import Work

log = logging.getLogger("duka.work")
T = TypeVar("T")
TRIES = 5


class Moved(RunAgain):
    """What is switched on changed, or the key was taken, since the deed began: run it again."""


class Answered(msgspec.Struct, frozen=True):
    """What a command answers: status, headers, encoded body; `replayed` when it was kept from an earlier try.

    file: what is sent in place of the body, of queries and flows only. stream: what is sent bit by bit.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    replayed: bool = False
    file: IO[bytes] | None = None
    stream: AsyncIterator[bytes] | None = None


class Key(msgspec.Struct, frozen=True):
    """An idempotency key in its scope, and the hash of what was asked with it."""

    principal: uuid.UUID
    route: str
    key: str
    request_hash: bytes


class Deed(Generic[T]):
    """One command in the doing.

    run: the use case. encode: its value → the answer. identify: reads the standing anew, for a second try. Once what is
    switched on has moved under a deed, it takes the lock first and reads under it, so that it cannot move again.
    """

    def __init__(
        self,
        deployment: Deployment,
        transaction: Transaction,
        standing: Standing,
        origin: Origin,
        *,
        run: Callable[[Work], Awaitable[T]],
        encode: Callable[[T], Answered],
        identify: Callable[[Transaction], Awaitable[Standing]],
        key: Key | None = None,
        read_first: bool = False,
        if_match: str | None = None,
        phase: Phase = Phase.WRITE,
        audited: bool = True,
    ) -> None:
        self.deployment, self.transaction, self.standing, self.origin = deployment, transaction, standing, origin
        self.run, self.encode, self.identify = run, encode, identify
        self.key, self.read_first, self.if_match = key, read_first, if_match
        self.phase, self.audited = phase, audited
        self._taking_key = self._is_writer = self._lock_first = self._committing = False
        self._left_out: frozenset[Pair] = frozenset()

    async def perform(self) -> Answered:
        """Run until it commits, at most five times. Raises a DukaError and leaves nothing behind otherwise."""
        if self.key is None:
            return await self._perform()
        mine = (self.standing.business_id, self.key.principal, self.key.route, self.key.key)
        if mine in self.deployment.keys_in_use:
            raise IdempotencyInProgress
        self.deployment.keys_in_use.add(mine)
        try:
            return await self._perform()
        finally:
            self.deployment.keys_in_use.discard(mine)

    async def _perform(self) -> Answered:
        attempt, is_again = 0, False
        while attempt < TRIES:
            try:
                if is_again:
                    await self._again(attempt)
                    if kept := await self._kept():
                        return kept
                return await self._once()
            except LeftOut as failed:
                await self._leave_out(failed)
                attempt -= 1  # what is left out grows, so this ends
            except Moved:
                self._lock_first = True
                metrics.RETRIES.labels("moved").inc()
            except PluginFailed as failed:
                note_strike(self.deployment, self.standing, failed)
                if self.transaction.phase is Phase.READ and (kept := await self._kept_after_failure()):
                    return kept
                raise
            except DukaError:
                if self.transaction.phase is Phase.READ and (kept := await self._kept()):
                    return kept
                raise
            except Exception as error:
                await self._judge(error)
            finally:
                self._leave_writers()
            attempt, is_again = attempt + 1, True
        raise Unavailable

    async def _once(self) -> Answered:
        crashpoint("deed.begun")
        if self._lock_first:
            await self._begin_writing()
        work = Work(
            self.deployment,
            self.transaction,
            self.standing,
            self.origin,
            if_match=self.if_match,
            begin_writing=self._begin_writing,
            left_out=self._left_out,
        )
        if not self.read_first:
            await work.write()
        value = await self.run(work)
        answer = self.encode(value)
        crashpoint("deed.answered")
        if work.claims:
            await use_approvals(work)
        audited = self.audited or work.leaves_traces
        if audited:
            await work.leave_audit_row()
        numbers = await self._write(work, answer)
        crashpoint("deed.before_commit")
        self._committing = True
        await self.transaction.commit()
        crashpoint("deed.committed")
        self.deployment.commits.note(work.business_id)
        if work.effects.leaves_jobs:
            self.deployment.jobs_due.set()
        if audited:
            self.deployment.to_seal.add(work.business_id)
        return _with_numbers(answer, numbers)

    async def _kept(self) -> Answered | None:
        """What the key was answered before. Raises IdempotencyKeyReused, IdempotencyInProgress.

        Most keys are new, which the insert of the key tells for nothing: so it is asked only once a try has failed.
        """
        kept = await _look_up(self.transaction, self.standing, self.key) if self.key else None
        if kept:
            metrics.REPLAYS.inc()
        return kept

    async def _leave_out(self, failed: LeftOut) -> None:
        """Do without an answer that failed. What it left of the transaction is thrown away."""
        self._left_out = one_more(self.deployment, self.standing, self._left_out, failed)
        await self.transaction.close()

    async def _kept_after_failure(self) -> Answered | None:
        """As `_kept`, with a transaction that no plugin has spoilt."""
        await self.transaction.close()
        await self._again(0)
        return await self._kept()

    async def _again(self, attempt: int) -> None:
        await asyncio.sleep(random.uniform(0.005, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
        await self.transaction.begin(Phase.READ)
        self.standing = await self.identify(self.transaction)

    async def _begin_writing(self) -> None:
        crashpoint("deed.priced")
        await self.deployment.writers.acquire()
        self._is_writer = True
        await self.transaction.begin(self.phase)
        crashpoint("deed.writing")
        if self._lock_first:
            self.standing = await self.identify(self.transaction)
        self._taking_key = self.key is not None
        current = await _take_key_and_check_epoch(self.transaction, self.standing, self.key, self.deployment.clock())
        self._taking_key = False
        if not current:
            raise Moved
        crashpoint("deed.key_taken")

    def _leave_writers(self) -> None:
        if self._is_writer:
            self._is_writer = False
            self.deployment.writers.release()

    async def _write(self, work: Work, answer: Answered) -> dict[str, str]:
        if self.key is None or work.business_id == self.standing.business_id:
            return await work.flush(self._stored(answer))
        numbers = await work.flush()  # a business was made: the key, and so the answer, stay where the deed began
        await self.transaction.enter_business(self.standing.business_id)
        home = Work(self.deployment, self.transaction, self.standing, self.origin)
        await home.flush(self._stored(_with_numbers(answer, numbers)))
        return numbers

    def _stored(self, answer: Answered) -> StoredAnswer | None:
        if self.key is None:
            return None
        key = self.key
        return StoredAnswer(key.principal, key.route, key.key, answer.status, answer.headers, answer.body.decode())

    async def _judge(self, error: Exception) -> None:
        """Return to run again, or raise what the caller is told."""
        trouble = trouble_of(error)
        if trouble is None:
            raise error
        waited_for_key, self._taking_key = self._taking_key, False
        if trouble.kind == "lost":
            await self.transaction.close()
            if self._committing and self.key is None:  # whether it was committed, no one can say
                raise as_told(trouble) from error
            self._committing = False
        if trouble.kind in ("retry", "lost") or (trouble.kind == "locked" and not waited_for_key):
            metrics.RETRIES.labels(trouble.kind).inc()
            log.info("deed %s runs again: %s", self.origin.deed, trouble.kind)
            return
        raise as_told(trouble) from error


def as_told(trouble: Trouble) -> DukaError:
    """A database error as the caller is told of it."""
    match trouble.kind:
        case "locked":
            return IdempotencyInProgress()
        case "unique":
            plugin = plugin_beside(trouble.table)
            base = f"/ext/{plugin}" if plugin else ""
            faults = [Fault(f"{base}/{column}", "already-exists") for column in trouble.columns]
            said = f"Another one with this {' and '.join(trouble.columns)} exists" if trouble.columns else ""
            return AlreadyExists(said, faults=faults)
        case "reference":
            return NotFound("Something it refers to is missing")
        case "in-use":
            return InUse("Something still refers to it")
        case _:
            return _PLAINLY.get(trouble.kind, Internal)()


def _out_of_range() -> Invalid:
    return Invalid("A value is out of range")


_PLAINLY: dict[str, Callable[[], DukaError]] = {
    "check": _out_of_range,
    "data": _out_of_range,
    "forbidden": NotFound,
    "lost": Unavailable,
    "retry": Unavailable,
    "slow": Unavailable,
}

_I = Idempotency.__table__.c
_LOOK_UP = Prepared(
    sa.select(_I.request_hash, _I.status, _I.headers, _I.body).where(
        _I.business_id == sa.bindparam("business_id"),
        _I.principal == sa.bindparam("principal"),
        _I.route == sa.bindparam("route"),
        _I.key == sa.bindparam("key"),
    )
)
_EPOCHS = sa.select(
    sa.select(Epoch.value).where(Epoch.scope == "deployment").scalar_subquery().label("deployment"),
    sa.select(Epoch.value).where(Epoch.scope == sa.bindparam("region")).scalar_subquery().label("region"),
    sa.select(Business.epoch).where(Business.id == sa.bindparam("business_id")).scalar_subquery().label("business"),
)
_NEW_KEY: dict[str, Any] = {
    "business_id": sa.bindparam("business_id"),
    "principal": sa.bindparam("principal"),
    "route": sa.bindparam("route"),
    "key": sa.bindparam("key"),
    "request_hash": sa.bindparam("request_hash"),
    "created_at": sa.bindparam("created_at"),
}
_taken = postgresql.insert(Idempotency).values(_NEW_KEY).on_conflict_do_nothing().returning(_I.key).cte("taken")
_TAKE_KEY_AND_EPOCHS = Prepared(
    _EPOCHS.add_columns(sa.select(sa.func.count()).select_from(_taken).scalar_subquery().label("taken"))
)
_TAKE_KEY = Prepared(sqlite.insert(Idempotency).values(_NEW_KEY).on_conflict_do_nothing().returning(_I.key))
_READ_EPOCHS = Prepared(_EPOCHS)


async def _look_up(transaction: Transaction, standing: Standing, key: Key) -> Answered | None:
    row = await transaction.one(
        _LOOK_UP, business_id=standing.business_id, principal=key.principal, route=key.route, key=key.key
    )
    if row is None:
        return None
    if bytes(row.request_hash) != key.request_hash:
        raise IdempotencyKeyReused
    if row.status is None:
        raise IdempotencyInProgress
    return Answered(row.status, row.body.encode(), row.headers or {}, replayed=True)


async def _take_key_and_check_epoch(
    transaction: Transaction, standing: Standing, key: Key | None, now: dt.datetime
) -> bool:
    """Insert the key first, and compare the epochs under the lock. False: run the deed again."""
    scope: dict[str, Any] = {"business_id": standing.business_id}
    region = {"region": f"region:{standing.shop.region}" if standing.shop else ""}
    if key is None:
        row = await transaction.one(_READ_EPOCHS, **scope, **region)
    else:
        named = {"principal": key.principal, "route": key.route, "key": key.key}
        fresh = {"request_hash": key.request_hash, "created_at": now}
        if transaction.database.is_postgres:
            row = await transaction.one(_TAKE_KEY_AND_EPOCHS, **scope, **region, **named, **fresh)
            taken = row is not None and bool(row.taken)
        else:
            taken = await transaction.one(_TAKE_KEY, **scope, **named, **fresh) is not None
            row = await transaction.one(_READ_EPOCHS, **scope, **region)
        if not taken:
            return False
    epochs = standing.epochs
    found = (row.deployment or 1, row.region or 1, row.business or 0) if row else ()
    return found == (epochs.deployment, epochs.region, epochs.business)


def _with_numbers(answer: Answered, numbers: dict[str, str]) -> Answered:
    body, headers = answer.body, dict(answer.headers)
    for token, number in numbers.items():
        body = body.replace(token.encode(), inside_json(number).encode())
    return Answered(answer.status, body, headers)
