"""Strikes written down after the request that saw them; three trip a plugin's answers, until somebody resets it."""

from __future__ import annotations

import itertools
import logging
import uuid
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kernel import metrics
from kernel.auth.acting import act
from kernel.db import Phase
from kernel.db.tables import Business, Trip
from kernel.hooks import Noted
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
            mine = {key: taken[key] for key in group}
            try:
                await _write(deployment, business, {key[1:]: noted for key, noted in mine.items()})
            except Exception:  # the request has been answered; the strike must not look like its failure
                log.exception("strikes in business %s could not be written down", business)
                strikes.put_back(mine)
    finally:
        strikes.is_writing = False


async def reset(work: Work, plugin: str) -> None:
    """Forget what a plugin failed in; its answers are asked for again from the next request on."""
    here = sa.and_(Trip.business_id == work.business_id, Trip.plugin == plugin, Trip.reset_at.is_(None))
    known = (await work.execute(sa.select(Trip.hook, Trip.tripped_at).where(here).order_by(Trip.hook))).all()
    work.audit(subject=f"plugin:{plugin}", reset=[row.hook for row in known])
    values = {"reset_at": work.now, "reset_by": work.actor.id, "tripped_at": None}
    await work.execute(sa.update(Trip).where(here).values(**values))
    for row in known:
        before = {"tripped_at": row.tripped_at, "reset_at": None}
        work.changed(Trip, f"{plugin}:{row.hook}", before, {"tripped_at": None, "reset_at": work.now})
    if any(row.tripped_at for row in known):
        await _raise_epoch(work)
    work.deployment.strikes.forget(work.business_id, plugin)


async def _write(deployment: Deployment, business: uuid.UUID, noted: dict[tuple[str, str], Noted]) -> None:
    """One deed of a business. Only a trip changes what is on, so only it takes the exclusive lock and is audited."""
    tripped = [pair for pair, one in noted.items() if one.trips]

    async def write(work: Work) -> None:
        for (plugin, hook), one in sorted(noted.items(), key=lambda pair: pair[0]):
            await work.execute(_added(work, plugin, hook, one))
        if tripped:
            plugins = sorted({plugin for plugin, _ in tripped})
            why = "; ".join(f"{plugin} in {hook}: {noted[plugin, hook].words}" for plugin, hook in tripped)
            work.audit(subject=f"plugin:{plugins[0]}", reason=why[:200], tripped=[list(pair) for pair in tripped])
            await _raise_epoch(work)

    phase = Phase.SWITCH if tripped else Phase.WRITE
    await act(deployment, business, write, deed=TRIPPED, phase=phase, audited=bool(tripped))
    for plugin, hook in tripped:
        metrics.HOOK_TRIPS.labels(plugin, hook).inc()
        log.error("%s is left out of %s in business %s: %s", plugin, hook, business, noted[plugin, hook].words)


def _added(work: Work, plugin: str, hook: str, one: Noted) -> sa.Executable:
    """Add strikes to a row, in one statement, so that processes do not lose one another's."""
    values: dict[str, Any] = {
        "business_id": work.business_id,
        "plugin": plugin,
        "hook": hook,
        "reason": one.words,
        "strikes": one.strikes,
        "first_strike_at": one.first_at,
        "last_strike_at": one.last_at,
        "tripped_at": one.last_at if one.trips else None,
    }
    insert = (postgresql if work.deployment.database.is_postgres else sqlite).insert(Trip).values(values)
    new, is_new = insert.excluded, Trip.reset_at.is_not(None)
    changes = {
        "reason": new.reason,
        "strikes": sa.case((is_new, new.strikes), else_=Trip.strikes + new.strikes),
        "first_strike_at": sa.case((is_new, new.first_strike_at), else_=Trip.first_strike_at),
        "last_strike_at": new.last_strike_at,
        "tripped_at": sa.func.coalesce(Trip.tripped_at, new.tripped_at),
        "reset_at": None,
        "reset_by": None,
    }
    added: sa.Executable = insert.on_conflict_do_update(index_elements=["business_id", "plugin", "hook"], set_=changes)
    return added


async def _raise_epoch(work: Work) -> None:
    await work.execute(sa.update(Business).where(Business.id == work.business_id).values(epoch=Business.epoch + 1))


def _business(key: tuple[uuid.UUID, str, str]) -> uuid.UUID:
    return key[0]
