"""When keys and tills were last used: noted after the answer has gone out, and no more than once a minute each.

Who made a key that is used is seen with it, so that nobody is switched off as idle while their programs work.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid

import sqlalchemy as sa

from kernel.auth.acting import act
from kernel.auth.credentials import ApiKey, Till
from kernel.auth.models import Membership
from kernel.work import Deployment, Standing, Work

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

    async def note(work: Work) -> None:
        used = await work.execute(sa.update(table).where(here, stale).values(last_used_at=now))
        if table is ApiKey and used.rowcount:
            maker = sa.select(ApiKey.created_by).where(here).scalar_subquery()
            theirs = sa.and_(Membership.business_id == standing.business_id, Membership.user_id == maker)
            await work.execute(sa.update(Membership).where(theirs).values(seen_at=now))

    try:
        await act(deployment, standing.business_id, note, deed="note a use", audited=False)
    except Exception:  # the request has been answered; that a note is missing must not look like its failure
        log.exception("the use of %s could not be noted", id_)
