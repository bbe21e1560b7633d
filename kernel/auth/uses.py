"""When keys and tills were last used: noted after the answer has gone out, and no more than once a minute each."""

from __future__ import annotations

import datetime as dt
import logging
import uuid

import sqlalchemy as sa

from kernel.auth.credentials import ApiKey, Till
from kernel.auth.identity import standing_of_business
from kernel.db import Phase, Transaction
from kernel.work import Answered, Deed, Deployment, Origin, Standing, Work

log = logging.getLogger("duka.auth")
EVERY = dt.timedelta(minutes=1)
_MOST_NOTED = 10_000
_noted: dict[uuid.UUID, dt.datetime] = {}


async def note_use(deployment: Deployment, standing: Standing) -> None:
    """Write down that a key or a till was used, unless this was just done. Its failure is logged, not raised."""
    table: type[ApiKey | Till] = ApiKey if standing.actor.key_id else Till
    id_ = standing.actor.key_id or standing.actor.till_id
    now = deployment.clock()
    if id_ is None or dt.timedelta(0) <= now - _noted.get(id_, dt.datetime.min.replace(tzinfo=dt.UTC)) < EVERY:
        return
    if len(_noted) >= _MOST_NOTED:
        _noted.clear()
    _noted[id_] = now
    stale = sa.or_(table.last_used_at.is_(None), table.last_used_at <= now - EVERY)
    here = sa.and_(table.business_id == standing.business_id, table.id == id_)
    try:
        await _write(deployment, standing.business_id, sa.update(table).where(here, stale).values(last_used_at=now))
    except Exception:  # the request has been answered; that a note is missing must not look like its failure
        log.exception("the use of %s could not be noted", id_)


async def _write(deployment: Deployment, business_id: uuid.UUID, statement: sa.Update) -> None:
    async def identify(transaction: Transaction) -> Standing:
        return await standing_of_business(transaction, business_id)

    async def run(work: Work) -> None:
        await work.execute(statement)

    transaction = await deployment.database.open(Phase.READ, business_id)
    try:
        await Deed(
            deployment,
            transaction,
            await identify(transaction),
            Origin("note a use"),
            run=run,
            encode=lambda _: Answered(200, b""),
            identify=identify,
            audited=False,
        ).perform()
    finally:
        await transaction.close()
