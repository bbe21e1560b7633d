"""Schedules: cron lines of enabled plugins, in the time zone of each business, turned into jobs when they are due."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from croniter import croniter

from kernel.db import upsert
from kernel.db.tables import Business, Job, Schedule
from kernel.jobs.handlers import handlers_of
from kernel.work import Work


def next_run(cron: str, after: dt.datetime, zone: str) -> dt.datetime:
    """The next instant of a cron line in a zone.

    At fixed hours it comes once a day: an hour that the clock repeats counts the first time, one that it skips a little
    later. Over hours (`*` among them) it goes by time that passes.
    """
    tz = ZoneInfo(zone)
    local = after.astimezone(tz)
    if "*" in cron.split()[1]:
        passing: dt.datetime = croniter(cron, local).get_next(dt.datetime)
        return passing.astimezone(dt.UTC)
    clock = croniter(cron, local.replace(tzinfo=None))
    while True:
        shown: dt.datetime = clock.get_next(dt.datetime)
        moment = shown.replace(tzinfo=tz).astimezone(dt.UTC)
        if moment > after:
            return moment


async def set_schedules(work: Work, plugin: str, zone: str) -> None:
    """Make the schedules of a plugin that is being enabled (or of the kernel, for a new business)."""
    for handler in handlers_of(work.deployment).values():
        if handler.cron and handler.name.partition(".")[0] == plugin:
            due = next_run(handler.cron, work.now, zone)
            await work.execute(
                sa.insert(Schedule).values(
                    business_id=work.business_id, job=handler.name, cron=handler.cron, next_run=due
                )
            )
    await work.execute(
        sa.update(Job)
        .where(Job.business_id == work.business_id, Job.plugin == plugin, Job.state == "parked")
        .values(state="pending")
    )


async def complete_schedules(work: Work) -> None:
    """Give every business the schedules it does not have yet: of the kernel, and of plugins that have others there.

    So a release brings new ones to where a plugin is on already. A plugin that had none at all gets its first ones as
    it is enabled.
    """
    found = await work.execute(sa.select(Schedule.business_id, Schedule.job))
    known = {(row.business_id, row.job) for row in found.all()}
    on = {(business, name.partition(".")[0]) for business, name in known}
    for business in (await work.execute(sa.select(Business.id, Business.zone))).all():
        for handler in handlers_of(work.deployment).values():
            plugin = handler.name.partition(".")[0]
            is_on = plugin == "kernel" or (business.id, plugin) in on
            if handler.cron and is_on and (business.id, handler.name) not in known:
                due = next_run(handler.cron, work.now, business.zone)
                row = {"business_id": business.id, "job": handler.name, "cron": handler.cron, "next_run": due}
                await work.execute(upsert(work.deployment.database, Schedule).values(row).on_conflict_do_nothing())


async def clear_schedules(work: Work, plugin: str) -> None:
    """Take back the schedules of a plugin that is being disabled; its queued jobs are parked as they come up."""
    own = Schedule.job.startswith(plugin + ".", autoescape=True)
    await work.execute(sa.delete(Schedule).where(Schedule.business_id == work.business_id, own))
