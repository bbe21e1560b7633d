"""A plugin that goes off once it has ended what it has begun: looked at every minute."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kernel.app.plans.making import open_obligations
from kernel.auth import act
from kernel.auth.businesses.switching import disable, hindrances_to_disable
from kernel.db import Phase
from kernel.db.tables import BusinessPlugin
from kernel.jobs import Call, job
from kernel.work import Work

DRAIN = "kernel.drain_plugin"
EVERY = dt.timedelta(minutes=1)


@job(DRAIN)
async def drain_plugin(work: Work, payload: Mapping[str, Any]) -> Call | None:
    """Switch a draining plugin off if nothing of it is open and nothing stands on it, else look again in a minute."""
    name = payload["plugin"]
    if not await _is_draining(work, name):
        return None
    if name in work.deployment.registry.plugins and await _is_held(work, name):
        work.later(DRAIN, payload, at=work.now + EVERY)
        return None
    business, deployment = work.business_id, work.deployment

    async def switch() -> None:
        await act(deployment, business, lambda inner: _finish(inner, name), deed=DRAIN, phase=Phase.SWITCH)

    return switch


async def _finish(work: Work, name: str) -> None:
    """Under the exclusive lock, where nothing more can be begun."""
    if not await _is_draining(work, name):
        return
    if await _is_held(work, name):
        work.later(DRAIN, {"plugin": name}, at=work.now + EVERY)
        return
    await disable(work, name)


async def _is_held(work: Work, name: str) -> bool:
    """Whether something of it is open, or another plugin that is still on stands on it."""
    above = hindrances_to_disable(work.deployment.registry, name, work.standing.enabled)
    return bool(above) or bool(await open_obligations(work, name))


async def _is_draining(work: Work, name: str) -> bool:
    here = sa.and_(BusinessPlugin.business_id == work.business_id, BusinessPlugin.plugin == name)
    state = (await work.execute(sa.select(BusinessPlugin.state).where(here))).scalar_one_or_none()
    return state == "draining"
