"""Strikes written down after the request that saw them; three trip a plugin's answers, until somebody resets it.

The strikes of all processes stand in one row and are counted there.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kernel import metrics
from kernel.auth.acting import act
from kernel.db import Phase
from kernel.db.tables import Business, Trip
from kernel.hooks import Noted, Pair, recent_of
from kernel.work import Deployment, Work

log = logging.getLogger("duka.hooks")
TRIPPED: Final = "trip a plugin"


async def write_strikes(deployment: Deployment) -> None:
    """Write down what this process has counted. What cannot be written now is kept for the next time, and logged."""
    strikes = deployment.strikes
    if not strikes.waiting or strikes.is_writing:
        return
    strikes.is_writing = True
    try:
        taken = strikes.take()
        for business, group in itertools.groupby(sorted(taken, key=lambda key: (key[0].bytes, *key[1:])), _business):
            await _write(deployment, business, {key[1:]: taken[key] for key in group})
    finally:
        strikes.is_writing = False


async def reset(work: Work, plugin: str) -> None:
    """Forget what a plugin failed in; its answers are asked for again from the next request on."""
    here = sa.and_(Trip.business_id == work.business_id, Trip.plugin == plugin, Trip.reset_at.is_(None))
    known = (await work.execute(sa.select(Trip.hook, Trip.tripped_at).where(here).order_by(Trip.hook))).all()
    work.audit(subject=f"plugin:{plugin}", reset=[row.hook for row in known])
    values: dict[str, Any] = {"reset_at": work.now, "reset_by": work.actor.id, "tripped_at": None, "recent": []}
    await work.execute(sa.update(Trip).where(here).values(**values))
    for row in known:
        before = {"tripped_at": row.tripped_at, "reset_at": None}
        work.changed(Trip, f"{plugin}:{row.hook}", before, {"tripped_at": None, "reset_at": work.now})
    if any(row.tripped_at for row in known):
        await _raise_epoch(work)
    work.deployment.strikes.forget(work.business_id, plugin)


async def _write(deployment: Deployment, business: uuid.UUID, noted: dict[Pair, Noted]) -> None:
    """Add what this process has seen to what all have written; whoever adds the strike that is one too many trips.

    A trip that cannot be written is left to the next strike: those that are written count on.
    """

    async def add(work: Work) -> list[Pair]:
        return [pair for pair, one in sorted(noted.items()) if await _is_one_too_many(work, pair, one)]

    is_written = False
    try:
        ripe = await act(deployment, business, add, deed=TRIPPED, audited=False)
        is_written = True
        if ripe:
            await _trip(deployment, business, {pair: noted[pair].words for pair in ripe})
    except Exception:  # the request has been answered; the strike must not look like its failure
        log.exception("strikes in business %s could not be written down", business)
        if not is_written:
            deployment.strikes.put_back({(business, *pair): one for pair, one in noted.items()})


async def _is_one_too_many(work: Work, pair: Pair, one: Noted) -> bool:
    """Write strikes down, holding the row to the end of the deed, so that no two processes count past one another."""
    row = (await work.execute(_added(work, pair, one))).one()
    counted = work.deployment.strikes
    before = [dt.datetime.fromisoformat(said) for said in row.recent]
    times, trips = recent_of([*before, *one.times], counted.limit, counted.window)
    here = sa.and_(Trip.business_id == work.business_id, Trip.plugin == pair[0], Trip.hook == pair[1])
    await work.execute(sa.update(Trip).where(here).values(recent=[at.isoformat() for at in times]))
    return trips and row.tripped_at is None


async def _trip(deployment: Deployment, business: uuid.UUID, reasons: Mapping[Pair, str]) -> None:
    """Leave plugins out from the next request on. What somebody has tripped or reset meanwhile stays as it is."""

    async def trip(work: Work) -> list[Pair]:
        found = [pair for pair in reasons if await _is_tripped_now(work, pair)]
        if found:
            why = "; ".join(f"{plugin} in {hook}: {reasons[plugin, hook]}" for plugin, hook in found)
            work.audit(subject=f"plugin:{found[0][0]}", reason=why[:200], tripped=[list(pair) for pair in found])
            await _raise_epoch(work)
        return found

    for plugin, hook in await act(deployment, business, trip, deed=TRIPPED, phase=Phase.SWITCH, audited=False):
        metrics.HOOK_TRIPS.labels(plugin, hook).inc()
        log.error("%s is left out of %s in business %s: %s", plugin, hook, business, reasons[plugin, hook])


async def _is_tripped_now(work: Work, pair: Pair) -> bool:
    standing = (Trip.tripped_at.is_(None), Trip.reset_at.is_(None))
    mine = sa.and_(Trip.business_id == work.business_id, Trip.plugin == pair[0], Trip.hook == pair[1], *standing)
    done = await work.execute(sa.update(Trip).where(mine).values(tripped_at=Trip.last_strike_at, recent=[]))
    return bool(done.rowcount)


def _added(work: Work, pair: Pair, one: Noted) -> sa.Executable:
    """Add strikes to a row, in one statement, so that processes do not lose one another's; answers what counts."""
    values: dict[str, Any] = {
        "business_id": work.business_id,
        "plugin": pair[0],
        "hook": pair[1],
        "reason": one.words,
        "strikes": one.strikes,
        "recent": [],
        "first_strike_at": one.first_at,
        "last_strike_at": one.last_at,
    }
    insert = (postgresql if work.deployment.database.is_postgres else sqlite).insert(Trip).values(values)
    new, is_new = insert.excluded, Trip.reset_at.is_not(None)
    changes = {
        "reason": new.reason,
        "strikes": sa.case((is_new, new.strikes), else_=Trip.strikes + new.strikes),
        "recent": sa.case((is_new, new.recent), else_=Trip.recent),
        "first_strike_at": sa.case((is_new, new.first_strike_at), else_=Trip.first_strike_at),
        "last_strike_at": new.last_strike_at,
        "reset_at": None,
        "reset_by": None,
    }
    keys = ["business_id", "plugin", "hook"]
    added: sa.Executable = insert.on_conflict_do_update(index_elements=keys, set_=changes).returning(
        Trip.recent, Trip.tripped_at
    )
    return added


async def _raise_epoch(work: Work) -> None:
    await work.execute(sa.update(Business).where(Business.id == work.business_id).values(epoch=Business.epoch + 1))


def _business(key: tuple[uuid.UUID, str, str]) -> uuid.UUID:
    return key[0]
