"""Backups by themselves: made when the last is as old as it may be, by whichever process of a home comes first."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging

from kernel.app.backing_up import NotedBackup, keep_backup, kept_now
from kernel.app.plans import apart
from kernel.app.uninstalling import Busy
from kernel.auth import act
from kernel.work import Deployment, Work

log = logging.getLogger("duka.backups")
LOOK_S = 60.0
AGAIN = dt.timedelta(minutes=15)
"""One that failed is tried again no sooner."""


async def loop(deployment: Deployment, stop: asyncio.Event) -> None:
    """Make those that are due until told to stop."""
    while deployment.settings.backup_every_hours and not stop.is_set():
        try:
            await make_if_due(deployment)
        except Busy:
            log.debug("a backup is being made already")
        except Exception:  # it is noted, shown and tried again; the loop must outlive it
            log.exception("no backup could be made")
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)


async def make_if_due(deployment: Deployment) -> NotedBackup | None:
    """Make one where it is time, and leave it in the trail of the deployment; None where it is not. Raises Busy."""
    if not is_due(deployment):
        return None
    return await apart(deployment, _make)


def is_due(deployment: Deployment) -> bool:
    """Whether the last is as old as it may be, and none failed just now."""
    now = deployment.clock()
    kept = kept_now(deployment.settings, now)
    waits = kept.failed is not None and now < kept.failed.at + AGAIN
    return kept.due_at is not None and kept.due_at <= now and not waits


async def _make(own: Deployment) -> NotedBackup:
    made = await keep_backup(own)

    async def trace(work: Work) -> None:
        work.audit(subject=f"backup:{made.name}")

    await act(own, None, trace, deed="kernel.make_backup")
    return made
