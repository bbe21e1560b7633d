"""Deleting what is left of businesses that were given up: every row but a tombstone, table by table.

Books refuse to be edited even by the owner of the tables, and the application's role may not delete from them at all.
So this runs with the login that migrates, names the business in `app.purge` (see kernel.migrate), and on SQLite lifts
the triggers inside the transaction that deletes. Interrupted, it goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.audit import Sealer
from kernel.audit.anchors import head_of
from kernel.auth import act
from kernel.auth.acting import look
from kernel.auth.identity import standing_of_business
from kernel.db import Base
from kernel.db.owner import engine_for
from kernel.db.tables import Business
from kernel.work import NO_BUSINESS, Deployment, Work

log = logging.getLogger("duka.purge")
PAUSE_S = 30.0


async def purge_given_up(deployment: Deployment) -> list[str]:
    """Delete every business that was given up; returns their slugs."""
    async with deployment.database.reading(NO_BUSINESS) as transaction:
        waiting = await transaction.execute(
            sa.select(Business.id, Business.slug)
            .where(Business.deleting_at.is_not(None), Business.deleted_at.is_(None))
            .order_by(Business.deleting_at)
        )
        rows = waiting.all()
    for row in rows:
        await _purge(deployment, row.id)
        log.info("deleted %s", row.slug)
    return [row.slug for row in rows]


async def loop(deployment: Deployment, stop: asyncio.Event) -> None:
    """Delete what was given up until told to stop."""
    while not stop.is_set():
        try:
            await purge_given_up(deployment)
        except Exception:  # the database may be away for a while; the loop must outlive it
            log.exception("the deletion of a business stumbled")
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE_S)


async def _purge(deployment: Deployment, business_id: uuid.UUID) -> None:
    await Sealer(deployment, standing_of_business).seal_one(business_id, back=None)
    head = await look(deployment, business_id, head_of)
    engine = engine_for(deployment.settings.migrations_database_url or deployment.settings.url)
    deleted = 0
    try:
        for table in _tables():
            async with engine.begin() as connection:
                deleted += await _empty(connection, table, business_id)
    finally:
        await engine.dispose()

    async def bury(work: Work) -> None:
        tombstone = {"deleted_at": work.now, "tax_number": None}
        await work.execute(sa.update(Business).where(Business.id == business_id).values(tombstone))
        facts: dict[str, Any] = {"rows": deleted}
        if head is not None:
            facts |= {"last_number": head.number, "last_hash": head.hash}
        work.audit(subject=f"business:{business_id}", **facts)
        work.changed(Business, business_id, {"deleted_at": None}, {"deleted_at": work.now})

    await act(deployment, None, bury, deed="operating.delete_business")


def _tables() -> list[sa.Table]:
    """Those that refer before those referred to; the trail before its seals, so that nothing is sealed anew."""
    found = [table for table in reversed(Base.metadata.sorted_tables) if "business_id" in table.c]
    return sorted(found, key=lambda table: table.name == "kernel_audit_seal")


async def _empty(connection: AsyncConnection, table: sa.Table, business_id: uuid.UUID) -> int:
    if not await connection.run_sync(lambda sync: sa.inspect(sync).has_table(table.name)):
        return 0
    delete = sa.delete(table).where(table.c.business_id == business_id)
    if connection.dialect.name == "postgresql":
        for name in ("app.business", "app.purge"):
            await connection.execute(sa.select(sa.func.set_config(name, str(business_id), True)))
        return (await connection.execute(delete)).rowcount
    triggers = (
        await connection.execute(
            sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"),
            {"table": table.name},
        )
    ).all()
    for one in triggers:
        await connection.exec_driver_sql(f'DROP TRIGGER "{one.name}"')
    done = (await connection.execute(delete)).rowcount
    for one in triggers:
        await connection.exec_driver_sql(one.sql)
    return done
