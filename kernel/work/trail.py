"""What was done in a business lately, by its trail."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NamedTuple

import sqlalchemy as sa

from kernel.db.tables import Audit
from kernel.work.unit import Work

_A = Audit.__table__.c


class Done(NamedTuple):
    """A deed that was committed. name: `<plugin>.<operation>`, or a job's. at: when it began."""

    id: uuid.UUID
    name: str
    at: dt.datetime


async def done_since(work: Work, moment: dt.datetime, *, most: int = 500) -> list[Done]:
    """The deeds of this business that began at a moment or later and are committed, the newest first.

    One that takes its time is seen after others that began later: who comes again asks from a few seconds before their
    last time, and leaves out what they know. Deeds that left no row in the trail are not there.
    """
    statement = sa.select(_A.id, _A.deed, _A.at).where(_A.business_id == work.business_id, _A.at >= moment)
    rows = (await work.execute(statement.order_by(_A.at.desc()).limit(most))).all()
    return [Done(row.id, row.deed, row.at) for row in rows]
